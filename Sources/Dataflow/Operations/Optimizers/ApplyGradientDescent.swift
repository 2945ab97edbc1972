/// `ApplyGradientDescent`: var ← var − alpha · delta.
public enum ApplyGradientDescent: ElementwiseUpdate {
    public static let signature = Signature(
        ["var": "ref T", "alpha": "T", "delta": "T"], to: ["out": "ref T"], types: ["T": DType.floats],
        defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] { [x[0] - x[1] * x[2]] }
}

/// `ResourceApplyGradientDescent`: `ApplyGradientDescent` over handles.
public enum ResourceApplyGradientDescent: ResourceUpdate { public typealias Dense = ApplyGradientDescent }
