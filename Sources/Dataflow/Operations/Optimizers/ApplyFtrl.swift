/// `ApplyFtrl` (McMahan et al., 2013): follow the regularised leader, proximally.
///
/// linear ← linear + grad − (new^−lr_power − accum^−lr_power) / lr · var, where new = accum + grad²; then
/// var ← (sign(linear) l1 − linear) / (new^−lr_power / lr + 2 l2) where |linear| > l1, else 0; accum ← new.
public enum ApplyFtrl: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "accum": "ref T", "linear": "ref T", "grad": "T", "lr": "T", "l1": "T", "l2": "T",
            "lr_power": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats],
        defaults: ["use_locking": .bool(false), "multiply_linear_by_lr": .bool(false)])
    public static var writes: [Int] { [2, 0, 1] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        try followTheLeader(x, rate: x[4], l1: x[5], l2: x[6], power: x[7], shrunk: x[3], attributes)
    }
}

/// `ApplyFtrlV2`: the same with the gradient grad + 2 l2_shrinkage · var in `linear`.
public enum ApplyFtrlV2: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "accum": "ref T", "linear": "ref T", "grad": "T", "lr": "T", "l1": "T", "l2": "T",
            "l2_shrinkage": "T", "lr_power": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats],
        defaults: ["use_locking": .bool(false), "multiply_linear_by_lr": .bool(false)])
    public static var writes: [Int] { [2, 0, 1] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        try followTheLeader(
            x, rate: x[4], l1: x[5], l2: x[6], power: x[8], shrunk: x[3] + 2 * x[7] * x[0], attributes)
    }
}

/// The new linear term, Variable and accumulator. With `multiply_linear_by_lr` the linear term is kept times the rate.
private func followTheLeader(
    _ x: [Expression], rate: Expression, l1: Expression, l2: Expression, power: Expression, shrunk: Expression,
    _ attributes: Attributes
) throws -> [Expression] {
    let (variable, accum, linear, gradient) = (x[0], x[1], x[2], x[3])
    let isScaled = try attributes.bool("multiply_linear_by_lr")
    let total = accum + gradient * gradient
    let after: Expression = .apply(.pow, total, -power)
    let step = (after - .apply(.pow, accum, -power)) * variable
    let limit = isScaled ? l1 * rate : l1
    let curvature = isScaled ? after + 2 * l2 * rate : after / rate + 2 * l2
    return [
        isScaled ? linear + shrunk * rate - step : linear + shrunk - step / rate,
        .where_(.apply(.abs, linear) > limit, (.apply(.sign, linear) * limit - linear) / curvature, 0),
        total,
    ]
}

/// `ResourceApplyFtrl`: `ApplyFtrl` over handles.
public enum ResourceApplyFtrl: ResourceUpdate { public typealias Dense = ApplyFtrl }

/// `SparseApplyFtrl`: `ApplyFtrl` for rows.
public enum SparseApplyFtrl: SparseUpdate { public typealias Dense = ApplyFtrl }

/// `ResourceSparseApplyFtrl`: `ApplyFtrl` for rows, over handles.
public enum ResourceSparseApplyFtrl: SparseUpdate {
    public typealias Dense = ApplyFtrl
    public static var isOverResources: Bool { true }
}

/// `ResourceApplyFtrlV2`: `ApplyFtrlV2` over handles.
public enum ResourceApplyFtrlV2: ResourceUpdate { public typealias Dense = ApplyFtrlV2 }

/// `SparseApplyFtrlV2`: `ApplyFtrlV2` for rows.
public enum SparseApplyFtrlV2: SparseUpdate { public typealias Dense = ApplyFtrlV2 }

/// `ResourceSparseApplyFtrlV2`: `ApplyFtrlV2` for rows, over handles.
public enum ResourceSparseApplyFtrlV2: SparseUpdate {
    public typealias Dense = ApplyFtrlV2
    public static var isOverResources: Bool { true }
}
