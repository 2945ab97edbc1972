/// `ApplyAdadelta` (Zeiler, 2012): accum follows grad²; with update = grad √(accum_update + epsilon) / √(accum + epsilon),
/// var ← var − lr · update; accum_update follows update².
public enum ApplyAdadelta: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "accum": "ref T", "accum_update": "ref T", "lr": "T", "rho": "T", "epsilon": "T",
            "grad": "T",
        ], to: ["out": "ref T"], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [1, 0, 2] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] {
        let (variable, accum, accumUpdate, rate, rho, epsilon, gradient) = (x[0], x[1], x[2], x[3], x[4], x[5], x[6])
        let change = .apply(.sqrt, accumUpdate + epsilon) / .apply(.sqrt, accum + epsilon) * gradient
        return [
            accum * rho + gradient * gradient * (1 - rho),
            variable - change * rate,
            accumUpdate * rho + change * change * (1 - rho),
        ]
    }
}

/// `ResourceApplyAdadelta`: `ApplyAdadelta` over handles.
public enum ResourceApplyAdadelta: ResourceUpdate { public typealias Dense = ApplyAdadelta }

/// `SparseApplyAdadelta`: `ApplyAdadelta` for rows.
public enum SparseApplyAdadelta: SparseUpdate { public typealias Dense = ApplyAdadelta }

/// `ResourceSparseApplyAdadelta`: `ApplyAdadelta` for rows, over handles.
public enum ResourceSparseApplyAdadelta: SparseUpdate {
    public typealias Dense = ApplyAdadelta
    public static var isOverResources: Bool { true }
}
