/// Hashes of bytes as TensorFlow computes them, bit for bit: they decide in which bucket of an embedding a text lies.
enum Fingerprint {
    // MARK: FarmHash

    /// FarmHash's Fingerprint64 (Pike and Alakuijala, 2014), which `StringToHashBucketFast` uses.
    static func farm64(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { Farm(bytes: $0).hash() } }

    /// Two fingerprints as one: TensorFlow's `FingerprintCat64`.
    static func joined(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let k: UInt64 = 0xc6a4_a793_5bd1_e995
        var result = a ^ k
        result ^= mixed(b &* k) &* k
        result = result &* k
        result = mixed(result) &* k
        return mixed(result)
    }

    fileprivate static func mixed(_ x: UInt64) -> UInt64 { x ^ (x >> 47) }

    // MARK: SipHash

    /// SipHash-2-4 (Aumasson and Bernstein, 2012), which `StringToHashBucketStrong` uses.
    static func sip(key: (UInt64, UInt64), _ bytes: [UInt8]) -> UInt64 {
        var v0 = key.0 ^ 0x736f_6d65_7073_6575
        var v1 = key.1 ^ 0x646f_7261_6e64_6f6d
        var v2 = key.0 ^ 0x6c79_6765_6e65_7261
        var v3 = key.1 ^ 0x7465_6462_7974_6573
        func round() {
            v0 = v0 &+ v1
            v2 = v2 &+ v3
            v1 = rotatedLeft(v1, 13) ^ v0
            v3 = rotatedLeft(v3, 16) ^ v2
            v0 = rotatedLeft(v0, 32)
            v2 = v2 &+ v1
            v0 = v0 &+ v3
            v1 = rotatedLeft(v1, 17) ^ v2
            v3 = rotatedLeft(v3, 21) ^ v0
            v2 = rotatedLeft(v2, 32)
        }
        func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }
        let whole = bytes.count / 8
        bytes.withUnsafeBytes { raw in
            for i in 0..<whole { take(word(raw, 8 * i)) }
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        for (i, byte) in bytes[(8 * whole)...].enumerated() { last |= UInt64(byte) << UInt64(8 * i) }
        take(last)
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    // MARK: TensorFlow's older hash

    /// MurmurHash64A (Appleby, 2008) with TensorFlow's seed, which `StringToHashBucket` uses.
    static func murmur64(_ bytes: [UInt8]) -> UInt64 {
        let m: UInt64 = 0xc6a4_a793_5bd1_e995
        var hash: UInt64 = 0xDECA_FCAF_FE ^ (UInt64(truncatingIfNeeded: bytes.count) &* m)
        let whole = bytes.count / 8
        bytes.withUnsafeBytes { raw in
            for i in 0..<whole {
                var k = word(raw, 8 * i) &* m
                k = mixed(k) &* m
                hash = (hash ^ k) &* m
            }
        }
        let tail = bytes[(8 * whole)...]
        if !tail.isEmpty {
            for (i, byte) in tail.enumerated() { hash ^= UInt64(byte) << UInt64(8 * i) }
            hash = hash &* m
        }
        return mixed(mixed(hash) &* m)
    }

    fileprivate static func rotatedLeft(_ x: UInt64, _ n: UInt64) -> UInt64 { (x << n) | (x >> (64 - n)) }

    fileprivate static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }
}

/// FarmHash's `farmhashna::Hash64`.
private struct Farm {
    let bytes: UnsafeRawBufferPointer

    private static let k0: UInt64 = 0xc3a5_c85c_97cb_3127
    private static let k1: UInt64 = 0xb492_b66f_be98_f273
    private static let k2: UInt64 = 0x9ae1_6a3b_2f90_404f

    private func word(_ at: Int) -> UInt64 { Fingerprint.word(bytes, at) }

    private func half(_ at: Int) -> UInt64 {
        UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    }

    private func rotated(_ x: UInt64, _ n: UInt64) -> UInt64 { (x >> n) | (x << (64 - n)) }

    private func folded(_ u: UInt64, _ v: UInt64, _ factor: UInt64) -> UInt64 {
        let a = Fingerprint.mixed((u ^ v) &* factor)
        let b = Fingerprint.mixed((v ^ a) &* factor)
        return b &* factor
    }

    func hash() -> UInt64 {
        switch bytes.count {
        case 0...16: upTo16()
        case 17...32: upTo32()
        case 33...64: upTo64()
        default: long()
        }
    }

