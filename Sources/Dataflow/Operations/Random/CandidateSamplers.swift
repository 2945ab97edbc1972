#if canImport(Glibc)
    import Glibc
#endif

private let samplerDefaults: [String: AttributeValue] = ["seed": .int(0), "seed2": .int(0)]
private let rangeSignature = Signature(
    ["true_classes": "int64"],
    to: ["sampled_candidates": "int64", "true_expected_count": "float32", "sampled_expected_count": "float32"],
    defaults: samplerDefaults, required: ["num_true", "num_sampled", "unique", "range_max"])

/// `UniformCandidateSampler`: `num_sampled` classes below `range_max`, each as likely; and how often each of them, and each of
/// the true classes, is expected among them.
public enum UniformCandidateSampler: CandidateSampler {
    public static let signature = rangeSignature
    static func source(_ binding: KernelBinding) throws -> any ClassSource {
        UniformClasses(range: try range(binding.attributes))
    }
}

/// `LogUniformCandidateSampler`: as `UniformCandidateSampler`, class k with the probability log((k + 2) / (k + 1)) /
/// log(range_max + 1), which Zipf's law gives words sorted by how frequent they are.
public enum LogUniformCandidateSampler: CandidateSampler {
    public static let signature = rangeSignature
    static func source(_ binding: KernelBinding) throws -> any ClassSource {
        LogUniformClasses(range: try range(binding.attributes))
    }
}

/// `LearnedUnigramCandidateSampler`: as `UniformCandidateSampler`, each class as likely as it was frequent among the true ones
/// of this session's runs before, counted from 1.
public enum LearnedUnigramCandidateSampler: CandidateSampler {
    public static let signature = rangeSignature
    static func source(_ binding: KernelBinding) throws -> any ClassSource { try learnedClasses(binding) }
}

/// `ThreadUnsafeUnigramCandidateSampler`: as `LearnedUnigramCandidateSampler`.
public enum ThreadUnsafeUnigramCandidateSampler: CandidateSampler {
    public static let signature = rangeSignature
    static func source(_ binding: KernelBinding) throws -> any ClassSource { try learnedClasses(binding) }
}

/// `FixedUnigramCandidateSampler`: as `UniformCandidateSampler`, with the weights that `unigrams` or the last fields of the
/// lines of `vocab_file` give, to the power of `distortion`; the first `num_reserved_ids` classes are never drawn.
public enum FixedUnigramCandidateSampler: CandidateSampler {
    public static let signature = Signature(
        ["true_classes": "int64"],
        to: ["sampled_candidates": "int64", "true_expected_count": "float32", "sampled_expected_count": "float32"],
        defaults: samplerDefaults.merging([
            "vocab_file": .string(""), "distortion": .float(1), "num_reserved_ids": .int(0), "num_shards": .int(1),
            "shard": .int(0), "unigrams": .floats([]),
        ]) { $1 }, required: ["num_true", "num_sampled", "unique", "range_max"])
    static func source(_ binding: KernelBinding) throws -> any ClassSource {
        let (random, name) = (binding.random, binding.name)
        if let known = random.learned[name] as? WeightedClasses, known.attributes == binding.attributes { return known }
        let classes = try WeightedClasses(binding.attributes, range: try range(binding.attributes))
        let wanted = try binding.attributes.int("num_sampled")
        guard try !binding.attributes.bool("unique") || classes.possible >= wanted else {
            throw GraphError("\(wanted) different classes are to be drawn, but only \(classes.possible) have a weight")
        }
        random.learned[name] = classes
        return classes
    }
}

/// `AllCandidateSampler`: every class once.
public enum AllCandidateSampler: CandidateSampler {
    public static let signature = Signature(
        ["true_classes": "int64"],
        to: ["sampled_candidates": "int64", "true_expected_count": "float32", "sampled_expected_count": "float32"],
        defaults: samplerDefaults, required: ["num_true", "num_sampled", "unique"])
    static func source(_ binding: KernelBinding) throws -> any ClassSource {
        UniformClasses(range: try binding.attributes.int("num_sampled"))
    }
}

/// Draws classes.
protocol ClassSource: AnyObject {
    func draw(_ numbers: inout PhiloxNumbers) -> Int
    func probability(_ index: Int) -> Float
    /// Learns from the true classes of a run, if it does.
    func learn(_ classes: UnsafeBufferPointer<Int64>)
}

extension ClassSource {
    func learn(_ classes: UnsafeBufferPointer<Int64>) {}
}

/// An operation that draws classes to compare the true ones with, bit for bit TensorFlow's for the same `seed` and `seed2`.
protocol CandidateSampler: Operation {
    static func source(_ binding: KernelBinding) throws -> any ClassSource
}

