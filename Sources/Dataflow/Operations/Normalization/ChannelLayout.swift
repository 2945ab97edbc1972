/// A tensor as [outer, channels, inner], for what is computed channel by channel.
struct ChannelLayout: Sendable {
    let outer: Int
    let channels: Int
    let inner: Int

    /// - Parameter axis: which dimension the channels are.
    init(_ shape: [Int], axis: Int) {
        outer = shape[..<axis].reduce(1, *)
        channels = shape[axis]
        inner = shape[(axis + 1)...].reduce(1, *)
    }

    /// Elements of each channel.
    var perChannel: Int { outer * inner }

    private func parts(_ threads: Int) -> Int {
        min(usefulThreads(threads, work: outer * channels * inner), max(outer, 1))
    }

    /// Calls `body` for the rows (of the outer dimension) of each thread. `body` walks them itself: a closure called for every
    /// element through the threads' library would not be inlined.
    @inline(__always)
    func forEachPart(_ threads: Int, _ body: (Range<Int>) -> Void) {
        let parts = parts(threads)
        parallel(parts) { part in body(outer * part / parts..<outer * (part + 1) / parts) }
    }

    /// Calls `body` for every element of some rows with its offset and channel.
    @inline(__always)
    func walk(_ rows: Range<Int>, _ body: (_ offset: Int, _ channel: Int) -> Void) {
        for row in rows {
            let start = row * channels * inner
            if inner == 1 {
                for c in 0..<channels { body(start &+ c, c) }
            } else {
                for c in 0..<channels {
                    for i in 0..<inner { body(start &+ c &* inner &+ i, c) }
                }
            }
        }
    }

    /// Two sums for each channel, in float64 whatever the dtype.
    ///
    /// - Parameter add: adds what some rows have to the sums, which start at 0.
    @inline(__always)
    func sums(
        _ threads: Int,
        _ add: (_ rows: Range<Int>, _ first: UnsafeMutablePointer<Double>, _ second: UnsafeMutablePointer<Double>) ->
            Void
    ) -> (first: [Double], second: [Double]) {
        let parts = parts(threads)
        // Sums of different threads are two cache lines apart, so that none waits for another's.
        let step = 2 * channels + 16
        var partial = [Double](repeating: 0, count: step * parts)
        partial.withUnsafeMutableBufferPointer { buffer in
            let base = buffer.baseAddress!
            parallel(parts) { part in
                let first = base + step * part
                add(outer * part / parts..<outer * (part + 1) / parts, first, first + channels)
            }
        }
        let total = { (start: Int) in
            (0..<channels).map { c in (0..<parts).reduce(0.0) { $0 + partial[step * $1 + start + c] } }
        }
        return (total(0), total(channels))
    }
}
