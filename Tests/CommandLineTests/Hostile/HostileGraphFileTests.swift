import Foundation
import Schemas
import SwiftProtobuf
import Testing

/// Graphs that ask for calls within calls, copies and nodes without end.
@Suite("Hostile graphs")
struct HostileGraphFileTests {
    /// What `graph show` and `graph export` of it are to say; nil: the graph is read.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: String?
        let graph: @Sendable () -> TFGraphDef
    }

    static let cases = [
        Case(testDescription: "functions 64 deep that call the next one twice", words: nil) {
            HostileFunctions.doubling(64)
        },
        Case(testDescription: "the same with effects", words: nil) {
            HostileFunctions.doubling(64, op: "StatefulPartitionedCall")
        },
        Case(testDescription: "functions 65 deep", words: "more than 64 deep") { HostileFunctions.doubling(65) },
        Case(testDescription: "the gradient of such functions", words: nil) { HostileFunctions.doubledGradients(40) },
        Case(testDescription: "branches that are the same function", words: nil) { HostileFunctions.branches(60) },
        Case(testDescription: "handles in other orders", words: "more than 4096 copies") {
            HostileFunctions.permuted(60, handles: 12)
        },
        Case(testDescription: "an attribute that holds itself twice", words: "more than 1048576 bytes") {
            HostileFunctions.attributes(60)
        },
        Case(testDescription: "arguments of other shapes", words: "looked at more than 20000 times") {
            HostileFunctions.shapes(18)
        },
    ]

    @Test("functions are made once for each use, and refused where these have no end", arguments: cases)
    func functions(_ example: Case) throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let file = try program.write(example.graph().serializedBytes(), "graph.pb")
        let outcome = try program.run(["graph", "show", file])
        #expect(outcome.status == 0, "\(outcome.status) \(outcome.text.prefix(400))")
        let found = outcome.text.contains(example.words ?? "  ('")
        #expect(found == (example.words != nil), "\(outcome.text.prefix(400))")
        // A run of what is fed needs no function, and reads none.
        guard example.words != nil else { return }
        let run = try program.run(["graph", "run", file, "--fetch", "c"])
        #expect(run.status == 78 && run.text.contains(example.words ?? ""), "\(run.status) \(run.text.prefix(400))")
    }

    @Test("functions 40 deep run on a small stack")
    func deepCalls() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        // Only the first call of each is fetched: there are 40, not 2⁴⁰.
        let graph = HostileFunctions.chain(
            40, root: [HostileFunctions.x, HostileFunctions.call("c", "f0", ["x"])]
        ) { i in ([HostileFunctions.call("a", "f\(i + 1)", ["x"])], "a:output:0") }
        let file = try program.write(graph.serializedBytes(), "graph.pb")
        let value = try program.write(Self.scalar, "x.npy")
        let outcome = try program.run(["graph", "run", file, "--feed", "x=\(value)", "--fetch", "c"])
        #expect(outcome.status == 0 && outcome.text.contains("c float32[] [-1.0]"), "\(outcome.text)")
    }

    /// 1 as an array.
    private static let scalar: [UInt8] = {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"
        let padded = header + String(repeating: " ", count: 117 - header.count) + "\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + [0, 0, 0x80, 0x3F]
    }()

    @Test("a chain of 20000 vertices is read, planned and run on a small stack", arguments: [true, false])
    func longChain(isFed: Bool) throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        var graph = TFGraphDef()
        graph.node = [HostileFunctions.x]
        for i in 0..<20_000 {
            graph.node.append(HostileFunctions.node("n\(i)", "Neg", [i == 0 ? "x" : "n\(i - 1)"]))
        }
        // The last first: the order of a file is free.
        graph.node.reverse()
        let file = try program.write(graph.serializedBytes(), "graph.pb")
        let value = try program.write(Self.scalar, "x.npy")
        let outcome = try program.run([
            "graph", "run", file, "--feed", isFed ? "x=\(value)" : "n3=\(value)", "--fetch", "n19999",
        ])
        #expect(outcome.status == 0 && outcome.text.contains("float32[] [1.0]"), "\(outcome.text.prefix(400))")
    }

    @Test(
        "text protos and messages that are nested without end are refused",
        arguments: [
            "u { ", "attr { key: 'a' value { func { ", "zz: [ ", "[a.b/c] { a < ", "node { ", "input: [", "u: <",
        ])
    func nested(opening: String) throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let text = "node { name: 'a' op: 'NoOp' " + String(repeating: opening, count: 100_000)
        let outcome = try program.run(["graph", "show", program.write(Array(text.utf8), "graph.pbtxt")])
        #expect(outcome.status == 65, "\(outcome.status) \(outcome.text.prefix(400))")
    }

    @Test("binary groups and attributes that are nested without end are refused")
    func nestedBinary() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let node = HostileFunctions.node("a", "NoOp")
        var groups: [UInt8] = try TFGraphDef.with { $0.node = [node] }.serializedBytes()
        groups += (0..<300_000).flatMap { _ in [0xFB, 0x01] as [UInt8] }
        var outcome = try program.run(["graph", "show", program.write(groups, "groups.pb")])
        #expect(outcome.status == 65, "\(outcome.status) \(outcome.text.prefix(400))")
        // A function within a function's attribute: fields 2 (attr), 2 (value), 10 (func) and their lengths.
        var inner: [UInt8] = [0x0A, 1, 0x67]
        func wrapped(_ field: UInt8, _ content: [UInt8]) -> [UInt8] {
            var (length, count) = ([UInt8](), content.count)
            repeat {
                length.append(UInt8(count & 127) | (count > 127 ? 128 : 0))
                count >>= 7
            } while count > 0
            return [field << 3 | 2] + length + content
        }
        for _ in 0..<2000 { inner = [0x0A, 1, 0x67] + wrapped(2, wrapped(1, [0x70]) + wrapped(2, wrapped(10, inner))) }
        let bytes = wrapped(
            1,
            wrapped(1, [0x61]) + wrapped(2, Array("NoOp".utf8))
                + wrapped(5, wrapped(1, [0x62]) + wrapped(2, wrapped(10, inner))))
        outcome = try program.run(["graph", "show", program.write(bytes, "deep.pb")])
        #expect(outcome.status == 65 && outcome.text.contains("nested too deeply"), "\(outcome.text.prefix(400))")
    }

    @Test("more nodes than are read are refused before they take memory")
    func manyNodes() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let bytes = [UInt8]((0..<5_500_000).flatMap { _ in [0x0A, 0x00] as [UInt8] })
        let outcome = try program.run(["graph", "show", program.write(bytes, "graph.pb")], megabytes: 1024)
        #expect(outcome.status == 65 && outcome.text.contains("more than 5000000 nodes"), "\(outcome.text.prefix(400))")
    }
}