extension CandidateSampler {
    public static var hostReason: String? { HostReason.sampling }
    public static var isStateful: Bool { true }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }

    static func range(_ attributes: Attributes) throws -> Int {
        let range = try attributes.int("range_max")
        guard range >= 1 else { throw GraphError("'range_max' must be at least 1, got \(range)") }
        return range
    }

    /// [batch, num_true] → [num_sampled], [batch, num_true], [num_sampled].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = try node.attributes.int("num_sampled")
        let true_ = try node.attributes.int("num_true")
        let isUnique = try node.attributes.bool("unique")
        let classes = try node.shape(0, rank: 2, "'true_classes'")
        guard count >= 1, true_ >= 1, classes[1] ?? true_ == true_ else {
            throw GraphError(
                "'num_sampled' and 'num_true' must be at least 1, and 'true_classes' have 'num_true' columns; got "
                    + "\(count), \(true_) and \(classes)")
        }
        if Self.self != AllCandidateSampler.self {
            let range = try range(node.attributes)
            guard !isUnique || count <= range else {
                throw GraphError("\(count) different classes cannot be drawn of \(range)")
            }
        }
        return [[count], [classes[0], true_], [count]]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let source = try source(binding)
        let count = binding.outputCount()
        let isUnique = try binding.attributes.bool("unique")
        let next = try binding.generator(groups: UInt64(count) &* 512)
        let (input, trueCount) = (binding.input(0), binding.count(0))
        let (sampled, trueExpected, expected) = (binding.output(0), binding.output(1), binding.output(2))
        let isAll = Self.self == AllCandidateSampler.self
        return { memory in
            let result = memory.pointer(sampled, Int64.self)
            let classes = UnsafeBufferPointer(start: memory.pointer(input, Int64.self), count: trueCount)
            if isAll {
                for i in 0..<count { result[i] = Int64(i) }
                memory.pointer(expected, Float.self).update(repeating: 1, count: count)
                memory.pointer(trueExpected, Float.self).update(repeating: 1, count: trueCount)
                return
            }
            var numbers = PhiloxNumbers(next())
            var tries = 0
            if isUnique {
                var used: Set<Int> = []
                while used.count < count {
                    tries += 1
                    guard tries < Int(Int32.max) else {
                        throw GraphError("\(count) different classes were not found in \(tries) tries")
                    }
                    let drawn = source.draw(&numbers)
                    if used.insert(drawn).inserted { result[used.count - 1] = Int64(drawn) }
                }
            } else {
                for i in 0..<count { result[i] = Int64(source.draw(&numbers)) }
                tries = count
            }
            func expectation(_ index: Int64) -> Float {
                let p = source.probability(Int(index))
                return tries == count ? p * Float(count) : -expm1f(Float(tries) * log1pf(-p))
            }
            for i in 0..<count { memory.pointer(expected, Float.self)[i] = expectation(result[i]) }
            for i in 0..<trueCount { memory.pointer(trueExpected, Float.self)[i] = expectation(classes[i]) }
            source.learn(classes)
        }
    }
}

/// The counts that this session has learned for an operation.
private func learnedClasses(_ binding: KernelBinding) throws -> LearnedClasses {
    let range = try UniformCandidateSampler.range(binding.attributes)
    if let known = binding.random.learned[binding.name] as? LearnedClasses, known.range == range { return known }
    guard range < Int(Int32.max) else { throw GraphError("'range_max' must be below 2^31 - 1, got \(range)") }
    let made = LearnedClasses(range: range)
    binding.random.learned[binding.name] = made
    return made
}

/// `ComputeAccidentalHits`: which of the sampled candidates are true classes: for each such pair the row of the batch, the
/// place among the candidates, and the weight −(the largest float32) that drives the candidate's probability to 0.
public enum ComputeAccidentalHits: WholeTensorOperation {
    public static let signature = Signature(
        ["true_classes": "int64", "sampled_candidates": "int64"],
        to: ["indices": "int32", "ids": "int64", "weights": "float32"], defaults: samplerDefaults,
        required: ["num_true"])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(0, rank: 2, "'true_classes'")
        _ = try node.shape(1, rank: 1, "'sampled_candidates'")
        return [[nil], [nil], [nil]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let width = try call.attributes.int("num_true")
        guard call.inputs[0].shape.rank == 2, call.inputs[0].shape[1] == width, width >= 1 else {
            throw GraphError("'true_classes' must have 'num_true' = \(width) columns, got \(call.inputs[0].shape)")
        }
        let candidates = try call.vector(1, "sampled_candidates")
        let places = Dictionary(zip(candidates, 0...), uniquingKeysWith: { $1 })
        var (rows, ids): ([Int32], [Int64]) = ([], [])
        for (i, index) in call.inputs[0].knownIntegers.enumerated() {
            guard let place = places[index] else { continue }
            rows.append(Int32(truncatingIfNeeded: i / width))
            ids.append(Int64(place))
        }
        let weight = -Float.greatestFiniteMagnitude
        return [Tensor(rows), Tensor(ids), Tensor(repeating: weight, sized: [rows.count])]
    }
}
