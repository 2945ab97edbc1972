/// A stream of 64-bit random numbers that is the same on every platform: G. Steele, D. Lea and C. Flood, "Fast
/// Splittable Pseudorandom Number Generators" (OOPSLA 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(state: UInt64) { self.state = state }

    /// One stream for each pair: shuffles are (seed, epoch).
    package init(seed: UInt64, stream: UInt64) {
        state = Self.mixed(seed &+ Self.gamma)
        state = Self.mixed(state ^ Self.mixed(stream &+ 2 &* Self.gamma))
    }

    package static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The first number of the stream from `state` on.
    package static func first(of state: UInt64) -> UInt64 { mixed(state &+ gamma) }

    package mutating func next() -> UInt64 {
        state &+= Self.gamma
        return Self.mixed(state)
    }

    /// Evenly distributed in 0..<bound: D. Lemire, "Fast Random Integer Generation in an Interval" (2019).
    package mutating func next(below bound: UInt64) -> UInt64 {
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    /// 0..<count in random order: Fisher and Yates' shuffle, from the last place to the second.
    package mutating func permutation(of count: Int) -> [Int32] {
        var order = [Int32](0..<Int32(count))
        for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, Int(next(below: UInt64(i + 1)))) }
        return order
    }
}
