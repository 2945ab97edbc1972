/// An operation that computes strings, or from strings: on the host, value by value.
protocol StringOperation: ValueOperation {
    /// The outputs, for inputs that the shape rule has passed.
    static func compute(_ call: DynamicCall) throws -> [Tensor]
}

extension StringOperation {
    public static func gradient(_ node: GradientContext) throws -> [Node?] { node.inputs.map { _ in nil } }

    /// The outputs, once the shapes that the run has are right.
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { try call.evaluate(Self.self) }
}

extension DynamicCall {
    /// Compiled once for all operations on strings.
    fileprivate func evaluate(_ operation: any StringOperation.Type) throws -> [Tensor] {
        let context = ShapeContext(
            attributes: attributes, inputs: inputs.map { TensorSpec($0.dtype, $0.shape) },
            constants: inputs.map { $0 })
        let shapes = try operation.infer(context)
        for shape in shapes { try TensorSpec(.string, shape).checkSize(limit: functions.options.memoryLimit) }
        let results = try operation.compute(self)
        for (result, shape) in zip(results, shapes) where !shape.isCompatible(with: result.shape) {
            throw GraphError("its value has the shape \(result.shape), where \(shape) was planned")
        }
        return results
    }

    /// A string tensor that lives as long as the run, or as a tensor that holds it.
    func texts(_ strings: [[UInt8]], _ shape: Shape) -> Tensor { functions.texts.tensor(strings, shape: shape) }

    /// A scalar string as an output.
    func text(_ bytes: [UInt8]) -> Tensor { texts([bytes], []) }

    /// The one string of input `i`.
    /// - Throws: `GraphError` if it has not exactly one element.
    func bytes(_ i: Int, _ what: String) throws -> [UInt8] {
        guard inputs[i].elementCount == 1 else {
            throw GraphError("\(what) must be one string, got the shape \(inputs[i].shape)")
        }
        return inputs[i].knownStrings[0]
    }

    /// The one string of input `i` as text.
    func text(_ i: Int, _ what: String) throws -> String { String(decoding: try bytes(i, what), as: UTF8.self) }
}

/// An operation that computes each element of its output from the string at the same place in its input 0.
protocol StringMapping: StringOperation {
    static func map(_ bytes: [UInt8], _ call: DynamicCall) throws -> [UInt8]
}

extension StringMapping {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        [call.texts(try call.inputs[0].knownStrings.map { try map($0, call) }, call.inputs[0].shape)]
    }
}

/// For each element of `output`, in order, which element of a tensor of shape `shape` that broadcasts to it stands there.
func sources(_ shape: Shape, in output: Shape) -> [Int] {
    let (own, extents) = (shape.knownExtents, output.knownExtents)
    let (strides, missing) = (shape.strides, extents.count - shape.knownExtents.count)
    return extents.indices.reduce([0]) { places, i in
        let stride = i < missing || own[i - missing] == 1 ? 0 : strides[i - missing]
        return places.flatMap { place in (0..<extents[i]).map { place + $0 * stride } }
    }
}

/// The shape that strings of these shapes have together. Each shape is a scalar's or as the others.
func joinedShape(_ shapes: [Shape]) throws -> Shape {
    var result: Shape?
    var isSure = true
    for shape in shapes {
        guard let rank = shape.rank else {
            isSure = false
            continue
        }
        if rank == 0 { continue }
        guard let both = (result ?? shape).merged(with: shape) else {
            throw GraphError(
                "its inputs must be scalars or of one shape, got "
                    + shapes.map { "\($0)" }.joined(separator: ", "))
        }
        result = both
    }
    return result ?? (isSure ? [] : .unknown)
}
