/// The twin of an update whose Variables come as handles: the same arithmetic, and no output.
///
/// `ResourceApplyAdam` stands beside `ApplyAdam`, and is one line.
public protocol ResourceUpdate: ElementwiseUpdate {
    associatedtype Dense: ElementwiseUpdate
}

extension ResourceUpdate {
    public static var signature: Signature { Dense.signature.overResources }
    public static var aliases: [Int: Int] { [:] }
    public static var writes: [Int] { Dense.writes }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try Dense.infer(node)
        return []
    }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        try Dense.update(x, attributes)
    }
}

extension Signature {
    /// With handles in place of references, and no outputs.
    var overResources: Signature {
        Signature(
            arguments: inputs.map { $0.isReference ? Argument($0.name, "resource") : $0 }, outputs: [], types: types,
            defaults: defaults, required: required)
    }
}
