/// What workers told of losses, gradients and values that are not finite, and what comes of it.
struct NotFiniteRecord: Sendable {
    enum Verdict: Equatable, Sendable {
        /// The job ends for this reason.
        case fail(String)
        case tell(String)
        case nothing
    }

    private let onNaN: JobConfig.Train.OnNaN
    /// Steps whose update was left out.
    private(set) var skipped: Set<Int> = []
    private var hasTold = false
    /// Workers that have told of held-out examples.
    private var evaluations: Set<UInt64> = []
    /// The first steps are told one by one, later ones by their number.
    private static let toldOneByOne = 5
    private var nextTold = NotFiniteRecord.toldOneByOne * 2

    init(_ onNaN: JobConfig.Train.OnNaN) { self.onNaN = onNaN }

    /// A worker tells.
    ///
    /// - Throws: `NodeError` naming a number that cannot be.
    mutating func note(_ wire: WireNotFinite) throws(NodeError) -> Verdict {
        let step = try Limit.step.check(wire.step, "NotFinite.step")
        let worker = try Limit.node.check(wire.worker, "NotFinite.worker")
        let moment = wire.evaluating ? "after step \(step)" : "at step \(step)"
        var found: [String] = []
        if !wire.loss.isEmpty {
            found.append("the loss\(wire.evaluating ? " of held-out examples" : "") is \(wire.loss)")
        }
        if !wire.gradient.isEmpty { found.append("the gradient of '\(wire.gradient)' holds \(wire.gradientValue)") }
        if !wire.variable.isEmpty { found.append("the values of '\(wire.variable)' hold \(wire.variableValue)") }
        let what = "\(moment) on worker \(worker): \(found.joined(separator: ", "))"
        if onNaN == .ignore {
            defer { hasTold = true }
            return hasTold ? .nothing : .tell("training has diverged \(what); it goes on, for train.on_nan is ignore")
        }
        // Of examples that are not trained on, values that are finite may still learn.
        if wire.evaluating, wire.variable.isEmpty {
            guard evaluations.insert(wire.incarnation).inserted else { return .nothing }
            return .tell("\(what), though all values are finite: look at the held-out examples")
        }
        if onNaN == .skip, wire.variable.isEmpty {
            guard skipped.insert(step).inserted else { return .nothing }
            if skipped.count <= NotFiniteRecord.toldOneByOne { return .tell("not finite \(what); the step is skipped") }
            guard skipped.count == nextTold else { return .nothing }
            nextTold *= 2
            return .tell("\(skipped.count) steps were skipped so far, the last \(what)")
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
