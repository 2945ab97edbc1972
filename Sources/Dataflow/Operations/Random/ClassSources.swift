#if canImport(Glibc)
    import Glibc
#endif

/// Classes that are all as likely.
final class UniformClasses: ClassSource {
    private let range: Int
    init(range: Int) { self.range = range }
    func draw(_ numbers: inout PhiloxNumbers) -> Int { Int(numbers.below(wide: UInt64(range))) }
    func probability(_ index: Int) -> Float { 1 / Float(range) }
}

/// Class k with the probability log((k + 2) / (k + 1)) / log(range + 1).
final class LogUniformClasses: ClassSource {
    private let range: Int
    private let logarithm: Double

    init(range: Int) {
        self.range = range
        logarithm = log1p(Double(range))
    }

    func draw(_ numbers: inout PhiloxNumbers) -> Int {
        // Rounding may lead beyond the range.
        let drawn = exp(numbers.double() * logarithm)
        return (Int(exactly: drawn.rounded(.towardZero)).map { $0 - 1 } ?? 0) % range
    }

    func probability(_ index: Int) -> Float {
        Float(log((Double(index) + 2) / (Double(index) + 1)) / logarithm)
    }
}

/// Classes as likely as they were frequent, counted from 1; a Fenwick tree (Fenwick, "A new data structure for cumulative
/// frequency tables", 1994) finds the class that a number below the total belongs to.
final class LearnedClasses: ClassSource {
    let range: Int
    private var tree: [Int32]
    private var weights: [Int32]
    private var total: Int

    init(range: Int) {
        self.range = range
        total = range
        weights = [Int32](repeating: 1, count: range)
        tree = (0...range).map { Int32(truncatingIfNeeded: $0 & -$0) }
    }

    func draw(_ numbers: inout PhiloxNumbers) -> Int {
        var rest = Int32(bitPattern: numbers.below(UInt32(total)))
        var place = 0
        var step = 1 << (Int.bitWidth - 1 - range.leadingZeroBitCount)
        while step > 0 {
            let next = place + step
            if next <= range, tree[next] <= rest {
                rest -= tree[next]
                place = next
            }
            step >>= 1
        }
        return min(place, range - 1)
    }

    func probability(_ index: Int) -> Float {
        weights.indices.contains(index) ? Float(weights[index]) / Float(total) : 0
    }

    func learn(_ classes: UnsafeBufferPointer<Int64>) {
        for index in classes.prefix(Int(Int32.max) - total) where index >= 0 && index < Int64(range) {
            weights[Int(index)] += 1
            total += 1
            var place = Int(index) + 1
            while place <= range {
                tree[place] += 1
                place += place & -place
            }
        }
    }
}

/// Classes of given weights, by the method of aliases (Walker, "An efficient method for generating discrete random variables
/// with general distributions", 1977) with the tables as TensorFlow makes them.
final class WeightedClasses: ClassSource {
    /// What it was made from.
    let attributes: Attributes
    private var weights: [Float]
    private var total: Float = 0
    private var shares: [Float] = []
    private var aliases: [Int] = []

    /// How many classes can be drawn.
    var possible: Int { weights.count { $0 > 0 } }

    init(_ attributes: Attributes, range: Int) throws {
        let (reserved, shards) = (try attributes.int("num_reserved_ids"), try attributes.int("num_shards"))
        let (shard, distortion) = (try attributes.int("shard"), try attributes.float("distortion"))
        let (file, unigrams) = (try attributes.string("vocab_file"), try attributes.floats("unigrams"))
        guard reserved >= 0, reserved <= range || shards > 1, shards >= 1, shard >= 0, shard < shards,
            file.isEmpty != unigrams.isEmpty
        else {
            throw GraphError(
                "it takes either 'vocab_file' or 'unigrams', 'num_reserved_ids' in [0, \(range)] and 'shard' in [0, "
                    + "num_shards); got \(reserved), \(shard) and \(shards)")
        }
        self.attributes = attributes
        weights = []
        let given = file.isEmpty ? unigrams : try Self.read(file)
        // What is reserved on all shards before the words begin.
        for index in 0..<min(reserved, range * shards) where index % shards == shard { weights.append(0) }
        let first = weights.count
        for (i, weight) in given.enumerated() where (first + i) % shards == shard {
            let distorted = powf(weight, distortion)
            total += distorted
            weights.append(distorted)
        }
        guard weights.count == range, total > 0, total.isFinite, weights.allSatisfy({ $0 >= 0 }) else {
            throw GraphError(
                "the weights must be \(range) numbers of at least 0 that are not all 0, as 'range_max' says; got "
                    + "\(weights.count)")
        }
        makeTables()
    }

    private static func read(_ path: String) throws -> [Float] {
        try TextLines.read(path).enumerated().map { i, line in
            let field = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).last ?? []
            let text = field.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
            guard let weight = Float(String(decoding: text, as: UTF8.self)) else {
                throw GraphError("line \(i + 1) of \(path) has no number in its last field")
            }
            return weight
        }
    }

    private func makeTables() {
        let n = weights.count
        let sum = weights.reduce(0.0) { $0 + Double($1) }
        var portions = weights.map { Double($0 * Float(n)) / sum }
        aliases = [Int](repeating: -1, count: n)
        var (high, low): ([Int], [Int]) = ([], [])
        for i in 0..<n { if portions[i] < 1 { low.append(i) } else { high.append(i) } }
        while let l = low.last, let h = high.last {
            low.removeLast()
            high.removeLast()
            aliases[l] = h
            portions[h] -= 1 - portions[l]
            if portions[h] < 1 { low.append(h) } else { high.append(h) }
        }
        shares = portions.map { Float($0) }
        for i in high + low { (shares[i], aliases[i]) = (1, i) }
    }

    func draw(_ numbers: inout PhiloxNumbers) -> Int {
        let share = numbers.float()
        let place = Int(numbers.below(UInt32(weights.count)))
        return share < shares[place] ? place : aliases[place]
    }

    func probability(_ index: Int) -> Float { weights.indices.contains(index) ? weights[index] / total : 0 }
}
