/// An operation that fills a shape with random numbers, bit for bit TensorFlow's for the same `seed` and `seed2`.
///
/// Run number n of an operation starts where TensorFlow's would: 256 groups of four words are set aside for each number.
protocol RandomOperation: Operation {
    /// Writes a group of `4 / Scalar.words` numbers.
    static func group<Scalar: RandomScalar>(_ generator: Philox, _ target: UnsafeMutablePointer<Scalar>)
    /// How many groups of four words lie between the groups of numbers.
    static func stride<Scalar: RandomScalar>(_ type: Scalar.Type) -> Int
}

/// What the random operations' signatures have in common.
let randomSignature = Signature(
    ["shape": "T"], to: ["output": "dtype"], types: ["T": DType.indices, "dtype": DType.floats],
    defaults: ["seed": .int(0), "seed2": .int(0)])

extension RandomOperation {
    public static var isStateful: Bool { true }

    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try randomShape(node)] }

    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }

    public static func stride<Scalar: RandomScalar>(_ type: Scalar.Type) -> Int { 1 }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        switch binding.outputs[0].dtype {
        case .float32: try make(Float.self, binding)
        default: try make(Double.self, binding)
        }
    }

    private static func make<Scalar: RandomScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (output, count) = (binding.output(), binding.outputCount())
        let next = try binding.generator(groups: UInt64(count) &* 256)
        let size = 4 / Scalar.words
        let groups = (count + size - 1) / size
        let step = UInt64(stride(type))
        let threads = min(usefulThreads(binding.threads, work: count * 16), max(groups, 1))
        return { memory in
            let target = memory.pointer(output, Scalar.self)
            let first = next()
            parallel(threads) { part in
                withUnsafeTemporaryAllocation(of: Scalar.self, capacity: size) { rest in
                    for index in groups * part / threads..<groups * (part + 1) / threads {
                        var generator = first
                        generator.skip(UInt64(index) &* step)
                        if (index + 1) * size <= count {
                            group(generator, target + index * size)
                        } else {
                            group(generator, rest.baseAddress!)
                            for i in index * size..<count { target[i] = rest[i - index * size] }
                        }
                    }
                }
            }
        }
    }
}

/// The shape that input 0 of a random operation holds.
func randomShape(_ node: ShapeContext) throws -> Shape {
    let shape = try node.shape(0, rank: 1, "'shape'")
    guard let extents = node.integers(0) else { return shape[0].map { .unknown(rank: $0) } ?? .unknown }
    guard extents.allSatisfy({ $0 >= 0 }) else { throw GraphError("dimensions are at least 0, got \(extents)") }
    return Shape(extents)
}

extension KernelBinding {
    /// Yields the generator of each next run of an operation with the attributes `seed` and `seed2`. A run sets aside
    /// `groups` groups of four words.
    func generator(groups: UInt64) throws -> () -> Philox {
        let seed = UInt64(bitPattern: Int64(try attributes.int("seed")))
        let seed2 = UInt64(bitPattern: Int64(try attributes.int("seed2")))
        let (name, random) = (name, random)
        return {
            var generator = Philox(seed: seed, seed2: seed2 ^ (random.rank &* 0x9E37_79B9_7F4A_7C15))
            generator.skip(random.next(name) &* groups)
            return generator
        }
    }
}

/// `RandomUniform`: numbers from [0, 1).
public enum RandomUniform: RandomOperation {
    public static let signature = randomSignature

    @inline(__always)
    static func group<Scalar: RandomScalar>(_ generator: Philox, _ target: UnsafeMutablePointer<Scalar>) {
        var generator = generator
        let words = generator.next()
        for i in 0..<4 / Scalar.words {
            target[i] = Scalar.uniform(words[i * Scalar.words], words[i * Scalar.words + Scalar.words - 1])
        }
    }
}

/// `RandomStandardNormal`: normal numbers of mean 0 and standard deviation 1.
public enum RandomStandardNormal: RandomOperation {
    public static let signature = randomSignature

    @inline(__always)
    static func group<Scalar: RandomScalar>(_ generator: Philox, _ target: UnsafeMutablePointer<Scalar>) {
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 4) { uniform in
            let uniforms = uniform.baseAddress!
            RandomUniform.group(generator, uniforms)
            for i in Swift.stride(from: 0, to: 4 / Scalar.words, by: 2) {
                (target[i], target[i + 1]) = Scalar.normals(uniforms[i], uniforms[i + 1])
            }
        }
    }
}

/// `TruncatedNormal`: normal numbers of mean 0 and standard deviation 1, those beyond ±2 drawn again.
public enum TruncatedNormal: RandomOperation {
    public static let signature = randomSignature

    static func stride<Scalar: RandomScalar>(_ type: Scalar.Type) -> Int { 256 / Scalar.words }

    @inline(__always)
    static func group<Scalar: RandomScalar>(_ generator: Philox, _ target: UnsafeMutablePointer<Scalar>) {
        var words = PhiloxWords(generator)
        var filled = 0
        let size = 4 / Scalar.words
        while true {
            let first = next(&words, Scalar.self)
            let second = next(&words, Scalar.self)
            let pair = Scalar.normals(first, second)
            for value in [pair.0, pair.1] where Swift.abs(value) < 2 {
                target[filled] = value
                filled += 1
                if filled == size { return }
            }
        }
    }

    @inline(__always)
    private static func next<Scalar: RandomScalar>(_ words: inout PhiloxWords, _ type: Scalar.Type) -> Scalar {
        let high = words.next()
        return Scalar.uniform(high, Scalar.words == 2 ? words.next() : high)
    }
}
