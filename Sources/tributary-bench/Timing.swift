/// How long repeated steps take.
struct Timing {
    let steps: Int
    let elapsed: Double
    let median: Double

    /// Calls `step` with 0, 1, …: `warmup` times unmeasured, then for about `seconds`.
    init(warmup: Int, seconds: Double, _ step: (Int) throws -> Void) rethrows {
        for i in 0..<warmup { try step(i) }
        let clock = ContinuousClock()
        let begin = clock.now
        var last = begin
        var times: [Duration] = []
        while last - begin < .seconds(seconds) {
            try step(times.count)
            let now = clock.now
            times.append(now - last)
            last = now
        }
        steps = times.count
        elapsed = (last - begin).seconds
        times.sort()
        median = times[times.count / 2].seconds
    }

    /// The figures of training steps of `batch` examples each.
    func rates(batch: Int) -> [(String, JSONLine.Value)] {
        [
            ("steps", .integer(steps)), ("elapsed_s", .number(elapsed)),
            ("steps_per_s", .number(Double(steps) / elapsed)),
            ("samples_per_s", .number(Double(steps * batch) / elapsed)), ("median_step_ms", .number(median * 1e3)),
        ]
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
