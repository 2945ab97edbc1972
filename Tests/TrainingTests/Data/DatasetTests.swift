import Dataflow
import Testing
import Training

@Suite("What no Dataset can be made of")
struct DatasetTests {
    private func message(_ make: () throws -> Any) -> String {
        do { return "\(try make())" } catch { return "\(error)" }
    }

    @Test("wrong shapes, dtypes and labels throw, with what was given")
    func datasets() throws {
        let (x, y) = (Tensor([[0.5, 1], [2, 3]]), Tensor([0, 1]))
        #expect(message { try Dataset(features: x, labels: y, classes: 2) } == "2 examples of 2 features, 2 classes")
        #expect(message { try Dataset(features: Tensor([0.5]), labels: y, classes: 2) }.contains("the shape [1]"))
        #expect(message { try Dataset(features: x.converted(to: .float64), labels: y, classes: 2) }.contains("float64"))
        #expect(message { try Dataset(features: x, labels: Tensor([0]), classes: 2) }.contains("labels [1]"))
        #expect(message { try Dataset(features: x, labels: Tensor([0.0, 1]), classes: 2) }.contains("float32[2]"))
        #expect(message { try Dataset(features: x, labels: y, classes: 0) }.contains("float32 of shape [N, K]"))
        #expect(message { try Dataset(features: x, labels: Tensor([0, 2]), classes: 2) }.contains("0 to 1, got 2"))
        #expect(message { try Dataset(features: x, labels: y, classes: -1) }.contains("-1"))
        #expect(message { try Dataset(features: x, labels: y, classes: 2, featureShape: [3]) }.contains("[3]"))
    }

    @Test("so do batches, splits and schedules")
    func parts() throws {
        let (x, y) = (Tensor([[0.5, 1], [2, 3]]), Tensor([0, 1]))
        let data = try Dataset(features: x, labels: y, classes: 2)
        #expect(message { try data.batch([0, 2]) }.contains("no example 2: they are 0 to 1"))
        let wide = try Dataset(features: Tensor([[0.5, 1, 2]]), labels: Tensor([0]), classes: 2)
        #expect(message { try data.batch([0], scaling: Scaling(.minMax, fittedTo: wide)) }.contains("3 features"))
        #expect(message { try DataSplit(training: data, test: wide) }.contains("[2]"))
        let fewer = try DataSplit(training: data, test: Dataset(features: x, labels: Tensor([0, 0]), classes: 1))
        #expect(fewer.test.classes == 2)
        let targets = try Dataset(features: x, labels: Tensor([[0.5], [1]]), classes: 0)
        let mixed = message { try DataSplit(training: data, test: targets) }
        #expect(mixed.contains("2 classes, those to test on 1 target"))
        #expect(message { try DataSplit(data, testFraction: 1, seed: 1) }.contains("0..<1, got 1.0"))
        #expect(message { try Dataset.oneHot(Tensor([3]), classes: 3) }.contains("got 3"))
        #expect(message { try Scaling(.minMax, fittedTo: y) }.contains("int32[2]"))
        #expect(message { try BatchSchedule(examples: 0, batch: 4, seed: 1) }.contains("got 0"))
        #expect(message { try BatchSchedule(examples: 4, batch: 0, seed: 1) }.contains("at least 1 example"))
        #expect(message { try DataSplit(data, testFraction: 0.5, seed: 1) }.contains("to train on 1 example of 2"))
    }
}
