package import Cluster
internal import Foundation

/// A job's progress in one line: step, epoch, loss, metrics, speed, time left, workers alive, gradients.
package struct ProgressLine {
    private let progress: JobProgress

    package init(_ progress: JobProgress) { self.progress = progress }

    /// The line, shortened to a width in columns: the least important part is left out first.
    package func text(width: Int?) -> String {
        var parts = parts
        func joined() -> String { parts.map(\.text).joined(separator: " · ") }
        guard let width else { return joined() }
        while parts.count > 1, joined().count > width,
            let least = parts.indices.max(by: { parts[$0].rank < parts[$1].rank })
        {
            parts.remove(at: least)
        }
        return String(joined().prefix(max(width, 0)))
    }

    /// The results of the last evaluation on a line of its own; nil before the first.
    package var evaluation: String? {
        guard let evaluation = progress.evaluation else { return nil }
        let loss: Double? = evaluation.loss
        let values = [loss.map { "loss \(Self.short($0))" }].compactMap { $0 } + Self.list(evaluation.metrics)
        return "test: " + values.joined(separator: ", ")
    }

    /// The parts of the line with their ranks: 0 is the most important.
    private var parts: [(text: String, rank: Int)] {
        let nodes = "\(progress.workersAlive)/\(progress.workers) workers"
        guard progress.step > 0 || progress.phase == .training else {
            return [(progress.phase.rawValue, 0), (nodes, 1)]
        }
        var parts: [(text: String, rank: Int)] = []
        if progress.phase != .training { parts.append((progress.phase.rawValue, 0)) }
        parts.append(("step \(Self.grouped(progress.step))/\(Self.grouped(progress.totalSteps))", 1))
        if let epochs = progress.epochs { parts.append(("epoch \(min(progress.epoch + 1, epochs))/\(epochs)", 5)) }
        if let loss = progress.loss { parts.append(("loss \(Self.short(loss))", 2)) }
        for metric in Self.list(progress.metrics) { parts.append((metric, 3)) }
        if progress.samplesPerSecond > 0 {
            parts.append(("\(Self.grouped(progress.samplesPerSecond)) samples/s", 6))
        }
        if let seconds = progress.secondsLeft { parts.append(("\(Self.duration(seconds)) left", 4)) }
        parts.append((nodes, progress.workersAlive < progress.workers ? 2 : 7))
        if let gradients = progress.gradients {
            // A synchronous job has no stale gradients.
            if gradients.maxStaleness > 0 { parts.append((GradientText.staleness(gradients), 9)) }
            if let dropped = GradientText.dropped(gradients) { parts.append((dropped, 8)) }
        }
        return parts
    }

    /// "accuracy 0.941", by name.
    package static func list(_ metrics: [String: Double]) -> [String] {
        metrics.sorted { $0.key < $1.key }.map { "\($0.key) \(short($0.value))" }
    }

    /// With four decimals, or an exponent for very small and large numbers.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : "\(value)" }
        let size = abs(value)
        let format = size != 0 && (size < 0.001 || size >= 100_000) ? "%.3e" : "%.4f"
        return String(format: format, value)
    }

    /// 12345.6 as "12,345"; NaN as "0".
    package static func grouped(_ number: Double) -> String {
        grouped(number.isNaN ? 0 : Int(min(max(number, -1e15), 1e15)))
    }

    /// 12345 as "12,345".
    package static func grouped(_ number: Int) -> String {
        var digits = String(number.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// Seconds as "42 s", "3 min 05 s" or "2 h 05 min"; at most 9999 hours.
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 36_000_000 else { return "very long" }
        let whole = Int(max(seconds, 0).rounded(.up))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(String(format: "%02d", whole % 60)) s" }
        return "\(whole / 3600) h \(String(format: "%02d", whole % 3600 / 60)) min"
    }
}
