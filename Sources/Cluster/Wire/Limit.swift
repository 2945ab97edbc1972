/// What a number of a message or a file may be.
///
/// Every number that comes from outside is checked here, once, where it is read. Sums and products of checked numbers stay
/// far from where an `Int` overflows, so that what computes with them need not look again.
package struct Limit: Sendable {
    package let range: ClosedRange<Int>

    init(_ range: ClosedRange<Int>) { self.range = range }

    /// A step, an update, a batch of a job.
    package static let step = Limit(0...(1 << 53) - 1)
    /// The end of a range of steps, or of positions in a job's order of examples.
    package static let end = Limit(0...1 << 53)
    /// The label of a checkpoint.
    package static let label = Limit(0...(1 << 52) - 1)
    /// A count that a job adds up over its life, such as examples.
    package static let count = Limit(0...1 << 53)
    /// Examples of one message: no data set has more.
    package static let examples = Limit(0...Int(Int32.max))
    /// Examples of one batch: the configuration allows no more.
    package static let batch = Limit(1...1_000_000_000)
    /// An epoch; times the examples of a data set it is far from overflowing.
    package static let epoch = Limit(0...1 << 30)
    /// A node's number, a rank, a number of workers.
    package static let node = Limit(0...(1 << 16) - 1)
    /// A process's number; 0 where it is not told.
    package static let process = Limit(0...Int(Int32.max))
    /// A count of one worker's gradients; so many of so many workers can be added up.
    package static let tally = Limit(0...1 << 46)
    /// The same of all workers on one server; so many of so many servers can be added up.
    package static let tallySum = Limit(0...1 << 48)
    /// The sum over all servers.
    package static let total = Limit(0...1 << 62)
    /// Bytes of a file.
    package static let file = Limit(0...1 << 52)
    /// Bytes of what is fetched in pieces; no message of protocol buffers is longer.
    package static let fetched = Limit(0...Int(Int32.max))
    /// Bytes of a shard's message, and elements of a Variable.
    package static let shard = Limit(0...1 << 40)
    /// A shard's number.
    package static let shardNumber = Limit(0...Int(Int32.max))

    /// The number, if it can be.
    ///
    /// - Parameters:
    ///   - field: its name, for the error: "Heartbeat.step".
    ///   - kind: of the error: `.badData` for files.
    /// - Throws: `NodeError` naming the field, the number and what it may be.
    package func check(
        _ number: some BinaryInteger, _ field: @autoclosure () -> String, _ kind: NodeError.Kind = .refused
    ) throws(NodeError) -> Int {
        guard let whole = Int(exactly: number), range.contains(whole) else {
            throw NodeError(
                kind, "\(field()) is \(number), which cannot be: \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }
}

extension RangeSet where Bound == Int {
    /// Reads ranges of steps, or of positions in a job's order of examples, which ascend.
    ///
    /// - Parameter field: their name, for the error.
    /// - Throws: `NodeError` for ranges that cannot be.
    package init(_ wire: [WireIndexRange], _ field: String) throws(NodeError) {
        self.init()
        var last = 0
        for range in wire {
            let first = try Limit.step.check(range.first, "\(field).first")
            let count = try Limit.count.check(range.count, "\(field).count")
            let end = try Limit.end.check(first + count, "\(field).first + count")
            guard first >= last else {
                throw NodeError(
                    .refused, "\(field) has a range from \(first) on after one up to \(last); they must ascend")
            }
            insert(contentsOf: first..<end)
            last = end
        }
    }
}
