/// `ApplyMomentum`: accum ← momentum · accum + grad; var ← var − lr · accum, or with Nesterov's momentum
/// var ← var − lr (grad + momentum · accum).
public enum ApplyMomentum: ElementwiseUpdate {
    public static let signature = Signature(
        ["var": "ref T", "accum": "ref T", "lr": "T", "grad": "T", "momentum": "T"], to: ["out": "ref T"],
        types: ["T": DType.floats], defaults: ["use_locking": .bool(false), "use_nesterov": .bool(false)])
    public static var writes: [Int] { [1, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        let (variable, accum, rate, gradient, momentum) = (x[0], x[1], x[2], x[3], x[4])
        let isNesterov = try attributes.bool("use_nesterov")
        return [
            accum * momentum + gradient,
            isNesterov ? variable - (gradient * rate + accum * (momentum * rate)) : variable - accum * rate,
        ]
    }
}

/// `ResourceApplyMomentum`: `ApplyMomentum` over handles.
public enum ResourceApplyMomentum: ResourceUpdate { public typealias Dense = ApplyMomentum }

/// `SparseApplyMomentum`: `ApplyMomentum` for rows.
public enum SparseApplyMomentum: SparseUpdate { public typealias Dense = ApplyMomentum }

/// `ResourceSparseApplyMomentum`: `ApplyMomentum` for rows, over handles.
public enum ResourceSparseApplyMomentum: SparseUpdate {
    public typealias Dense = ApplyMomentum
    public static var isOverResources: Bool { true }
}

/// What `ResourceApplyKerasMomentum` and its twin for rows have in common: accum ← momentum · accum − lr · grad;
/// var ← var + accum, or with Nesterov's momentum var ← var + momentum · accum − lr · grad.
public enum KerasMomentum: ElementwiseUpdate {
    public static var signature: Signature { ApplyMomentum.signature }
    public static var writes: [Int] { [1, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        let (variable, accum, rate, gradient, momentum) = (x[0], x[1], x[2], x[3], x[4])
        let isNesterov = try attributes.bool("use_nesterov")
        return [
            accum * momentum - gradient * rate,
            isNesterov ? variable + (accum * momentum - gradient * rate) : variable + accum,
        ]
    }
}

/// `ResourceApplyKerasMomentum`: `KerasMomentum` over handles.
public enum ResourceApplyKerasMomentum: ResourceUpdate { public typealias Dense = KerasMomentum }

/// `ResourceSparseApplyKerasMomentum`: `KerasMomentum` for rows, over handles.
public enum ResourceSparseApplyKerasMomentum: SparseUpdate {
    public typealias Dense = KerasMomentum
    public static var isOverResources: Bool { true }
}
