internal import Cluster
internal import Foundation

/// Counts of gradients as text: applied, dropped, staleness.
enum GradientText {
    /// "12,000 gradients applied, staleness 1.0 (at most 4), dropped 12 late"; nil before a gradient reached a server.
    static func whole(_ gradients: JobReport.Gradients) -> String? {
        let dropped = dropped(gradients)
        guard gradients.applied > 0 || dropped != nil else { return nil }
        let applied = "\(ProgressLine.grouped(gradients.applied)) gradients applied"
        return ([applied, staleness(gradients)] + [dropped].compactMap { $0 }).joined(separator: ", ")
    }

    /// Updates applied between pull and push: mean and largest.
    static func staleness(_ gradients: JobReport.Gradients) -> String {
        "staleness \(String(format: "%.1f", gradients.meanStaleness)) (at most \(gradients.maxStaleness))"
    }

    /// "dropped 12 late, 3 stale"; nil if none was dropped.
    static func dropped(_ gradients: JobReport.Gradients) -> String? {
        let reasons = gradients.dropped.filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }
        guard !reasons.isEmpty else { return nil }
        return "dropped "
            + reasons.map { "\(ProgressLine.grouped($0.value)) \($0.key.rawValue)" }.joined(separator: ", ")
    }
}