    private var factor: UInt64 { Self.k2 &+ UInt64(bytes.count) &* 2 }

    private func upTo16() -> UInt64 {
        let n = bytes.count
        if n >= 8 {
            let a = word(0) &+ Self.k2
            let b = word(n - 8)
            let c = rotated(b, 37) &* factor &+ a
            let d = (rotated(a, 25) &+ b) &* factor
            return folded(c, d, factor)
        }
        if n >= 4 { return folded(UInt64(n) &+ (half(0) << 3), half(n - 4), factor) }
        if n > 0 {
            let y = UInt32(bytes[0]) &+ (UInt32(bytes[n >> 1]) << 8)
            let z = UInt32(n) &+ (UInt32(bytes[n - 1]) << 2)
            return Fingerprint.mixed(UInt64(y) &* Self.k2 ^ UInt64(z) &* Self.k0) &* Self.k2
        }
        return Self.k2
    }

    private func upTo32() -> UInt64 {
        let n = bytes.count
        let a = word(0) &* Self.k1
        let b = word(8)
        let c = word(n - 8) &* factor
        let d = word(n - 16) &* Self.k2
        return folded(
            rotated(a &+ b, 43) &+ rotated(c, 30) &+ d, a &+ rotated(b &+ Self.k2, 18) &+ c, factor)
    }

    private func upTo64() -> UInt64 {
        let n = bytes.count
        let a = word(0) &* Self.k2
        let b = word(8)
        let c = word(n - 8) &* factor
        let d = word(n - 16) &* Self.k2
        let y = rotated(a &+ b, 43) &+ rotated(c, 30) &+ d
        let z = folded(y, a &+ rotated(b &+ Self.k2, 18) &+ c, factor)
        let e = word(16) &* factor
        let f = word(24)
        let g = (y &+ word(n - 32)) &* factor
        let h = (z &+ word(n - 24)) &* factor
        return folded(
            rotated(e &+ f, 43) &+ rotated(g, 30) &+ h, e &+ rotated(f &+ a, 18) &+ g, factor)
    }

    /// 32 bytes from `at` on, and two words.
    private func weak(_ at: Int, _ first: UInt64, _ second: UInt64) -> (UInt64, UInt64) {
        let (w, x, y, z) = (word(at), word(at + 8), word(at + 16), word(at + 24))
        var a = first &+ w
        var b = rotated(second &+ a &+ z, 21)
        let c = a
        a = a &+ x &+ y
        b = b &+ rotated(a, 44)
        return (a &+ z, b &+ c)
    }

    private func long() -> UInt64 {
        let n = bytes.count
        let seed: UInt64 = 81
        var x = seed
        var y = seed &* Self.k1 &+ 113
        var z = Fingerprint.mixed(y &* Self.k2 &+ 113) &* Self.k2
        var v: (UInt64, UInt64) = (0, 0)
        var w: (UInt64, UInt64) = (0, 0)
        x = x &* Self.k2 &+ word(0)
        let end = (n - 1) / 64 * 64
        var s = 0
        repeat {
            x = rotated(x &+ y &+ v.0 &+ word(s + 8), 37) &* Self.k1
            y = rotated(y &+ v.1 &+ word(s + 48), 42) &* Self.k1
            x ^= w.1
            y = y &+ v.0 &+ word(s + 40)
            z = rotated(z &+ w.0, 33) &* Self.k1
            v = weak(s, v.1 &* Self.k1, x &+ w.0)
            w = weak(s + 32, z &+ w.1, y &+ word(s + 16))
            swap(&z, &x)
            s += 64
        } while s != end
        let factor = Self.k1 &+ ((z & 0xff) << 1)
        s = n - 64
        w.0 = w.0 &+ UInt64((n - 1) & 63)
        v.0 = v.0 &+ w.0
        w.0 = w.0 &+ v.0
        x = rotated(x &+ y &+ v.0 &+ word(s + 8), 37) &* factor
        y = rotated(y &+ v.1 &+ word(s + 48), 42) &* factor
        x ^= w.1 &* 9
        y = y &+ v.0 &* 9 &+ word(s + 40)
        z = rotated(z &+ w.0, 33) &* factor
        v = weak(s, v.1 &* factor, x &+ w.0)
        w = weak(s + 32, z &+ w.1, y &+ word(s + 16))
        swap(&z, &x)
        return folded(
            folded(v.0, w.0, factor) &+ Fingerprint.mixed(y) &* Self.k0 &+ z, folded(v.1, w.1, factor) &+ x, factor)
    }
}
