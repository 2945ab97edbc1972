/// `ApplyRMSProp`: ms ← ms + (1 − rho)(grad² − ms); mom ← momentum · mom + lr · grad / √(ms + epsilon); var ← var − mom.
public enum ApplyRMSProp: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "ms": "ref T", "mom": "ref T", "lr": "T", "rho": "T", "momentum": "T", "epsilon": "T",
            "grad": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [1, 2, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let (variable, ms, mom, rate, rho, momentum, epsilon, gradient) = (
            x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
        )
        return [
            ms + (gradient * gradient - ms) * (1 - rho),
            mom * momentum + gradient * rate / .apply(.sqrt, ms + epsilon),
            variable - mom,
        ]
    }
}

/// `ApplyCenteredRMSProp`: as `ApplyRMSProp` with the variance ms − mg² instead of ms, where mg follows the mean gradient.
public enum ApplyCenteredRMSProp: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "mg": "ref T", "ms": "ref T", "mom": "ref T", "lr": "T", "rho": "T", "momentum": "T",
            "epsilon": "T", "grad": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [2, 1, 3, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let (variable, mg, ms, mom, rate, rho, momentum, epsilon, gradient) = (
            x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]
        )
        return [
            ms + (gradient * gradient - ms) * (1 - rho),
            mg + (gradient - mg) * (1 - rho),
            mom * momentum + gradient * rate / .apply(.sqrt, ms - mg * mg + epsilon),
            variable - mom,
        ]
    }
}

/// `ResourceApplyRMSProp`: `ApplyRMSProp` over handles.
public enum ResourceApplyRMSProp: ResourceUpdate { public typealias Dense = ApplyRMSProp }

/// `ResourceApplyCenteredRMSProp`: `ApplyCenteredRMSProp` over handles.
public enum ResourceApplyCenteredRMSProp: ResourceUpdate { public typealias Dense = ApplyCenteredRMSProp }

/// `SparseApplyRMSProp`: `ApplyRMSProp` for rows.
public enum SparseApplyRMSProp: SparseUpdate { public typealias Dense = ApplyRMSProp }

/// `ResourceSparseApplyRMSProp`: `ApplyRMSProp` for rows, over handles.
public enum ResourceSparseApplyRMSProp: SparseUpdate {
    public typealias Dense = ApplyRMSProp
    public static var isOverResources: Bool { true }
}

/// `SparseApplyCenteredRMSProp`: `ApplyCenteredRMSProp` for rows.
public enum SparseApplyCenteredRMSProp: SparseUpdate { public typealias Dense = ApplyCenteredRMSProp }

/// `ResourceSparseApplyCenteredRMSProp`: `ApplyCenteredRMSProp` for rows, over handles.
public enum ResourceSparseApplyCenteredRMSProp: SparseUpdate {
    public typealias Dense = ApplyCenteredRMSProp
    public static var isOverResources: Bool { true }
}
