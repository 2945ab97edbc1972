/// The memory of one Variable in a session.
final class VariableBuffer {
    let name: String
    let spec: TensorSpec
    var storage: TensorStorage
    var isInitialized = false

    init(name: String, spec: TensorSpec) {
        self.name = name
        self.spec = spec
        storage = TensorStorage(byteCount: (spec.shape.elementCount ?? 0) * spec.dtype.size)
    }

    var tensor: Tensor { Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage) }
}

/// The Variables of a session by name.
final class VariableStore {
    private var buffers: [String: VariableBuffer] = [:]
    private var bytes = 0
    private let limit: Int

    /// - Parameter limit: bytes that all of them may take.
    init(limit: Int) { self.limit = limit }

    /// The buffer of the Variable that `vertex` stands for, made when first asked for.
    func buffer(for vertex: Vertex) throws -> VariableBuffer {
        if let buffer = buffers[vertex.name] { return buffer }
        guard let spec = vertex.variableSpec, spec.shape.isFullyDefined else {
            throw GraphError("the Variable '\(vertex.name)' has no known shape")
        }
        try spec.checkSize(limit: limit)
        let (total, overflow) = bytes.addingReportingOverflow((spec.shape.elementCount ?? 0) * spec.dtype.size)
        guard !overflow, total <= limit else {
            throw GraphError(
                "the Variable '\(vertex.name)', \(spec), and those before it take more memory than there is or the "
                    + "session may use (\(limit) bytes)")
        }
        bytes = total
        let buffer = VariableBuffer(name: vertex.name, spec: spec)
        buffers[vertex.name] = buffer
        return buffer
    }

    func existing(_ name: String) -> VariableBuffer? { buffers[name] }
}
