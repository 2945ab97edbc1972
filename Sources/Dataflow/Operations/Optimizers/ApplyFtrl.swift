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
        if try attributes.bool("multiply_linear_by_lr") { throw GraphError("multiply_linear_by_lr is not supported") }
        let (variable, accum, linear, gradient, rate, l1, l2, power) = (x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7])
        let total = accum + gradient * gradient
        let scaled: Expression = .apply(.pow, total, -power)
        return [
            linear + gradient - (scaled - .apply(.pow, accum, -power)) / rate * variable,
            .where_(
                .apply(.abs, linear) > l1, (.apply(.sign, linear) * l1 - linear) / (scaled / rate + 2 * l2), 0),
            total,
        ]
    }
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
