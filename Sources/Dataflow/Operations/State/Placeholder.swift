/// `Placeholder`: a value that every run is fed.
public enum Placeholder: Operation {
    public static var hostReason: String? { HostReason.nothing }
    public static let signature = Signature(
        [:], to: ["output": "dtype"], types: ["dtype": DType.any], defaults: ["shape": .shape(.unknown)])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try node.attributes.shape("shape")] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        throw GraphError("the placeholder '\(binding.name)' was not fed")
    }
}

/// `PlaceholderV2`: a value that every run is fed, of the shape that must be told.
public enum PlaceholderV2: Operation {
    public static var hostReason: String? { HostReason.nothing }
    public static let signature = Signature(
        [:], to: ["output": "dtype"], types: ["dtype": DType.moved], required: ["shape"])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try node.attributes.shape("shape")] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try Placeholder.kernel(binding) }
}

/// `PlaceholderWithDefault`: a value that a run may be fed; its input if it is not.
public enum PlaceholderWithDefault: Operation {
    public static let signature = Signature(
        ["input": "dtype"], to: ["output": "dtype"], types: ["dtype": DType.moved], required: ["shape"])
    public static var aliases: [Int: Int] { [0: 0] }

    /// The input's shape, which must fit the attribute `shape`. While building, the output has the attribute's.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = try node.attributes.shape("shape")
        guard let both = shape.merged(with: node.shape(0)) else {
            throw GraphError("its default must have the shape \(shape), got \(node.shape(0))")
        }
        return [both]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [node.upstream()] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

extension Graph {
    /// A value that every run is fed; TensorFlow's `tf.placeholder`.
    /// - Parameter shape: what is known of it; `[nil, 784]` is a matrix with any number of rows.
    public func placeholder(
        _ dtype: DType = .float32, _ shape: Shape = .unknown, name: String = "Placeholder",
        file: StaticString = #fileID,
        line: UInt = #line
    ) -> Node {
        add(
            Placeholder.self, [], ["dtype": .type(dtype), "shape": .shape(shape)], name: name,
            location: SourceLocation(file: file, line: line)
        ).node
    }

    /// A value that a run may be fed, `value` if it is not; TensorFlow's `tf.placeholder_with_default`.
    /// - Parameter shape: what may be fed; by default what is known of the shape of `value`.
    public func placeholder(
        default value: any Operand, _ shape: Shape? = nil, name: String? = nil, file: StaticString = #fileID,
        line: UInt = #line
    ) -> Node {
        apply(
            PlaceholderWithDefault.self, [value], ["shape": .shape(shape ?? value.node.shape)], name, file, line)
    }
}
