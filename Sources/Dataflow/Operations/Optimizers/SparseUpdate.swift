/// The twin of an update that touches rows alone: `grad` holds a row for each of `indices`, into the Variables' first
/// dimension. Rows that are named twice are updated twice, in order, as TensorFlow's kernels do.
///
/// `SparseApplyAdagrad` stands beside `ApplyAdagrad`, and is one line.
public protocol SparseUpdate: Operation {
    associatedtype Dense: ElementwiseUpdate
    /// Whether the Variables come as handles, `ResourceSparseApply…`.
    static var isOverResources: Bool { get }
}

extension SparseUpdate {
    public static var isOverResources: Bool { false }
    public static var signature: Signature {
        isOverResources ? Dense.signature.overRows.overResources : Dense.signature.overRows
    }
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { isOverResources ? [:] : [0: 0] }
    public static var writes: [Int] { Dense.writes }

    public static func infer(_ node: Inference) throws -> [Shape] {
        let shape = try sparseShape(Dense.signature.inputs, node)
        return isOverResources ? [] : [shape]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try sparseKernel(Dense.self, binding) }
}

extension Signature {
    /// With the rows' indices behind the gradient.
    fileprivate var overRows: Signature {
        var arguments = inputs
        // What `ApplyProximalGradientDescent` calls "delta".
        arguments[gradientPosition] = Argument("grad", arguments[gradientPosition].type)
        arguments.insert(Argument("indices", "Tindices"), at: gradientPosition + 1)
        return Signature(
            arguments: arguments, outputs: outputs, types: types.merging(["Tindices": DType.indices]) { $1 },
            defaults: defaults, required: required)
    }

    fileprivate var gradientPosition: Int { inputs.firstIndex { $0.name == "grad" } ?? inputs.count - 1 }
}

/// The Variables' shape: all of one, with a row of the gradient for each index.
private func sparseShape(_ arguments: [Signature.Argument], _ node: Inference) throws -> Shape {
    let gradient = arguments.firstIndex { $0.name == "grad" } ?? arguments.count - 1
    var shape = node.shape(0)
    for (i, argument) in arguments.enumerated() where i != gradient {
        let own = node.shape(i < gradient ? i : i + 1)
        if argument.isReference {
            guard let merged = shape.merged(with: own) else {
                throw GraphError("'\(argument.name)' must have the Variable's shape \(shape), got \(own)")
            }
            shape = merged
        } else if own.rank != nil, own.rank != 0 {
            throw GraphError("'\(argument.name)' must be a scalar, got the shape \(own)")
        }
    }
    let indices = try node.shape(gradient + 1, rank: 1, "'indices'")
    if let extents = shape.dimensions {
        guard !extents.isEmpty else { throw GraphError("a scalar Variable has no rows to update") }
        let wanted = Shape([indices[0]] + extents.dropFirst())
        guard node.shape(gradient).isCompatible(with: wanted) else {
            throw GraphError(
                "'grad' must have a row for each index, \(wanted), got the shape \(node.shape(gradient))")
        }
    }
    return shape
}

private func sparseKernel(_ dense: any ElementwiseUpdate.Type, _ binding: KernelBinding) throws -> Kernel {
    let arguments = dense.signature.inputs
    let gradient = dense.signature.gradientPosition
    let places = arguments.indices.map { $0 <= gradient ? $0 : $0 + 1 }
    let shape = binding.inputs[0].shape.concrete
    let row = Shape(Array(shape.dropFirst()))
    let specs = arguments.indices.map { i in
        TensorSpec(binding.inputs[places[i]].dtype, arguments[i].isReference || i == gradient ? row : [])
    }
    let loop = try ElementwiseLoop(
        dense.update(arguments.indices.map { .input($0) }, binding.attributes), inputs: specs,
        inputSlots: Array(arguments.indices), outputs: dense.writes.map { specs[$0] }, outputSlots: dense.writes,
        threads: 1)
    let bytes = (row.elementCount ?? 0) * binding.inputs[0].dtype.size
    let slots = places.map(binding.input)
    let isRow = arguments.map(\.isReference)
    let (index, count, name) = (IndexInput(binding, gradient + 1), binding.count(gradient + 1), binding.name)
    return { frame in
        try withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: slots.count) { pointers in
            for i in slots.indices { pointers.initializeElement(at: i, to: frame.raw(slots[i])) }
            for k in 0..<count {
                let i = index.read(frame, k)
                guard i >= 0, i < shape[0] else {
                    throw GraphError("indices[\(k)] = \(i) is not in [0, \(shape[0]))", node: name)
                }
                for j in slots.indices where isRow[j] { pointers[j] = frame.raw(slots[j]) + i * bytes }
                pointers[gradient] = frame.raw(slots[gradient]) + k * bytes
                loop.run(Frame(pointers: pointers.baseAddress!))
            }
        }
    }
}
