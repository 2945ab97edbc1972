/// `ApplyAddSign` (Bello et al., "Neural optimizer search with reinforcement learning", 2017): m follows the gradient;
/// var ← var − lr · (alpha + sign_decay · sign(grad) · sign(m)) · grad.
public enum ApplyAddSign: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "m": "ref T", "lr": "T", "alpha": "T", "sign_decay": "T", "beta": "T", "grad": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [1, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let (variable, m, rate, alpha, decay, beta, gradient) = (x[0], x[1], x[2], x[3], x[4], x[5], x[6])
        let agreement: Expression = .apply(.sign, gradient) * .apply(.sign, m)
        return [m * beta + gradient * (1 - beta), variable - rate * (alpha + decay * agreement) * gradient]
    }
}

/// `ApplyPowerSign` (Bello et al., 2017): m follows the gradient;
/// var ← var − lr · exp(logbase · sign_decay · sign(grad) · sign(m)) · grad.
public enum ApplyPowerSign: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "m": "ref T", "lr": "T", "logbase": "T", "sign_decay": "T", "beta": "T", "grad": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [1, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let (variable, m, rate, base, decay, beta, gradient) = (x[0], x[1], x[2], x[3], x[4], x[5], x[6])
        let agreement: Expression = .apply(.sign, gradient) * .apply(.sign, m)
        return [
            m * beta + gradient * (1 - beta), variable - rate * .apply(.exp, base * decay * agreement) * gradient,
        ]
    }
}

/// `ResourceApplyAddSign`: `ApplyAddSign` over handles.
public enum ResourceApplyAddSign: ResourceUpdate { public typealias Dense = ApplyAddSign }

/// `ResourceApplyPowerSign`: `ApplyPowerSign` over handles.
public enum ResourceApplyPowerSign: ResourceUpdate { public typealias Dense = ApplyPowerSign }
