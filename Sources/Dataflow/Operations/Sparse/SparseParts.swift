/// A sparse tensor: TensorFlow's `tf.SparseTensor`, of three tensors: where its elements are, what they are, its shape.
struct SparseParts {
    /// Row-major [count, rank].
    let indices: [Int]
    /// [count].
    let values: Tensor
    let shape: [Int]

    var rank: Int { shape.count }
    var count: Int { values.elementCount }

    /// The parts as inputs `first`, `first + 1` and `first + 2` hold them.
    /// - Throws: `GraphError` if they do not fit each other, or an element lies outside of the shape.
    init(_ call: WholeTensors, first: Int = 0, name: String = "") throws {
        try self.init(
            indices: call.inputs[first], values: call.inputs[first + 1], shape: call.inputs[first + 2], name: name)
    }

    init(indices: Tensor, values: Tensor, shape: Tensor, name: String = "") throws {
        let label = name.isEmpty ? "" : "\(name)_"
        guard indices.shape.rank == 2, values.shape.rank == 1, shape.shape.rank == 1,
            indices.shape[0] == values.shape[0], indices.shape[1] == shape.shape[0]
        else {
            throw GraphError(
                "'\(label)indices' must have the shape [n, rank], '\(label)values' [n] and '\(label)shape' [rank], got "
                    + "\(indices.shape), \(values.shape) and \(shape.shape)")
        }
        self.indices = indices.knownIntegers
        self.values = values
        self.shape = shape.knownIntegers
        guard Shape.isAddressable(self.shape) else {
            throw GraphError("the shape \(self.shape) of a sparse tensor is no shape: its extents are at least 0")
        }
        for i in 0..<count {
            for d in 0..<rank where self[i, d] < 0 || self[i, d] >= self.shape[d] {
                throw GraphError(
                    "\(label)indices[\(i)] = \(place(i)) is not within the shape \(self.shape) of the sparse tensor")
            }
        }
    }

    init(indices: [Int], values: Tensor, shape: [Int]) {
        self.indices = indices
        self.values = values
        self.shape = shape
    }

    subscript(element: Int, dimension: Int) -> Int { indices[element * rank + dimension] }

    /// Where an element is.
    func place(_ element: Int) -> [Int] { Array(indices[element * rank..<(element + 1) * rank]) }

    /// Elements in the order of their places, row-major; those of one place as they came.
    func sorted(along dimensions: [Int]? = nil) -> [Int] {
        let order = dimensions ?? Array(0..<rank)
        func isBefore(_ a: Int, _ b: Int) -> Bool {
            for d in order where self[a, d] != self[b, d] { return self[a, d] < self[b, d] }
            return a < b
        }
        let isInOrder = count < 2 || !(1..<count).contains { isBefore($0, $0 - 1) }
        return isInOrder ? Array(0..<count) : (0..<count).sorted(by: isBefore)
    }

    /// The three tensors.
    var tensors: [Tensor] { [indexTensor, values, Tensor(int64: shape, sized: [rank])] }

    var indexTensor: Tensor { Tensor(int64: indices, sized: [count, rank]) }

    /// −1, 0 or 1: which of two elements of sparse tensors of one rank comes first, row-major.
    static func order(_ a: SparseParts, _ i: Int, _ b: SparseParts, _ j: Int) -> Int {
        for d in 0..<a.rank where a[i, d] != b[j, d] { return a[i, d] < b[j, d] ? -1 : 1 }
        return 0
    }

    /// What is known of the shapes of three tensors before the run, of inputs `first` and the two after it.
    static func check(_ node: ShapeContext, first: Int = 0) throws -> (count: Int?, rank: Int?) {
        let indices = try node.shape(first, rank: 2, "the indices of a sparse tensor")
        let values = try node.shape(first + 1, rank: 1, "the values of a sparse tensor")
        let shape = try node.shape(first + 2, rank: 1, "the shape of a sparse tensor")
        guard let count = Shape([indices[0]]).merged(with: [values[0]]),
            let rank = Shape([indices[1]]).merged(with: [shape[0]])
        else {
            throw GraphError(
                "the parts of a sparse tensor must have the shapes [n, rank], [n] and [rank], got \(indices), "
                    + "\(values) and \(shape)")
        }
        return (count[0], rank[0])
    }
}

extension Shape {
    /// Whether the extents are at least 0 and the product of those that are not 0 can be counted.
    static func isAddressable(_ extents: [Int]) -> Bool {
        var product = 1
        for extent in extents {
            guard extent >= 0 else { return false }
            let (next, overflow) = product.multipliedReportingOverflow(by: Swift.max(extent, 1))
            if overflow { return false }
            product = next
        }
        return true
    }
}
