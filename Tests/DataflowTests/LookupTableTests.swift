import Dataflow
import Foundation
import OperationCoverage
import Testing

/// Tables that live as long as their session: what fills them, what is wrong with that, and handles of both kinds.
@Suite("Lookup tables", .exercises(.lookupTables))
struct LookupTableTests {
    /// A table with the operations of one generation of TensorFlow.
    private struct Table {
        let graph = Graph()
        let isOld: Bool
        let handle: Node

        init(old isOld: Bool, _ make: String = "HashTable", keys: DType = .string, values: DType = .int64) {
            self.isOld = isOld
            var inputs: [Node] = []
            if make == "MutableDenseHashTable" {
                inputs = (isOld ? [-1] : [-1, -2]).map { [graph] in graph.constant(Tensor(Int64($0))) }
            }
            handle =
                graph.add(
                    Self.operation(make, isOld), inputs,
                    ["key_dtype": .type(keys), "value_dtype": .type(values), "shared_name": .string("table")]
                ).node
        }

        static func operation(_ name: String, _ isOld: Bool) -> any Dataflow.Operation.Type {
            OperationCatalog.operation(named: isOld ? name : name + "V2")!
        }

        func add(
            _ name: String, _ inputs: [Tensor], _ attributes: Attributes = [:], after: [Node] = []
        ) -> Vertex {
            graph.add(
                Self.operation(name, isOld), [handle] + inputs.map { graph.constant($0) }, attributes,
                controls: after.map(\.vertex))
        }

        func find(_ keys: Tensor, _ byDefault: Tensor) -> Node { add("LookupTableFind", [keys, byDefault]).node }
    }

    private let words = Tensor(texts: ["a", "é", "e\u{301}", ""], sized: [4])
    private let numbers = Tensor([Int64(3), 1, 4, 1])
    private let types: Attributes = ["Tkeys": .type(.string), "Tvalues": .type(.int64)]

    @Test("an initialiser fills a table once; lookups find what is there", arguments: [false, true])
    func initialisation(old: Bool) throws {
        let table = Table(old: old)
        let filled = table.add("InitializeTable", [words, numbers])
        let found = table.find(Tensor(texts: ["é", "x", "", "e\u{301}"], sized: [2, 2]), Tensor(Int64(-1)))
        let size = table.add("LookupTableSize", []).node
        let all = table.add("LookupTableExport", [], types)
        let session = try Session(table.graph)
        #expect(try session.run(size).scalar(Int64.self) == 0)
        #expect(throws: GraphError.self) { try session.run(found) }
        try session.execute(filled.node)
        // The same again changes nothing.
        try session.execute(filled.node)
        #expect(try session.run(found) == Tensor([Int64(1), -1, 1, 4], sized: [2, 2]))
        #expect(try session.run(size).scalar(Int64.self) == 4)
        let exported = try session.run([all.output(0), all.output(1)])
        #expect(try exported[0].strings == words.strings && exported[1] == numbers)
        // Another session has a table of its own.
        #expect(throws: GraphError.self) { try Session(table.graph).run(found) }
    }

    @Test("other content, keys of two values and insertions are refused", arguments: [false, true])
    func refusals(old: Bool) throws {
        let table = Table(old: old)
        func message(_ vertex: Vertex, after: [Vertex] = []) throws -> String {
            let session = try Session(table.graph)
            for earlier in after { try session.execute(earlier.node) }
            return #expect(throws: GraphError.self) { try session.execute(vertex.node) }?.description ?? ""
        }
        let filled = table.add("InitializeTable", [words, numbers])
        let other = table.add("InitializeTable", [words, Tensor([Int64(3), 1, 4, 2])])
        #expect(try message(other, after: [filled]).contains("initialised already"))
        let twice = table.add("InitializeTable", [Tensor(texts: ["a", "a"], sized: [2]), Tensor([Int64(1), 2])])
        #expect(try message(twice).contains("occurs twice"))
        let short = table.add("InitializeTable", [words, Tensor([Int64(1)])])
        #expect(try message(short).contains("[4]"))
        #expect(try message(table.add("LookupTableInsert", [words, numbers])).contains("inserted"))
        let lookup = table.find(Tensor([Int64(1)]), Tensor(Int64(0)))
        #expect(try message(lookup.vertex, after: [filled]).contains("string to int64"))
    }

