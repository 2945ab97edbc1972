/// The counter-based generator Philox 4×32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011), keyed
/// and counted as TensorFlow's `PhiloxRandom`, so that the same seeds give the same bits.
struct Philox {
    /// Four words of 32 bits, the lowest first.
    private(set) var counter: (low: UInt64, high: UInt64)
    let key: (UInt32, UInt32)

    init(seed: UInt64, seed2: UInt64) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        counter = (0, seed2)
    }

    /// Leaves out `count` groups of four words.
    @inline(__always)
    mutating func skip(_ count: UInt64) {
        let (sum, overflow) = counter.low.addingReportingOverflow(count)
        counter.low = sum
        if overflow { counter.high &+= 1 }
    }

    /// The next four words.
    @inline(__always)
    mutating func next() -> SIMD4<UInt32> {
        var c0 = UInt32(truncatingIfNeeded: counter.low)
        var c1 = UInt32(truncatingIfNeeded: counter.low >> 32)
        var c2 = UInt32(truncatingIfNeeded: counter.high)
        var c3 = UInt32(truncatingIfNeeded: counter.high >> 32)
        var (k0, k1) = key
        for _ in 0..<10 {
            let a = UInt64(0xD251_1F53) &* UInt64(c0)
            let b = UInt64(0xCD9E_8D57) &* UInt64(c2)
            c0 = UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0
            c1 = UInt32(truncatingIfNeeded: b)
            c2 = UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1
            c3 = UInt32(truncatingIfNeeded: a)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        skip(1)
        return SIMD4(c0, c1, c2, c3)
    }
}

/// Words of a `Philox` one at a time.
struct PhiloxWords {
    private var generator: Philox
    private var words = SIMD4<UInt32>()
    private var used = 4

    init(_ generator: Philox) { self.generator = generator }

    @inline(__always)
    mutating func next() -> UInt32 {
        if used == 4 {
            words = generator.next()
            used = 0
        }
        defer { used += 1 }
        return words[used]
    }
}
