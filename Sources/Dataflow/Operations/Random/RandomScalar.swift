#if canImport(Glibc)
    import Glibc
#endif

/// float32 and float64 as TensorFlow's distributions make them of random words.
protocol RandomScalar: NumericScalar & BinaryFloatingPoint {
    /// Words for one uniform number.
    static var words: Int { get }
    /// In [0, 1): the words' low bits as the mantissa. One word is for float32, two for float64.
    static func uniform(_ high: UInt32, _ low: UInt32) -> Self
    /// Two normal numbers of two uniform ones by Box and Muller's method.
    static func normals(_ first: Self, _ second: Self) -> (Self, Self)
}

extension Float: RandomScalar {
    static var words: Int { 1 }

    @inline(__always)
    static func uniform(_ high: UInt32, _ low: UInt32) -> Float {
        Float(bitPattern: 0x3F80_0000 | (high & 0x007F_FFFF)) - 1
    }

    @inline(__always)
    static func normals(_ first: Float, _ second: Float) -> (Float, Float) {
        let angle = Float(2 * Double.pi * Double(second))
        let radius = (-2 * logf(first < 1e-7 ? 1e-7 : first)).squareRoot()
        return (sinf(angle) * radius, cosf(angle) * radius)
    }
}

extension Double: RandomScalar {
    static var words: Int { 2 }

    @inline(__always)
    static func uniform(_ high: UInt32, _ low: UInt32) -> Double {
        Double(bitPattern: 0x3FF0_0000_0000_0000 | UInt64(high & 0x000F_FFFF) << 32 | UInt64(low)) - 1
    }

    @inline(__always)
    static func normals(_ first: Double, _ second: Double) -> (Double, Double) {
        let angle = 2 * Double.pi * second
        let radius = (-2 * log(first < 1e-7 ? 1e-7 : first) as Double).squareRoot()
        return (sin(angle) * radius as Double, cos(angle) * radius as Double)
    }
}
