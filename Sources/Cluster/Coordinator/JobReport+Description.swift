internal import Foundation

/// Numbers as sentences have them.
enum Words {
    /// Four digits that say something: "0.0312", "1.2e-05".
    static func number(_ value: Double) -> String { String(format: "%.4g", value) }

    /// "1 step", "3 steps".
    static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

    /// "loss 0.31, accuracy 0.91": what is there.
    static func list(_ loss: Double?, _ metrics: [String: Double]) -> String {
        let all = [("loss", loss)] + metrics.sorted { $0.key < $1.key }.map { ($0.key, Optional($0.value)) }
        return all.compactMap { name, value in value.map { "\(name) \(number($0))" } }.joined(separator: ", ")
    }
}

extension JobReport: CustomStringConvertible {
    /// "finished: 40 steps, 2000 samples in 1.2 s, loss 0.31, accuracy 0.91, checkpoint out/checkpoint-40.json".
    public var description: String {
        let parts = [
            Words.count(steps, "step"), "\(Words.count(samples, "sample")) in \(Words.number(seconds)) s",
            Words.list(loss, metrics), checkpoint.map { "checkpoint \($0)" } ?? "", reason ?? "",
        ]
        return "\(status.rawValue): " + parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

extension JobReport.Node: CustomStringConvertible {
    public var description: String {
        "node \(number) on \(host), pid \(pid): \(state.rawValue) after \(Words.count(steps, "step"))"
    }
}

extension JobReport.Gradients: CustomStringConvertible {
    public var description: String {
        let drops = dropped.filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { ", \($0.value) dropped (\($0.key.rawValue))" }.joined()
        return "\(applied) applied\(drops), staleness \(Words.number(meanStaleness)) (at most \(maxStaleness))"
    }
}

extension JobProgress: CustomStringConvertible {
    /// "training: step 40 of 100, epoch 1 of 2, loss 0.31, accuracy 0.91, 1234 samples/s".
    public var description: String {
        guard totalSteps > 0 else { return phase.rawValue }
        let parts = [
            "step \(step) of \(totalSteps)", epochs.map { "epoch \(min(epoch + 1, $0)) of \($0)" } ?? "",
            Words.list(loss, metrics), samplesPerSecond > 0 ? "\(Words.number(samplesPerSecond)) samples/s" : "",
        ]
        return "\(phase.rawValue): " + parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

extension JobProgress.Evaluation: CustomStringConvertible {
    public var description: String { "at step \(step): \(Words.list(loss, metrics))" }
}

extension JobStatus: CustomStringConvertible {
    public var description: String {
        let values = Words.list(step > 0 ? loss : nil, metrics)
        return "\(job): \(phase.rawValue), step \(step) of \(totalSteps)\(values.isEmpty ? "" : ", \(values)"), "
            + Words.count(nodes.count, "node") + (failure.isEmpty ? "" : "; \(failure)")
    }
}

extension JobStatus.Node: CustomStringConvertible {
    public var description: String {
        "\(role.rawValue) \(number) on \(host), pid \(pid): \(state.rawValue), step \(step)"
    }
}

extension Inference.Evaluation: CustomStringConvertible {
    public var description: String {
        "step \(step): \(Words.list(loss, metrics)), over \(Words.count(examples, "example"))"
    }
}

extension Inference.Predictions: CustomStringConvertible {
    public var description: String { "\(Words.count(rows.count, "row")) of \(columns.joined(separator: ", "))" }
}
