extension LeasedWork {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ lease: WireLease) throws(NodeError) {
        let ranges = try RangeSet(lease.ranges, "Lease.ranges").ranges
        let examples = try RangeSet(lease.examples, "Lease.examples")
        if lease.hasEvaluation {
            let first = try Limit.step.check(lease.evaluation.first, "EvaluationLease.first")
            let count = try Limit.examples.check(lease.evaluation.count, "EvaluationLease.count")
            self = .evaluation(
                round: try Limit.step.check(lease.evaluation.round, "EvaluationLease.round"), first..<first + count)
        } else if let first = ranges.first?.lowerBound, !examples.isEmpty {
            self = .additional(step: first, examples)
        } else {
            self = ranges.isEmpty ? .nothing : .batches(Array(ranges))
        }
    }

    package var wire: WireLease {
        var wire = WireLease()
        switch self {
        case .nothing: break
        case .batches(let ranges): wire.ranges = RangeSet(ranges).wire
        case .additional(let step, let examples):
            wire.ranges = RangeSet(step..<step + 1).wire
            wire.examples = examples.wire
        case .evaluation(let round, let batches):
            wire.evaluation.round = Int64(round)
            wire.evaluation.first = Int64(batches.lowerBound)
            wire.evaluation.count = Int64(batches.count)
        }
        return wire
    }
}

extension StepReport {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireStepResult) throws(NodeError) {
        self.init(batch: try Limit.step.check(wire.batch, "StepResult.batch"), view: wire.view)
        examples = try Limit.examples.check(wire.examples, "StepResult.examples")
        loss = wire.loss
        metrics = wire.metrics.sums
        absent = try AbsentPart.all(wire.absent)
    }

    package var wire: WireStepResult {
        var wire = WireStepResult()
        wire.batch = Int64(batch)
        wire.examples = Int64(examples)
        wire.loss = loss
        wire.metrics = .init(metrics)
        wire.view = view
        wire.absent = absent.map(\.wire)
        return wire
    }
}

extension EvaluationReport {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireEvaluationSum) throws(NodeError) {
        let first = try Limit.step.check(wire.first, "EvaluationSum.first")
        let count = try Limit.examples.check(wire.countBatches, "EvaluationSum.count_batches")
        self.init(
            round: try Limit.step.check(wire.round, "EvaluationSum.round"), batches: first..<first + count,
            sum: EvaluationSum(
                loss: wire.loss, metrics: wire.metrics.sums,
                examples: try Limit.examples.check(wire.examples, "EvaluationSum.examples")))
    }

    package var wire: WireEvaluationSum {
        var wire = WireEvaluationSum()
        wire.round = Int64(round)
        wire.first = Int64(batches.lowerBound)
        wire.countBatches = Int64(batches.count)
        wire.loss = sum.loss
        wire.metrics = .init(sum.metrics)
        wire.examples = Int64(sum.examples)
        return wire
    }
}

extension [WireMetricSum] {
    fileprivate init(_ sums: [String: [Double]]) {
        self = sums.sorted { $0.key < $1.key }.map { name, sums in
            var wire = WireMetricSum()
            wire.name = name
            wire.sums = sums
            return wire
        }
    }

    fileprivate var sums: [String: [Double]] { Dictionary(map { ($0.name, $0.sums) }, uniquingKeysWith: { $1 }) }
}

extension NotFiniteReport {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireNotFinite) throws(NodeError) {
        self.init(
            worker: WorkerIdentity(
                worker: try Limit.node.check(wire.worker, "NotFinite.worker"), incarnation: wire.incarnation),
            step: try Limit.step.check(wire.step, "NotFinite.step"))
        (loss, gradient, gradientValue) = (wire.loss, wire.gradient, wire.gradientValue)
        (variable, variableValue, isEvaluation) = (wire.variable, wire.variableValue, wire.evaluating)
    }

    var wire: WireNotFinite {
        var wire = WireNotFinite()
        wire.worker = Int32(clamping: worker.worker)
        wire.incarnation = worker.incarnation
        wire.step = Int64(step)
        (wire.loss, wire.gradient, wire.gradientValue) = (loss, gradient, gradientValue)
        (wire.variable, wire.variableValue, wire.evaluating) = (variable, variableValue, isEvaluation)
        return wire
    }
}
