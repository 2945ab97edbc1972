/// `HistogramSummary`: a summary with the histogram of a tensor's elements, in TensorFlow's buckets. A NaN or an infinity
/// throws.
public enum HistogramSummary: StringOperation {
    public static let signature = Signature(
        ["tag": "string", "values": "T"], to: ["summary": "string"], types: ["T": DType.numbers + [.bfloat16]])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(0).isCompatible(with: []) else {
            throw GraphError("'tag' must be a scalar, got the shape \(node.shape(0))")
        }
        return [[]]
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let tag = try call.bytes(0, "'tag'")
        var histogram = SummaryHistogram()
        for value in call.inputs[1].knownDoubles {
            guard value.isFinite else {
                throw GraphError(
                    "\(value.isNaN ? "a NaN" : "an infinity") is among the values of the histogram "
                        + "'\(String(decoding: tag, as: UTF8.self))'")
            }
            histogram.add(value)
        }
        let value = SummaryBytes.message { message in
            message.add(1, bytes: tag)
            message.add(5, bytes: histogram.message, always: true)
        }
        return [call.text(SummaryBytes.summary([value]))]
    }
}

/// A histogram over buckets that grow by a tenth from 1e-12 on, both ways (tensorflow/core/lib/histogram).
struct SummaryHistogram {
    /// The upper end of each bucket.
    private static let limits: [Double] = {
        var (limits, limit): ([Double], Double) = ([], 1e-12)
        while limit < 1e20 {
            limits.append(limit)
            limit *= 1.1
        }
        limits.append(.greatestFiniteMagnitude)
        return limits.reversed().map { -$0 } + [0] + limits
    }()

    private var (least, most) = (Double.greatestFiniteMagnitude, -Double.greatestFiniteMagnitude)
    private var (count, sum, squares) = (0.0, 0.0, 0.0)
    private var buckets = [Double](repeating: 0, count: limits.count)

    mutating func add(_ value: Double) {
        // The first limit above the value.
        var (low, high) = (0, Self.limits.count)
        while low < high {
            let middle = (low + high) / 2
            if value < Self.limits[middle] { high = middle } else { low = middle + 1 }
        }
        buckets[min(low, buckets.count - 1)] += 1
        (least, most) = (min(least, value), max(most, value))
        count += 1
        sum += value
        squares += value * value
    }

    /// A `HistogramProto`, with runs of empty buckets as one.
    var message: [UInt8] {
        var (ends, counts): ([Double], [Double]) = ([], [])
        var i = 0
        while i < buckets.count {
            counts.append(buckets[i])
            if buckets[i] <= 0 { while i + 1 < buckets.count, buckets[i + 1] <= 0 { i += 1 } }
            ends.append(Self.limits[i])
            i += 1
        }
        return SummaryBytes.message { message in
            for (field, value) in [least, most, count, sum, squares].enumerated() {
                message.add(field + 1, double: value)
            }
            message.add(6, doubles: ends)
            message.add(7, doubles: counts)
        }
    }
}
