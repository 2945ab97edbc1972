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

    /// Counts that cannot be are taken for the nearest that can.
    init(_ wire: WireWorkerTally) {
        func count(_ number: Int64) -> Int { Int(min(max(number, 0), 1 << 40)) }
        applied = count(wire.applied)
        for (name, number) in wire.dropped {
            if let drop = UpdateRecord.Drop(rawValue: name) { dropped[drop] = count(number) }
        }
        stalenessSum = count(wire.stalenessSum)
        stalenessMax = count(wire.stalenessMax)
        for (i, number) in wire.histogram.prefix(histogram.count).enumerated() { histogram[i] = count(number) }
    }
}
