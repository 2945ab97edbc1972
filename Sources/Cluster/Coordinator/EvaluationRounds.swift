/// Loss and metrics summed over examples; numbers are made of the sums only at the end, so that short batches count rightly.
package struct EvaluationSum: Equatable, Sendable {
    package var loss: Double
    /// Sums by name, as many as each metric needs.
    package var metrics: [String: [Double]]
    package var examples: Int

    package init(loss: Double = 0, metrics: [String: [Double]] = [:], examples: Int = 0) {
        self.loss = loss
        self.metrics = metrics
        self.examples = examples
    }

    /// NaN if there are no examples.
    package var meanLoss: Double { examples == 0 ? .nan : loss / Double(examples) }

    package static func += (total: inout EvaluationSum, part: EvaluationSum) {
        total.loss += part.loss
        total.metrics.add(part.metrics)
        total.examples += part.examples
    }
}

/// One pass over the held-out batches, divided among the workers.
package struct EvaluationRound: Sendable {
    package let number: Int
    /// The update that it evaluates.
    package let step: Int
    package let batches: Int

    private var free: RangeSet<Int>
    private var leased: [WorkerIdentity: Set<Range<Int>>] = [:]
    private var sums: [(range: Range<Int>, sum: EvaluationSum)] = []

    package init(number: Int, step: Int, batches: Int) {
        if batches < 0 { fatalError("an evaluation has \(batches) batches") }
        self.number = number
        self.step = step
        self.batches = batches
        self.free = RangeSet(0..<batches)
    }

    /// Up to `count` consecutive batches; nil if none is free.
    ///
    /// A lease ends at the next multiple of `count`. With the same `count` throughout, the ranges are the same
    /// whatever happens to workers, and so is the result to the last bit.
    package mutating func lease(to worker: Int, incarnation: UInt64, count: Int) -> Range<Int>? {
        if count < 1 { fatalError("a lease of \(count) held-out batches") }
        guard let next = free.ranges.first else { return nil }
        let first = next.lowerBound
        let range = first..<min(next.upperBound, (first / count + 1) * count)
        free.remove(contentsOf: range)
        leased[WorkerIdentity(worker: worker, incarnation: incarnation), default: []].insert(range)
        return range
    }

    /// What one incarnation holds, the lowest first.
    package func held(by worker: Int, incarnation: UInt64) -> [Range<Int>] {
        leased[WorkerIdentity(worker: worker, incarnation: incarnation), default: []]
            .sorted { $0.lowerBound < $1.lowerBound }
    }

    /// Takes the sums of a range as it was leased; false, and nothing changes, if this incarnation doesn't hold it.
    @discardableResult
    package mutating func complete(
        _ range: Range<Int>, sum: EvaluationSum, by worker: Int, incarnation: UInt64
    ) -> Bool {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        guard leased[holder]?.remove(range) != nil else { return false }
        let place = sums.firstIndex { $0.range.lowerBound > range.lowerBound } ?? sums.count
        sums.insert((range, sum), at: place)
        return true
    }

    /// Takes back what a worker held that died or left: of all its incarnations, or of one.
    package mutating func workerDied(_ worker: Int, incarnation: UInt64? = nil) {
        for (holder, ranges) in leased where holder.worker == worker {
            guard incarnation == nil || incarnation == holder.incarnation else { continue }
            for range in ranges { free.insert(contentsOf: range) }
            leased[holder] = nil
        }
    }

    /// All batches are evaluated.
    package var isComplete: Bool { free.isEmpty && leased.values.allSatisfy(\.isEmpty) }

    /// The sums so far, added in the order of batches, not of reports.
    package var result: EvaluationSum {
        var total = EvaluationSum()
        for (_, sum) in sums { total += sum }
        return total
    }
}
