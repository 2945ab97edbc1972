/// `ApplyAdaMax` (Kingma and Ba, 2015, section 7.1): m follows the gradient; v ← max(beta2 · v, |grad|);
/// var ← var − lr / (1 − beta1_power) · m / (v + epsilon).
public enum ApplyAdaMax: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "m": "ref T", "v": "ref T", "beta1_power": "T", "lr": "T", "beta1": "T", "beta2": "T",
            "epsilon": "T", "grad": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [1, 2, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let (variable, m, v, power, rate, beta1, beta2, epsilon, gradient) = (
            x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]
        )
        return [
            m + (gradient - m) * (1 - beta1), .apply(.max, beta2 * v, .apply(.abs, gradient)),
            variable - rate / (1 - power) * (m / (v + epsilon)),
        ]
    }
}

/// `ResourceApplyAdaMax`: `ApplyAdaMax` over handles.
public enum ResourceApplyAdaMax: ResourceUpdate { public typealias Dense = ApplyAdaMax }

/// `ResourceApplyAdamWithAmsgrad` (Reddi et al., "On the convergence of Adam and beyond", 2018): `ApplyAdam` whose step is
/// divided by the root of the largest v so far, `vhat`.
public enum ResourceApplyAdamWithAmsgrad: ElementwiseUpdate {
    private static let dense = Signature(
        [
            "var": "ref T", "m": "ref T", "v": "ref T", "vhat": "ref T", "beta1_power": "T", "beta2_power": "T",
            "lr": "T", "beta1": "T", "beta2": "T", "epsilon": "T", "grad": "T",
        ], to: [:], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static let signature = dense.overResources
    public static var aliases: [Int: Int] { [:] }
    public static var writes: [Int] { [1, 2, 3, 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try updatedShape(dense.inputs, node)
        return []
    }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let (variable, m, v, largest, rate, beta1, beta2, epsilon, gradient) = (
            x[0], x[1], x[2], x[3], x[6], x[7], x[8], x[9], x[10]
        )
        let alpha = rate * .apply(.sqrt, 1 - x[5]) / (1 - x[4])
        return [
            m + (gradient - m) * (1 - beta1), v + (gradient * gradient - v) * (1 - beta2),
            .apply(.max, largest, v), variable - m * alpha / (.apply(.sqrt, largest) + epsilon),
        ]
    }
}
