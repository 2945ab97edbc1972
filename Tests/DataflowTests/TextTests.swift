import Dataflow
import Foundation
import OperationCoverage
import Testing

@Suite("Texts", .exercises(.texts))
struct TextTests {
    private func texts(_ g: Graph, _ texts: [String]) -> Node { g.constant(Tensor(texts: texts, sized: [texts.count])) }

    @Test("bytes that are no UTF-8 come through unchanged")
    func bytes() throws {
        let g = Graph()
        let x = g.placeholder(.string, [2])
        let joined = g.add(StringJoin.self, [x, x], ["separator": .string("|")]).node
        let value = Tensor(strings: [[0xFF, 0, 0x80], []], sized: [2])
        let result = try Session(g).run(joined, feeds: [x: value])
        #expect(try result.strings == [[0xFF, 0, 0x80, 0x7C, 0xFF, 0, 0x80], [0x7C]])
    }

    @Test("what runs compute stays readable after them, alone or in a Variable")
    func outlives() throws {
        let g = Graph()
        let x = g.placeholder(.string, [])
        let state = g.variable(Tensor(texts: ["start"], sized: []), name: "state")
        let joined = g.add(StringJoin.self, [x, x]).node
        let assigned = state.assign(joined)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        var results: [Tensor] = []
        for i in 0..<3 {
            results += try session.run([joined, assigned], feeds: [x: Tensor(texts: ["run \(i);"], sized: [])])
        }
        #expect(try results.map { try $0.texts[0] } == [0, 0, 1, 1, 2, 2].map { "run \($0);run \($0);" })
        #expect(try session.value(of: state).texts == ["run 2;run 2;"])
    }

    @Test("an update of rows that is out of range changes nothing")
    func atomicScatter() throws {
        let g = Graph()
        let state = g.variable(Tensor([Float(1), 2, 3]), name: "state")
        let indices = g.constant(Tensor([Int32(0), 7], sized: [2, 1]))
        let update = g.add(
            ScatterNdUpdate.self, [state.reference, indices, g.constant([Float(8), 9])])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let error = #expect(throws: GraphError.self) { try session.execute(update.node) }
        #expect(error?.description.contains("[0, 3)") == true)
        #expect(try session.value(of: state) == Tensor([Float(1), 2, 3]))
    }

    @Test("a counter ends at its limit")
    func counter() throws {
        let g = Graph()
        let state = g.variable(Tensor(Int64(0)), name: "state")
        let count = g.add(CountUpTo.self, [state.reference], ["limit": .int(2)]).node
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try (0..<2).map { _ in try session.run(count).scalar(Int64.self) } == [0, 1])
        let error = #expect(throws: GraphError.self) { try session.run(count) }
        #expect(error?.description.contains("limit of 2") == true)
        #expect(try session.value(of: state).scalar(Int64.self) == 2)
    }

    @Test("a print to a file is added to its end")
    func prints() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "print-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let g = Graph()
        let print = g.add(
            PrintV2.self, [g.constant(Tensor(texts: ["a\n\"b\""], sized: []))],
            ["output_stream": .string("file://\(path)"), "end": .string(";")])
        var options = SessionOptions()
        options.writable = .under([FileManager.default.temporaryDirectory.path])
        let session = try Session(g, options: options)
        for _ in 0..<2 { try session.execute(print.node) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "a\n\"b\";a\n\"b\";")
    }

    @Test(
        "patterns that are none are refused with the reason",
        arguments: [
            "(", ")", "[", "a**", "*", "a{2,1}", "a{1001}", "\\", "[z-a]", "(?x)", "\\8", "[[:none:]]", "\\p{Nope}",
        ])
    func patterns(pattern: String) throws {
        let g = Graph()
        let match = g.add(StaticRegexFullMatch.self, [texts(g, ["a"])], ["pattern": .string(pattern)]).node
        let error = #expect(throws: GraphError.self) { try Session(g).run(match) }
        #expect(error?.description.contains("'\(pattern)'") == true)
    }

    @Test("a pattern that others are slow at takes no longer than others")
    func linear() throws {
        let g = Graph()
        let text = String(repeating: "a", count: 2000) + "b"
        let match = g.add(StaticRegexFullMatch.self, [texts(g, [text])], ["pattern": .string("(a+)+(a*)*c")]).node
        #expect(try Session(g).run(match).array(of: Bool.self) == [false])
    }

    @Test("summaries refuse what TensorFlow refuses")
    func summaries() throws {
        let g = Graph()
        let nan = g.add(
            HistogramSummary.self, [g.constant(Tensor(texts: ["h"], sized: [])), g.constant([Float(1), .nan])]
        ).node
        let scalar = g.add(
            ScalarSummary.self, [g.constant(Tensor(texts: ["a"], sized: [])), g.constant(Float(1))]
        ).node
        let twice = g.add(MergeSummary.self, [scalar, scalar]).node
        let odd = g.add(MergeSummary.self, [g.constant(Tensor(texts: ["no summary"], sized: []))]).node
        for (node, text) in [(nan, "NaN"), (twice, "'a' comes twice"), (odd, "no summary")] {
            let error = #expect(throws: GraphError.self) { try Session(g).run(node) }
            #expect(error?.description.contains(text) == true)
        }
    }

    @Test("sounds are WAV files")
    func sounds() throws {
        let g = Graph()
        let summary = g.add(
            AudioSummary.self, [g.constant(Tensor(texts: ["s"], sized: [])), g.constant([[0.0, 1, -1]])],
            ["sample_rate": .float(8000), "max_outputs": .int(1)])
        let bytes = try Session(g).run(summary.node).strings[0]
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("s/audio") && text.contains("RIFF") && text.contains("audio/wav"))
        #expect(bytes.suffix(17).prefix(6) == [0, 0, 0xFF, 0x7F, 0, 0x80])
    }
}
