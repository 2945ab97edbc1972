/// `ApplyAdam` (Kingma and Ba, 2015): m and v follow the gradient and its square; with
/// alpha = lr √(1 − beta2_power) / (1 − beta1_power), var ← var − alpha · m / (√v + epsilon).
public enum ApplyAdam: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "m": "ref T", "v": "ref T", "beta1_power": "T", "beta2_power": "T", "lr": "T",
            "beta1": "T", "beta2": "T", "epsilon": "T", "grad": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats],
        defaults: ["use_locking": .bool(false), "use_nesterov": .bool(false)])
    public static var writes: [Int] { [1, 2, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        let (variable, m, v, rate, beta1, beta2, epsilon, gradient) = (
            x[0], x[1], x[2], x[5], x[6], x[7], x[8], x[9]
        )
        let alpha = rate * .apply(.sqrt, 1 - x[4]) / (1 - x[3])
        let direction = try attributes.bool("use_nesterov") ? gradient * (1 - beta1) + beta1 * m : m
        return [
            m + (gradient - m) * (1 - beta1),
            v + (gradient * gradient - v) * (1 - beta2),
            variable - direction * alpha / (.apply(.sqrt, v) + epsilon),
        ]
    }
}

/// `ResourceApplyAdam`: `ApplyAdam` over handles.
public enum ResourceApplyAdam: ResourceUpdate { public typealias Dense = ApplyAdam }
