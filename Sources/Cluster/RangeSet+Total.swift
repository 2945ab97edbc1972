extension RangeSet where Bound == Int {
    /// How many numbers are in the ranges.
    package var total: Int { ranges.reduce(0) { $0 + $1.count } }
}
