extension WorkerTally {
    func wire(worker: Int) -> WireWorkerTally {
        var wire = WireWorkerTally()
        wire.worker = Int32(clamping: worker)
        wire.applied = Int64(applied)
        wire.dropped = Dictionary(uniqueKeysWithValues: dropped.map { ($0.key.rawValue, Int64($0.value)) })
        wire.stalenessSum = Int64(stalenessSum)
        wire.stalenessMax = Int64(stalenessMax)
        wire.histogram = histogram.map { Int64($0) }
        return wire
    }

    /// - Parameter limit: what its counts may be: one worker's, or the sum of all workers'.
    /// - Throws: `NodeError` naming a count that cannot be.
    package init(_ wire: WireWorkerTally, _ limit: Limit = .tally) throws(NodeError) {
        applied = try limit.check(wire.applied, "WorkerTally.applied")
        for (name, number) in wire.dropped {
            let count = try limit.check(number, "WorkerTally.dropped")
            if let drop = UpdateRecord.Drop(rawValue: name) { dropped[drop] = count }
        }
        stalenessSum = try limit.check(wire.stalenessSum, "WorkerTally.staleness_sum")
        stalenessMax = try limit.check(wire.stalenessMax, "WorkerTally.staleness_max")
        for (i, number) in wire.histogram.enumerated() {
            let count = try limit.check(number, "WorkerTally.histogram")
            if histogram.indices.contains(i) { histogram[i] = count }
        }
    }

    /// What a server tells of all workers, by the worker's number. Of two of one worker the later counts.
    ///
    /// - Throws: `NodeError` naming a count that cannot be, by itself or with the others.
    static func all(_ wires: [WireWorkerTally]) throws(NodeError) -> [Int: WorkerTally] {
        var tallies: [Int: WorkerTally] = [:]
        for wire in wires {
            tallies[try Limit.node.check(wire.worker, "WorkerTally.worker")] = try WorkerTally(wire)
        }
        let sum = tallies.values.reduce(into: WorkerTally()) { $0 += $1 }
        for number in [sum.applied, sum.stalenessSum] + sum.dropped.values + sum.histogram {
            _ = try Limit.tallySum.check(number, "the sum of all WorkerTally")
        }
        return tallies
    }
}