    @Test("a table is filled from the columns, the lines or the numbers of lines of a file", arguments: [false, true])
    func files(old: Bool) throws {
        let path = NSTemporaryDirectory() + "table-\(UUID().uuidString).txt"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func run(
            _ text: String, _ key: Int, _ value: Int, _ keys: DType = .string, _ values: DType = .int64,
            size: Int = -1, delimiter: String = "\t", offset: Int = 0
        ) throws -> (keys: Tensor, values: Tensor) {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let table = Table(old: old, keys: keys, values: values)
            let filled = table.add(
                "InitializeTableFromTextFile", [Tensor(texts: [path], sized: [])],
                [
                    "key_index": .int(key), "value_index": .int(value), "vocab_size": .int(size),
                    "delimiter": .string(delimiter), "offset": .int(offset),
                ])
            let all = table.add("LookupTableExport", [], ["Tkeys": .type(keys), "Tvalues": .type(values)])
            let session = try Session(table.graph)
            try session.execute(filled.node)
            let found = try session.run([all.output(0), all.output(1)])
            return (found[0], found[1])
        }
        let lines = try run("x\r\ny\nz", -2, -1, offset: 5)
        #expect(try lines.keys.texts == ["x", "y", "z"] && lines.values == Tensor([Int64(5), 6, 7]))
        #expect(try run("x\ny\nz\n", -2, -1, size: 2).keys.texts == ["x", "y"])
        #expect(try run("x\ny\n", -1, -2, .int64, .string).values.texts == ["x", "y"])
        let whole = try run("10\n-20\n", -2, -2, .int64, .float32)
        #expect(whole.keys == Tensor([Int64(10), -20]) && whole.values == Tensor([Float(10), -20]))
        let columns = try run("x,1.5,u\ny, 2,v\n", 2, 1, .string, .float32, delimiter: ",")
        #expect(try columns.keys.texts == ["u", "v"] && columns.values == Tensor([Float(1.5), 2]))

        func message(_ text: String, _ key: Int, _ value: Int, size: Int = -1) -> String {
            #expect(throws: GraphError.self) { try run(text, key, value, size: size) }?.description ?? ""
        }
        #expect(message("x\n", -2, -1, size: 3).contains("1 lines"))
        #expect(message("x\n\ny\n", -2, -1).contains("line 2 of \(path) is empty"))
        #expect(message("x\t1\ny\n", 0, 1).contains("line 2 of \(path) has 1 columns"))
        #expect(message("x\tone\n", 0, 1).contains("'one'"))
        #expect(message("x\nx\n", -2, -1).contains("occurs twice"))
        #expect(message("", -2, -1).contains("no lines"))
        try FileManager.default.removeItem(atPath: path)
        let table = Table(old: old)
        let filled = table.add(
            "InitializeTableFromTextFile", [Tensor(texts: [path], sized: [])],
            ["key_index": .int(-2), "value_index": .int(-1)])
        let error = #expect(throws: GraphError.self) { try Session(table.graph).execute(filled.node) }
        #expect(error?.description.contains("cannot read the file \(path)") == true)
    }

    @Test(
        "entries of mutable tables come and go",
        arguments: ["MutableHashTable", "MutableHashTableOfTensors", "MutableDenseHashTable"], [false, true])
    func mutation(name: String, old: Bool) throws {
        let table = Table(old: old, name, keys: .int64, values: .float32)
        let insert = table.add("LookupTableInsert", [Tensor([Int64(5), 7]), Tensor([Float(0.5), 0.7])])
        let change = table.add("LookupTableInsert", [Tensor([Int64(7), 9]), Tensor([Float(7), 9])])
        let replace = table.add("LookupTableImport", [Tensor([Int64(1)]), Tensor([Float(2)])])
        let found = table.find(Tensor([Int64(5), 7, 9, 1]), Tensor(Float(-1)))
        let session = try Session(table.graph)
        try session.execute(insert.node)
        #expect(try session.run(found) == Tensor([Float(0.5), 0.7, -1, -1]))
        try session.execute(change.node)
        #expect(try session.run(found) == Tensor([Float(0.5), 7, 9, -1]))
        if !old {
            let remove = table.add("LookupTableRemove", [Tensor([Int64(5), 6])])
            try session.execute(remove.node)
            #expect(try session.run(found) == Tensor([Float(-1), 7, 9, -1]))
            try session.execute(insert.node)
            #expect(try session.run(found) == Tensor([Float(0.5), 0.7, 9, -1]))
        }
        try session.execute(replace.node)
        #expect(try session.run(found) == Tensor([Float(-1), -1, -1, 2]))
        guard name == "MutableDenseHashTable" else { return }
        let empty = table.find(Tensor([Int64(-1)]), Tensor(Float(0)))
        #expect(throws: GraphError.self) { try session.run(empty) }
    }

    @Test("a handle of something else, and a table of other types under the same name, are told")
    func handles() throws {
        let graph = Graph()
        let stranger = graph.placeholder(.resource, [])
        let find = graph.add(
            Table.operation("LookupTableFind", false),
            [stranger, graph.constant(Tensor(Int64(1))), graph.constant(Tensor(Int64(1)))])
        let handle = Tensor(dtype: .resource, sized: []) { $0.storeBytes(of: 77, as: UInt64.self) }
        let error = #expect(throws: GraphError.self) { try Session(graph).run(find.node, feeds: [stranger: handle]) }
        #expect(error?.description.contains("no table of this session") == true)
        let table = Table(old: false)
        let second = table.graph.add(
            Table.operation("MutableHashTable", false), [],
            ["key_dtype": .type(.int64), "value_dtype": .type(.int64), "shared_name": .string("table")])
        let session = try Session(table.graph)
        try session.execute(table.handle)
        let clash = #expect(throws: GraphError.self) { try session.execute(second.node) }
        #expect(clash?.description.contains("is there already") == true)
    }
}
