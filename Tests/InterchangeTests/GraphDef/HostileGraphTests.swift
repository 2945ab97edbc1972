import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf
import Testing

@Suite("Graph files that are wrong")
struct HostileGraphTests {
    /// One wrong file: how to break the small graph, and what the error must name.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let named: [String]
        let damage: @Sendable (inout TFGraphDef) -> Void

        init(_ description: String, names: String..., damage: @escaping @Sendable (inout TFGraphDef) -> Void) {
            testDescription = description
            named = names
            self.damage = damage
        }
    }

    /// a and b are constants, "product" is their matrix product, "total" its sum.
    private static func small() throws -> TFGraphDef {
        let g = Graph()
        let product = matmul(
            g.constant([[3.0, 3]], name: "a"), g.constant([[2.0], [2]], name: "b"), name: "product")
        _ = g.add(Identity.self, [product], name: "total")
        return try TFGraphDef(serializedBytes: GraphDefinition.encode(g))
    }

    static let cases = [
        Case("unknown operations are all named", names: "'Frobnicate'", "'Quux'") {
            $0.node[0].op = "Frobnicate"
            $0.node[3].op = "Quux"
        },
        Case("a missing input", names: "'nobody'", "'product'") { $0.node[2].input[1] = "nobody" },
        Case("a missing control input", names: "'nobody'", "'product'") { $0.node[2].input.append("^nobody") },
        Case("an output that does not exist", names: "'a:7'", "'product'") { $0.node[2].input[0] = "a:7" },
        Case("an input that is no name", names: "'a:b:c'", "'product'") { $0.node[2].input[0] = "a:b:c" },
        Case("an input with a huge index", names: "'product'") { $0.node[2].input[0] = "a:99999999999999999999" },
        Case("an input with a negative index", names: "'product'") { $0.node[2].input[0] = "a:-1" },
        Case("an empty input", names: "'product'") { $0.node[2].input[0] = "" },
        Case("a control input with an output", names: "'product'") { $0.node[2].input.append("^a:0") },
        Case("two nodes of one name", names: "'a'") { $0.node[1].name = "a" },
        Case("no name") { $0.node[1].name = "" },
        Case("a name like a control input", names: "'^a'") { $0.node[1].name = "^a" },
        Case("a cycle names its nodes", names: "'product'", "'total'", "cycle") { $0.node[2].input[0] = "total" },
        Case("a node that needs itself", names: "'product'", "cycle") { $0.node[2].input[0] = "product" },
        Case("a control cycle", names: "'a'", "'total'", "cycle") { $0.node[0].input = ["^total"] },
        Case("a wrong kind of attribute", names: "'transpose_a'", "'product'", "a bool", "an int") {
            $0.node[2].attr["transpose_a"] = .with { $0.i = 1 }
        },
        Case("a type that is an int", names: "'T'", "'product'") { $0.node[2].attr["T"] = .with { $0.i = 1 } },
        Case("a missing attribute", names: "a", "value") { $0.node[0].attr["value"] = nil },
        Case("an attribute without a value", names: "'T'", "'product'") { $0.node[2].attr["T"] = TFAttrValue() },
        Case("a type that does not exist", names: "'T'", "77") {
            $0.node[2].attr["T"] = .with { $0.type = .UNRECOGNIZED(77) }
        },
        Case("a type that is not supported", names: "'dtype'", "'a'") {
            $0.node[0].attr["dtype"] = .with { $0.type = .dtComplex64 }
        },
        Case("the largest and smallest type numbers", names: "'T'") {
            $0.node[2].attr["T"] = .with { $0.type = .UNRECOGNIZED(Int(Int32.min)) }
        },
        Case("a type that the inputs contradict", names: "product") {
            $0.node[2].attr["T"] = .with { $0.type = .dtDouble }
        },
        Case("a negative dimension", names: "'value'", "'a'", "-3") {
            $0.node[0].attr["value"]!.tensor.tensorShape.dim[0].size = -3
        },
        Case("an unknown dimension of a value", names: "'value'", "'a'") {
            $0.node[0].attr["value"]!.tensor.tensorShape.dim[0].size = -1
        },
        Case("a huge tensor", names: "'value'", "'a'") {
            $0.node[0].attr["value"]!.tensor.tensorShape.dim[0].size = 1_000_000_000_000
        },
        Case("a tensor whose size overflows", names: "'value'", "'a'") {
            $0.node[0].attr["value"]!.tensor.tensorShape.dim[0].size = .max
        },
        Case("a huge tensor without bytes", names: "'value'", "'a'") {
            $0.node[0].attr["value"]!.tensor.tensorShape.dim[0].size = 500_000_000_000
            $0.node[0].attr["value"]!.tensor.tensorContent = .init()
        },
        Case("shapes that do not fit", names: "product") {
            $0.node[2].attr["transpose_a"] = .with { $0.b = true }
        },
        Case("a device that is none", names: "'product'", "/job") { $0.node[2].device = "/job" },
        Case("too many inputs", names: "total") { $0.node[3].input.append("a") },
        Case("too few inputs", names: "total") { $0.node[3].input = [] },
        Case("a newer format", names: "9999") { $0.versions.minConsumer = 9999 },
    ]

    /// "choice" runs one of two functions of the library.
    private static func branching() throws -> TFGraphDef {
        let g = Graph()
        let x = g.placeholder(.float32, [2], name: "x")
        _ = cond(g.placeholder(.bool, [], name: "flag"), then: { [x * x] }, else: { [x] }, name: "choice")
        var definition = try TFGraphDef(serializedBytes: GraphDefinition.encode(g))
        // The branch that multiplies first.
        definition.library.function.sort { $0.signature.name > $1.signature.name }
        return definition
    }

    static let functionCases = [
        Case("a function that is not there", names: "'choice'", "'choice_true'") { $0.library.function.removeFirst() },
        Case("two functions of one name", names: "'choice_true'") {
            $0.library.function.append($0.library.function[0])
        },
        Case("a function that calls itself", names: "'choice_true'", "call themselves") {
            var call = $0.node.first { $0.name == "choice" }!
            call.input = ["x0:0", "x0:0"]
            let argument = $0.library.function[0].signature.inputArg[0].name
            call.input = [argument, argument]
            $0.library.function[0].nodeDef.append(call)
        },
        Case("too few arguments", names: "choice", "argument") {
            $0.library.function[0].signature.inputArg.removeAll()
            $0.library.function[0].nodeDef.removeAll()
            $0.library.function[0].ret = [:]
            $0.library.function[0].signature.outputArg.removeAll()
        },
        Case("a result that is not told", names: "'choice_true'", "result") { $0.library.function[0].ret = [:] },
        Case("a result that does not exist", names: "'choice_true'", "'nobody:z:0'") {
            $0.library.function[0].ret = $0.library.function[0].ret.mapValues { _ in "nobody:z:0" }
        },
        Case("an input in a graph's form", names: "'choice_true'", "'nobody'") {
            $0.library.function[0].nodeDef[0].input = ["nobody", "nobody"]
        },
        Case("an unknown operation in a function", names: "'choice_true'", "'Frobnicate'") {
            $0.library.function[0].nodeDef[0].op = "Frobnicate"
        },
        Case("a function where none belongs", names: "'choice'", "then_branch") {
            let i = $0.node.firstIndex { $0.name == "choice" }!
            $0.node[i].attr["then_branch"] = .with { $0.i = 1 }
        },
    ]

    @Test("a file with wrong functions is refused with the name of what is wrong", arguments: functionCases)
    func refusedFunctions(_ example: Case) throws {
        var definition = try Self.branching()
        example.damage(&definition)
        let bytes: [UInt8] = try definition.serializedBytes()
        let error = #expect(throws: GraphError.self) { try GraphDefinition.decode(bytes) }
        for name in example.named { #expect(error?.description.contains(name) == true, "\(error!)") }
    }

    @Test("a wrong file is refused with the name of what is wrong", arguments: cases)
    func refused(_ example: Case) throws {
        var definition = try Self.small()
        example.damage(&definition)
        let bytes: [UInt8] = try definition.serializedBytes()
        let error = #expect(throws: GraphError.self) { try GraphDefinition.decode(bytes) }
        for name in example.named { #expect(error?.description.contains(name) == true, "\(error!)") }
    }

    @Test("what TensorFlow adds is read over: references, unknown attributes, functions that nothing calls")
    func tolerated() throws {
        var definition = try Self.small()
        definition.node[2].attr["T"] = .with { $0.type = .dtFloatRef }
        definition.node[2].attr["_class"] = .with { $0.list.s = [.init("loc:@a".utf8)] }
        definition.node[2].attr["grad_a"] = .with { $0.b = false }
        definition.node[2].attr["fancy"] = .with { $0.type = .dtVariant }
        definition.library.function = [.with { $0.signature.name = "f" }]
        let graph = try GraphDefinition.decode(definition.serializedBytes())
        #expect(try Session(graph).run(graph.node(named: "total")) == Tensor([[12.0]]))
    }

    @Test("a file cut anywhere is an error or a smaller graph, never a crash")
    func truncated() throws {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let bytes: [UInt8] = try Self.small().serializedBytes(options: options)
        var refused = 0
        for length in 0..<bytes.count {
            do {
                let graph = try GraphDefinition.decode(Array(bytes[..<length]))
                #expect(graph.vertices.count <= 4)
            } catch is GraphError { refused += 1 }
        }
        // Only a cut between two fields of the outermost message leaves a whole file.
        #expect(refused >= bytes.count - 6)
    }

    @Test("20,000 damaged files are each refused or read, never a crash")
    func mutations() throws {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let sources: [[UInt8]] = [
            try Self.small().serializedBytes(options: options),
            try GraphDefinition.encode(TrainingGraph(width: 2).graph),
        ]
        var random = Damage(random: SplitMix64(state: 42))
        var accepted = 0
        for i in 0..<20_000 {
            var bytes = sources[i % 2]
            for _ in 0...random.below(3) { random.damage(&bytes) }
            do {
                _ = try GraphDefinition.decode(bytes)
                accepted += 1
            } catch is GraphError {}
        }
        #expect(accepted > 100 && accepted < 19_900)
    }
}

/// Small, seeded, so that a failure happens again.
private struct Damage {
    var random: SplitMix64

    mutating func below(_ n: Int) -> Int { Int(random.next() % UInt64(n)) }

    mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let at = below(bytes.count)
        switch below(5) {
        case 0: bytes[at] ^= 1 << UInt8(below(8))
        case 1: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][below(5)]
        case 2: bytes.remove(at: at)
        case 3: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
        default:
            let end = min(at + below(16), bytes.count)
            bytes.insert(contentsOf: bytes[at..<end], at: below(bytes.count))
        }
    }
}
