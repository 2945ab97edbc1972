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
/// frequency tables", 1994) finds the class that a number below the total belongs to. It keeps only what has been learned.
final class LearnedClasses: ClassSource {
    let range: Int
    /// What the nodes of the tree, and the classes, have beyond 1 for each class.
    private var tree: [Int: Int] = [:]
    private var counts: [Int: Int] = [:]
    private var total: Int

    init(range: Int) {
        self.range = range
        total = range
    }

    func draw(_ numbers: inout PhiloxNumbers) -> Int {
        var rest = Int(numbers.below(UInt32(total)))
        var place = 0
        var step = 1 << (Int.bitWidth - 1 - range.leadingZeroBitCount)
        while step > 0 {
            let next = place + step
            // A node stands for as many classes as its lowest bit says.
            let weight = step + (tree[next] ?? 0)
            if next <= range, weight <= rest {
                rest -= weight
                place = next
            }
            step >>= 1
        }
        return min(place, range - 1)
    }

    func probability(_ index: Int) -> Float {
        index >= 0 && index < range ? Float(1 + (counts[index] ?? 0)) / Float(total) : 0
    }

    func learn(_ classes: UnsafeBufferPointer<Int64>) {
        for index in classes.prefix(Int(Int32.max) - total) where index >= 0 && index < Int64(range) {
            counts[Int(index), default: 0] += 1
            total += 1
            var place = Int(index) + 1
            while place <= range {
                tree[place, default: 0] += 1
                place += place & -place
            }
        }
    }
}

/// Classes of given weights, by the method of aliases (Walker, "An efficient method for generating discrete random variables
/// with general distributions", 1977) with the tables as TensorFlow makes them.
final class WeightedClasses: ClassSource {
    /// The most classes.
    private static let limit = 1 << 26
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
        guard reserved >= 0, reserved <= Self.limit, range <= Self.limit, shards >= 1, shard >= 0, shard < shards,
            file.isEmpty != unigrams.isEmpty
        else {
            throw GraphError(
                "it takes either 'vocab_file' or 'unigrams', 'num_reserved_ids' and 'range_max' of at most "
                    + "\(Self.limit) and 'shard' in [0, num_shards); got \(reserved), \(range), \(shard) and \(shards)")
        }
        self.attributes = attributes
        weights = []
        let given = file.isEmpty ? unigrams : try Self.read(file)
        // What is reserved on all shards before the words begin.
        for index in 0..<reserved where index % shards == shard { weights.append(0) }
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
