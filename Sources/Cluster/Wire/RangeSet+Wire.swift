extension RangeSet where Bound == Int {
    var wire: [WireIndexRange] {
        ranges.map { range in
            var wire = WireIndexRange()
            wire.first = Int64(range.lowerBound)
            wire.count = Int64(range.count)
            return wire
        }
    }
}
