import Dataflow
import Interchange
import Testing

@Suite("Fingerprints of graphs")
struct FingerprintTests {
    @Test(
        "FNV-1a of 128 bits gives the published values",
        arguments: [
            ("", "6c62272e07bb014262b821756295c58d"), ("a", "d228cb696f1a8caf78912b704e4a8964"),
            ("foobar", "343e1662793c64bf6f0d3597ba446f18"),
        ])
    func vectors(_ text: String, _ expected: String) { #expect(GraphDefinition.hash(Array(text.utf8)) == expected) }

    @Test("the same program gives the same fingerprint, on any device and after a file")
    func same() throws {
        let fingerprint = try GraphDefinition.fingerprint(TrainingGraph().graph)
        #expect(fingerprint.count == 32)
        #expect(try GraphDefinition.fingerprint(TrainingGraph().graph) == fingerprint)
        let copy = try GraphDefinition.decode(
            GraphDefinition.encode(TrainingGraph().graph, includingDevices: false))
        #expect(try GraphDefinition.fingerprint(copy) == fingerprint)
    }

    @Test("another width gives another fingerprint, and the Variables say why")
    func different() throws {
        let (ours, theirs) = (TrainingGraph(width: 6).graph, TrainingGraph(width: 5).graph)
        #expect(try GraphDefinition.fingerprint(ours) != GraphDefinition.fingerprint(theirs))
        let differences = VariableInfo.differences(
            ours: ours.variables.map(VariableInfo.init), theirs: theirs.variables.map(VariableInfo.init))
        #expect(
            differences == [
                "'layer1/w' is float32[2, 6] here, float32[2, 5] there",
                "'layer1/b' is float32[1, 6] here, float32[1, 5] there",
                "'layer2/w' is float32[6, 1] here, float32[5, 1] there",
            ])
    }

    @Test("Variables that one side lacks are named")
    func lacking() {
        let w = VariableInfo(name: "w", dtype: .float32, shape: [784, 10])
        let bias = VariableInfo(name: "layer2/bias", dtype: .float32, shape: [10])
        let extra = VariableInfo(name: "extra", dtype: .int64, shape: [])
        #expect(VariableInfo.differences(ours: [w, bias], theirs: [bias, w]).isEmpty)
        #expect(
            VariableInfo.differences(ours: [w, bias], theirs: [w, extra]) == [
                "the worker lacks 'layer2/bias' float32[10]", "only the worker has 'extra' int64[]",
            ])
    }
}
