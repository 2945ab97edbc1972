import Dataflow

/// Random choices that a seed and a number repeat.
struct Chance: RandomNumberGenerator {
    private var random: SplitMix64

    init(seed: UInt64, input: Int) {
        random = SplitMix64(state: SplitMix64.first(of: seed) ^ UInt64(bitPattern: Int64(input)))
        _ = next()
    }

    mutating func next() -> UInt64 { random.next() }

    /// In 0..<n; 0 if n is 0.
    mutating func below(_ n: Int) -> Int { n <= 0 ? 0 : Int(next() % UInt64(n)) }

    /// True once in n.
    mutating func once(in n: Int) -> Bool { below(n) == 0 }

    /// One of `choices`, which are not empty.
    mutating func pick<Choices: Collection>(_ choices: Choices) -> Choices.Element {
        choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
    }

    /// A whole number that programs are likely to stumble over, small ones more often.
    mutating func integer() -> Int {
        switch below(8) {
        case 0...3: below(5) - 1
        case 4: below(300) - 20
        case 5: pick([255, 256, 65_535, 65_536, 1 << 20, 1 << 24])
        case 6: pick([Int(Int32.max), Int(Int32.min), 1 << 31, 1 << 32, 1 << 40, -(1 << 31) - 1])
        default: pick([Int.max, Int.min, Int.max - 1, 1 << 62, -(1 << 62), Int.max / 8])
        }
    }

    /// A whole number at an edge.
    mutating func edge() -> Int {
        pick([
            0, 1, -1, 1 << 31 - 1, 1 << 31, 1 << 31 + 1, -(1 << 31), -(1 << 31) - 1, 1 << 32 - 1, 1 << 32, 1 << 52,
            1 << 53 - 1, 1 << 53, 1 << 53 + 1, 1 << 62, -(1 << 62), .max, .max - 1, .min, .min + 1,
        ])
    }

    mutating func number() -> Float {
        switch below(6) {
        case 0: pick([0, -0, 1, -1])
        case 1: pick([.nan, .infinity, -.infinity])
        case 2: pick([.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 3e9, -3e9, 1e20])
        default: Float(below(2001) - 1000) / 250
        }
    }
}
