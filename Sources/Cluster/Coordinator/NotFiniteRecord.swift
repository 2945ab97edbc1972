/// What workers reported of losses, gradients and values that are not finite, and what comes of it.
struct NotFiniteRecord: Sendable {
    enum Verdict: Equatable, Sendable {
        /// The job ends for this reason.
        case fail(String)
        case report(String)
        case nothing
    }

    private let onNaN: JobConfig.Train.OnNaN
    /// Steps whose update was left out.
    private(set) var skipped: Set<Int> = []
    private var hasReported = false
    /// Workers that have reported held-out examples.
    private var evaluations: Set<UInt64> = []
    /// The first steps are reported one by one, later ones by their number.
    private static let reportedOneByOne = 5
    private var nextReported = NotFiniteRecord.reportedOneByOne * 2

    init(_ onNaN: JobConfig.Train.OnNaN) { self.onNaN = onNaN }

    /// Takes a worker's report.
    mutating func note(_ report: NotFiniteReport) -> Verdict {
        let step = report.step
        let moment = report.isEvaluation ? "after step \(step)" : "at step \(step)"
        var found: [String] = []
        if !report.loss.isEmpty {
            found.append("the loss\(report.isEvaluation ? " of held-out examples" : "") is \(report.loss)")
        }
        if !report.gradient.isEmpty {
            found.append("the gradient of '\(report.gradient)' holds \(report.gradientValue)")
        }
        if !report.variable.isEmpty { found.append("the values of '\(report.variable)' hold \(report.variableValue)") }
        let what = "\(moment) on worker \(report.worker.worker): \(found.joined(separator: ", "))"
        if onNaN == .ignore {
            defer { hasReported = true }
            return hasReported
                ? .nothing : .report("training has diverged \(what); it goes on, for train.on_nan is ignore")
        }
        // Of examples that are not trained on, values that are finite may still learn.
        if report.isEvaluation, report.variable.isEmpty {
            guard evaluations.insert(report.worker.incarnation).inserted else { return .nothing }
            return .report("\(what), though all values are finite: look at the held-out examples")
        }
        if onNaN == .skip, report.variable.isEmpty {
            guard skipped.insert(step).inserted else { return .nothing }
            if skipped.count <= NotFiniteRecord.reportedOneByOne {
                return .report("not finite \(what); the step is skipped")
            }
            guard skipped.count == nextReported else { return .nothing }
            nextReported *= 2
            return .report("\(skipped.count) steps were skipped so far, the last \(what)")
        }
        return .fail(reason(what))
    }

    /// Why a job ends whose training has diverged.
    func reason(_ what: String) -> String {
        let advice =
            onNaN == .skip
            ? "skipping steps does not mend it; lower train.learning_rate or set train.clip_norm"
            : "lower train.learning_rate, set train.clip_norm, or look at the examples (train.on_nan: skip leaves out such steps)"
        return "training has diverged \(what); \(advice)"
    }
}
