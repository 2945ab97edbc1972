extension RangeSet where Bound == Int {
    var wire: [WireIndexRange] {
        ranges.map { range in
            var wire = WireIndexRange()
            wire.first = Int64(range.lowerBound)
            wire.count = Int64(range.count)
            return wire
        }
    }

    /// - Throws: `NodeError` for ranges that are none.
    init(_ wire: [WireIndexRange]) throws {
        self.init()
        for range in wire {
            guard range.first >= 0, range.count >= 0, range.first <= Int64.max / 2, range.count <= Int64.max / 2 else {
                throw NodeError(.refused, "a range from \(range.first) of \(range.count) is none")
            }
            insert(contentsOf: Int(range.first)..<Int(range.first + range.count))
        }
    }
}
