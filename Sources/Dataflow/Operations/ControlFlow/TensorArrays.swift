/// `TensorArrayV3`: an array of tensors that lives for one run, each element written once.
public enum TensorArrayV3: DynamicOperation {
    public static let signature = Signature(
        ["size": "int32"], to: ["handle": "resource", "flow": "float32"], types: ["dtype": DType.any],
        defaults: [
            "element_shape": .shape(.unknown), "dynamic_size": .bool(false), "clear_after_read": .bool(true),
            "identical_element_shapes": .bool(false), "tensor_array_name": .string(""),
        ])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[], []] }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let size = try call.integer(0, "'size'")
        let limit = call.functions.options.memoryLimit / MemoryLayout<KeptTensor?>.stride
        guard size >= 0, size <= limit else {
            throw GraphError("'size' is \(size); it must be at least 0 and at most \(limit), what memory holds")
        }
        let array = TensorArray(
            try call.attributes.type("dtype"), size: size, isDynamic: try call.attributes.bool("dynamic_size"),
            isCleared: try call.attributes.bool("clear_after_read"),
            elementShape: try call.attributes.shape("element_shape"),
            isUniform: try call.attributes.bool("identical_element_shapes"),
            limit: call.functions.options.memoryLimit)
        return [call.resources.makeArray(array), Tensor(Float(0))]
    }
}

/// `TensorArrayGradV3`: the array of the gradients of another's elements.
public enum TensorArrayGradV3: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "flow_in": "float32"], to: ["grad_handle": "resource", "flow_out": "float32"],
        required: ["source"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[], []] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let source = try call.attributes.string("source")
        return [try call.resources.gradientArray(of: call.inputs[0], source: source), Tensor(Float(0))]
    }
}

/// `TensorArrayWriteV3`: puts an element into an array.
public enum TensorArrayWriteV3: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "index": "int32", "value": "T", "flow_in": "float32"], to: ["flow_out": "float32"],
        types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let index = try call.integer(1, "'index'")
        try call.resources.withArray(call.inputs[0]) { try $0.write(call.inputs[2], at: index) }
        return [try call.flow(3)]
    }
}

/// `TensorArrayReadV3`: an element of an array.
public enum TensorArrayReadV3: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "index": "int32", "flow_in": "float32"], to: ["value": "dtype"],
        types: ["dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [.unknown] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let index = try call.integer(1, "'index'")
        let dtype = try call.attributes.type("dtype")
        return [try call.resources.withArray(call.inputs[0]) { try $0.read(index, as: dtype) }]
    }
}

/// `TensorArraySizeV3`: how many elements an array has.
public enum TensorArraySizeV3: DynamicOperation {
    public static let signature = Signature(["handle": "resource", "flow_in": "float32"], to: ["size": "int32"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        [Tensor(Int32(clamping: try call.resources.withArray(call.inputs[0]) { $0.size }))]
    }
}

/// `TensorArrayGatherV3`: elements of an array, stacked.
public enum TensorArrayGatherV3: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "indices": "int32", "flow_in": "float32"], to: ["value": "dtype"],
        types: ["dtype": DType.any], defaults: ["element_shape": .shape(.unknown)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let element = try node.attributes.shape("element_shape")
        return [element.dimensions.map { Shape([node.shape(1)[0]] + $0) } ?? .unknown]
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let indices = call.inputs[1].knownIntegers
        let dtype = try call.attributes.type("dtype")
        let elements = try call.resources.withArray(call.inputs[0]) { array in
            try indices.map { try array.read($0, as: dtype) }
        }
        guard let first = elements.first else {
            let element = try call.attributes.shape("element_shape")
            guard element.isFullyDefined else { throw GraphError("no elements are gathered, of unknown shape") }
            return [.zeros(dtype, sized: Shape([0] + element.knownExtents))]
        }
        guard let odd = elements.first(where: { $0.shape != first.shape }) else {
            return [try call.joined(elements, dtype, Shape([elements.count] + first.shape.knownExtents))]
        }
        throw GraphError("elements of the shapes \(first.shape) and \(odd.shape) cannot be stacked")
    }
}

