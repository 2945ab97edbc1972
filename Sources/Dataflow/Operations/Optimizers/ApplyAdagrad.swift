/// `ApplyAdagrad`: accum ← accum + grad²; var ← var − lr · grad / √accum (Duchi et al., 2011).
public enum ApplyAdagrad: ElementwiseUpdate {
    public static let signature = Signature(
        ["var": "ref T", "accum": "ref T", "lr": "T", "grad": "T"], to: ["out": "ref T"], types: ["T": DType.floats],
        defaults: ["use_locking": .bool(false), "update_slots": .bool(true)])
    public static var writes: [Int] { [1, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        let accum = try attributes.bool("update_slots") ? x[1] + x[3] * x[3] : x[1]
        return [accum, x[0] - x[2] * x[3] / .apply(.sqrt, x[1])]
    }
}

/// `ApplyAdagradV2`: as `ApplyAdagrad` with var ← var − lr · grad / (√accum + epsilon).
public enum ApplyAdagradV2: ElementwiseUpdate {
    public static let signature = Signature(
        ["var": "ref T", "accum": "ref T", "lr": "T", "epsilon": "T", "grad": "T"], to: ["out": "ref T"],
        types: ["T": DType.floats], defaults: ["use_locking": .bool(false), "update_slots": .bool(true)])
    public static var writes: [Int] { [1, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        let accum = try attributes.bool("update_slots") ? x[1] + x[4] * x[4] : x[1]
        return [accum, x[0] - x[2] * x[4] / (.apply(.sqrt, x[1]) + x[3])]
    }
}

/// `ResourceApplyAdagrad`: `ApplyAdagrad` over handles.
public enum ResourceApplyAdagrad: ResourceUpdate { public typealias Dense = ApplyAdagrad }

/// `ResourceApplyAdagradV2`: `ApplyAdagradV2` over handles.
public enum ResourceApplyAdagradV2: ResourceUpdate { public typealias Dense = ApplyAdagradV2 }

/// `SparseApplyAdagrad`: `ApplyAdagrad` for rows.
public enum SparseApplyAdagrad: SparseUpdate { public typealias Dense = ApplyAdagrad }

/// `ResourceSparseApplyAdagrad`: `ApplyAdagrad` for rows, over handles.
public enum ResourceSparseApplyAdagrad: SparseUpdate {
    public typealias Dense = ApplyAdagrad
    public static var isOverResources: Bool { true }
}

/// `SparseApplyAdagradV2`: `ApplyAdagradV2` for rows.
public enum SparseApplyAdagradV2: SparseUpdate { public typealias Dense = ApplyAdagradV2 }

/// `ResourceSparseApplyAdagradV2`: `ApplyAdagradV2` for rows, over handles.
public enum ResourceSparseApplyAdagradV2: SparseUpdate {
    public typealias Dense = ApplyAdagradV2
    public static var isOverResources: Bool { true }
}
