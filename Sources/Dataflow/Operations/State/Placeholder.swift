/// `Placeholder`: a value that every run is fed.
public enum Placeholder: Operation {
    public static let signature = Signature(
        [:], to: ["output": "dtype"], types: ["dtype": DType.any], defaults: ["shape": .shape(.unknown)])
    public static var isStateful: Bool { true }
    public static func infer(_ node: Inference) throws -> [Shape] { [try node.attributes.shape("shape")] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        throw GraphError("the placeholder '\(binding.name)' was not fed")
    }
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
}