/// `TensorArrayScatterV3`: the rows of a tensor as elements of an array.
public enum TensorArrayScatterV3: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "indices": "int32", "value": "T", "flow_in": "float32"], to: ["flow_out": "float32"],
        types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        // Kept once, the elements share it.
        let (indices, value) = (call.inputs[1].knownIntegers, KeptTensor(call.inputs[2]).tensor)
        guard value.shape.rank ?? 0 > 0, value.shape.knownExtents[0] == indices.count else {
            throw GraphError("'value' must have a row for each of \(indices.count) indices, got \(value.shape)")
        }
        let shape = Shape(Array(value.shape.knownExtents.dropFirst()))
        try call.resources.withArray(call.inputs[0]) { array in
            for (row, index) in indices.enumerated() {
                try array.write(value.viewed(rows: row..<row + 1).viewed(as: TensorSpec(value.dtype, shape)), at: index)
            }
        }
        return [try call.flow(3)]
    }
}

/// `TensorArrayConcatV3`: the elements of an array behind each other along their first dimension, and their lengths.
public enum TensorArrayConcatV3: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "flow_in": "float32"], to: ["value": "dtype", "lengths": "int64"],
        types: ["dtype": DType.any], defaults: ["element_shape_except0": .shape(.unknown)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [.unknown, [nil]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let dtype = try call.attributes.type("dtype")
        let elements = try call.resources.withArray(call.inputs[0]) { array in
            try (0..<array.size).map { try array.read($0, as: dtype) }
        }
        guard let first = elements.first, first.shape.rank ?? 0 > 0 else {
            throw GraphError("there is no element with a first dimension to concatenate")
        }
        let rest = Array(first.shape.knownExtents.dropFirst())
        for element in elements where Array(element.shape.knownExtents.dropFirst()) != rest {
            throw GraphError("elements of the shapes \(first.shape) and \(element.shape) cannot be concatenated")
        }
        let lengths = elements.map { $0.shape.knownExtents[0] }
        let rows = try lengths.reduce(0) { total, length in
            let (sum, overflow) = total.addingReportingOverflow(length)
            guard !overflow else { throw GraphError("elements of \(lengths) rows cannot be concatenated") }
            return sum
        }
        return [
            try call.joined(elements, dtype, Shape([rows] + rest)),
            Tensor(lengths.map { Int64($0) }),
        ]
    }
}

/// `TensorArraySplitV3`: pieces of a tensor of the given lengths as the elements of an array.
public enum TensorArraySplitV3: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "value": "T", "lengths": "int64", "flow_in": "float32"], to: ["flow_out": "float32"],
        types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (value, lengths) = (KeptTensor(call.inputs[1]).tensor, call.inputs[2].knownIntegers)
        guard value.shape.rank ?? 0 > 0, let rows = value.shape[0], lengths.allSatisfy({ (0...rows).contains($0) }),
            lengths.reduce(0, { $0.addingReportingOverflow($1).partialValue }) == rows
        else { throw GraphError("the lengths \(lengths) do not add up to the rows of \(value.shape)") }
        var start = 0
        try call.resources.withArray(call.inputs[0]) { array in
            for (index, length) in lengths.enumerated() {
                try array.write(value.viewed(rows: start..<start + length), at: index)
                start += length
            }
        }
        return [try call.flow(3)]
    }
}

/// `TensorArrayCloseV3`: forgets an array.
public enum TensorArrayCloseV3: DynamicOperation {
    public static let signature = Signature(["handle": "resource"], to: [:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        call.resources.closeArray(call.inputs[0])
        return []
    }
}

extension DynamicCall {
    /// The scalar that says only what goes before what.
    func flow(_ i: Int) throws -> Tensor {
        guard inputs[i].elementCount == 1 else {
            throw GraphError("'flow_in' must be a scalar, got the shape \(inputs[i].shape)")
        }
        return inputs[i].viewed(as: [])
    }

    /// A scalar integer input.
    func integer(_ i: Int, _ what: String) throws -> Int {
        guard DType.indices.contains(inputs[i].dtype), inputs[i].elementCount == 1 else {
            throw GraphError("\(what) must be one integer, got \(inputs[i].dtype)\(inputs[i].shape)")
        }
        return inputs[i].knownIntegers[0]
    }

    /// The bytes of tensors behind each other.
    fileprivate func joined(_ tensors: [Tensor], _ dtype: DType, _ shape: Shape) throws -> Tensor {
        try TensorSpec(dtype, shape).checkSize(limit: functions.options.memoryLimit)
        return Tensor(dtype: dtype, sized: shape) { target in
            var at = 0
            for tensor in tensors {
                tensor.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: target[at..<at + bytes.count]).copyMemory(from: bytes)
                    at += bytes.count
                }
            }
        }
    }
}
