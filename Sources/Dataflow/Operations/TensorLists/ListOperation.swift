/// An operation on lists of tensors. Lists live on the host, whatever their elements are: none has a kernel for GPUs.
protocol ListOperation: ValueOperation {}

extension Shape {
    /// The shape that an `element_shape` says: −1 is an unknown extent, the scalar −1 a wholly unknown shape.
    /// - Throws: `GraphError` for a tensor that is neither.
    static func element(_ told: Tensor) throws -> Shape {
        guard DType.indices.contains(told.dtype) else {
            throw GraphError("element_shape must be int32 or int64, got \(told.dtype)")
        }
        let extents = told.knownIntegers
        if told.shape.rank == 0 {
            guard extents == [-1] else {
                throw GraphError("the only scalar that element_shape may be is −1, an unknown shape; got \(extents)")
            }
            return .unknown
        }
        guard told.shape.rank == 1, extents.count <= 254, extents.allSatisfy({ $0 >= -1 }) else {
            throw GraphError(
                "element_shape must be a vector of at most 254 extents of at least −1, got the shape \(told.shape)"
                    + (told.elementCount <= 16 ? " \(extents)" : ""))
        }
        return Shape(extents.map { $0 < 0 ? nil : $0 })
    }

    /// The shape of what is in the first dimension. Traps without one.
    var row: Shape {
        guard let dimensions else { return .unknown }
        return Shape(Array(dimensions.dropFirst()))
    }

    /// The shape of so many tensors of this shape one upon the other.
    func stacked(_ count: Int?) -> Shape {
        guard let dimensions else { return .unknown }
        return Shape([count] + dimensions)
    }
}

extension ShapeContext {
    /// What is known of an `element_shape`.
    func elementShape(_ input: Int) throws -> Shape {
        guard let told = constant(input) else {
            guard let count = shape(input).rank == 1 ? shape(input)[0] : nil, count <= 254 else { return .unknown }
            return .unknown(rank: count)
        }
        return try .element(told)
    }

    /// Throws unless an input is a scalar, as far as is known.
    func checkScalar(_ input: Int, _ what: String) throws {
        guard shape(input).rank ?? 0 == 0 else {
            throw GraphError("\(what) must be a scalar, got the shape \(shape(input))")
        }
    }

    /// Throws unless an input has rows, as far as is known.
    func checkRows(_ input: Int, _ what: String) throws {
        guard shape(input).rank != 0 else { throw GraphError("\(what) must be at least a vector, got a scalar") }
    }
}

extension DynamicCall {
    func list(_ input: Int) throws -> TensorList { try inputs[input].list() }

    func elementShape(_ input: Int) throws -> Shape { try .element(inputs[input]) }

    /// Bytes that a tensor may take.
    var memoryLimit: Int { functions.options.memoryLimit }

    func scalar(_ input: Int, _ what: String) throws -> Int {
        guard inputs[input].shape.rank == 0, let value = inputs[input].knownIntegers.first else {
            throw GraphError("\(what) must be a scalar, got the shape \(inputs[input].shape)")
        }
        return value
    }

    /// A vector of integers.
    func vector(_ input: Int, _ what: String) throws -> [Int] {
        guard inputs[input].shape.rank == 1 else {
            throw GraphError("\(what) must be a vector, got the shape \(inputs[input].shape)")
        }
        return inputs[input].knownIntegers
    }
}

extension Tensor {
    /// What is in each place of the first dimension, in memory that no later step writes. Traps on a scalar.
    func unstacked() throws -> [Tensor] {
        let (count, row) = (shape.knownExtents[0], shape.row)
        if dtype == .variant {
            let (all, size) = (try variants(), row.elementCount ?? 0)
            return (0..<count).map { Tensor(variants: Array(all[$0 * size..<($0 + 1) * size]), sized: row) }
        }
        let own = kept()
        return (0..<count).map { own.viewed(rows: $0..<$0 + 1).viewed(as: row) }
    }

    /// Rows `range` of the first dimension, in memory that no later step writes.
    func slice(_ range: Range<Int>) throws -> Tensor {
        guard dtype == .variant else { return kept().viewed(rows: range) }
        let size = shape.row.elementCount ?? 0
        return Tensor(
            variants: Array(try variants()[range.lowerBound * size..<range.upperBound * size]),
            sized: shape.row.stacked(range.count))
    }

    /// Tensors one after another in memory, read as `spec`, whose elements they have.
    static func joined(_ parts: [Tensor], as spec: TensorSpec, limit: Int) throws -> Tensor {
        try spec.checkSize(limit: limit)
        if spec.dtype == .variant {
            return Tensor(variants: try parts.flatMap { try $0.variants() }, sized: spec.shape)
        }
        return Tensor(dtype: spec.dtype, sized: spec.shape) { target in
            var offset = 0
            for part in parts where part.byteCount > 0 {
                part.withUnsafeBytes {
                    target.baseAddress?.advanced(by: offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
                }
                offset += part.byteCount
            }
        }
    }
}

/// The shape of a tensor's rows as an int vector node.
func rowShape(_ x: Node) -> Node { stridedSlice(shape(x, as: .int32), begin: [1], end: [0], endMask: 1) }

/// What is known of a list's elements' shapes, as an int32 node.
func elementShape(ofList list: Node) -> Node {
    list.graph.add(TensorListElementShape.self, [list], ["shape_type": .type(.int32)]).node
}

func listLength(_ list: Node) -> Node { list.graph.add(TensorListLength.self, [list]).node }
