/// `ApplyProximalGradientDescent` (Duchi and Singer, "FOBOS", 2009): a step against the gradient, then toward 0 by l1 and l2:
/// p = var − alpha · delta; var ← sign(p) · max(|p| − alpha · l1, 0) / (1 + alpha · l2).
public enum ApplyProximalGradientDescent: ElementwiseUpdate {
    public static let signature = Signature(
        ["var": "ref T", "alpha": "T", "l1": "T", "l2": "T", "delta": "T"], to: ["out": "ref T"],
        types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        [shrunk(x[0] - x[1] * x[4], rate: x[1], l1: x[2], l2: x[3])]
    }
}

/// `ApplyProximalAdagrad`: the same with Adagrad's rate lr / √accum for each element.
public enum ApplyProximalAdagrad: ElementwiseUpdate {
    public static let signature = Signature(
        ["var": "ref T", "accum": "ref T", "lr": "T", "l1": "T", "l2": "T", "grad": "T"], to: ["out": "ref T"],
        types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [1, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let rate = x[2] / .apply(.sqrt, x[1])
        return [x[1] + x[5] * x[5], shrunk(x[0] - x[5] * rate, rate: rate, l1: x[3], l2: x[4])]
    }
}

private func shrunk(_ x: Expression, rate: Expression, l1: Expression, l2: Expression) -> Expression {
    .apply(.sign, x) * .apply(.max, .apply(.abs, x) - rate * l1, 0) / (1 + rate * l2)
}

/// `ResourceApplyProximalGradientDescent`: `ApplyProximalGradientDescent` over handles.
public enum ResourceApplyProximalGradientDescent: ResourceUpdate {
    public typealias Dense = ApplyProximalGradientDescent
}

/// `SparseApplyProximalGradientDescent`: `ApplyProximalGradientDescent` for rows.
public enum SparseApplyProximalGradientDescent: SparseUpdate { public typealias Dense = ApplyProximalGradientDescent }

/// `ResourceSparseApplyProximalGradientDescent`: `ApplyProximalGradientDescent` for rows, over handles.
public enum ResourceSparseApplyProximalGradientDescent: SparseUpdate {
    public typealias Dense = ApplyProximalGradientDescent
    public static var isOverResources: Bool { true }
}

/// `ResourceApplyProximalAdagrad`: `ApplyProximalAdagrad` over handles.
public enum ResourceApplyProximalAdagrad: ResourceUpdate { public typealias Dense = ApplyProximalAdagrad }

/// `SparseApplyProximalAdagrad`: `ApplyProximalAdagrad` for rows.
public enum SparseApplyProximalAdagrad: SparseUpdate { public typealias Dense = ApplyProximalAdagrad }

/// `ResourceSparseApplyProximalAdagrad`: `ApplyProximalAdagrad` for rows, over handles.
public enum ResourceSparseApplyProximalAdagrad: SparseUpdate {
    public typealias Dense = ApplyProximalAdagrad
    public static var isOverResources: Bool { true }
}
