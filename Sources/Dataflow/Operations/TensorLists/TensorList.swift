/// A list of tensors of one dtype: TensorFlow's `TensorList`. A value; places may be without an element yet.
struct TensorList: Sendable {
    let dtype: DType
    /// What is known of every element's shape.
    private(set) var elementShape: Shape
    /// The most elements that `TensorListPushBack` may add up to; nil for any number.
    private(set) var limit: Int?
    private(set) var elements: ElementTree

    /// The most places that a list may be asked to have.
    static let lengthLimit = 1 << 26

    init(_ dtype: DType, elementShape: Shape, limit: Int? = nil, _ elements: ElementTree = ElementTree()) {
        self.dtype = dtype
        self.elementShape = elementShape
        self.limit = limit
        self.elements = elements
    }

    var count: Int { elements.count }

    /// The list with `element` at its end.
    func appending(_ element: Tensor) throws -> TensorList {
        if let limit, count >= limit {
            throw GraphError(
                "the list is full: it has \(count) elements, and max_num_elements is \(limit)")
        }
        try check(element)
        try Self.check(length: count + 1)
        var result = self
        result.elements.append(element)
        return result
    }

    /// The list without its last place.
    func droppingLast() -> TensorList { resized(to: count - 1) }

    /// The list with `element` in the place `index`; traps beyond its length.
    func setting(_ element: Tensor, at index: Int) throws -> TensorList {
        try check(element)
        var result = self
        result.elements.set(element, at: index)
        return result
    }

    func resized(to count: Int) -> TensorList {
        var result = self
        result.elements.resize(to: count)
        return result
    }

    static func check(length: Int) throws {
        guard length <= lengthLimit else {
            throw GraphError("a list of \(length) elements is longer than lists may be (\(lengthLimit))")
        }
    }

    private func check(_ element: Tensor) throws {
        try check(element.dtype)
        guard elementShape.isCompatible(with: element.shape) else {
            throw GraphError(
                "the list's elements have the shape \(elementShape), one of the shape \(element.shape) does not fit")
        }
    }

    /// Throws where elements of another dtype are put in or asked for.
    func check(_ wanted: DType) throws {
        guard dtype == wanted else { throw GraphError("the list holds \(dtype), not \(wanted)") }
    }

    /// The element at `index`; zeros where there is none yet.
    ///
    /// - Parameter shape: what the operation says of the element's shape.
    /// - Throws: `GraphError` if an element is not of that shape, or if zeros are wanted and their shape cannot be told.
    func element(_ index: Int, shape: Shape, limit: Int) throws -> Tensor {
        if let element = elements[index] {
            guard shape.isCompatible(with: element.shape) else {
                throw GraphError("element \(index) of the list has the shape \(element.shape), expected \(shape)")
            }
            return element
        }
        return try zeros(common(shape, "element \(index) of the list"), limit: limit)
    }

    /// What the list, the operation and, if these leave something open, the elements say of an element's shape.
    func common(_ told: Shape, _ what: String) throws -> Shape {
        guard var shape = told.merged(with: elementShape) else {
            throw GraphError("the list's elements have the shape \(elementShape), expected \(told)")
        }
        guard !shape.isFullyDefined else { return shape }
        for case let element? in elements.all {
            guard let merged = shape.merged(with: element.shape) else {
                throw GraphError("\(what): the list's elements have different shapes, \(shape) and \(element.shape)")
            }
            shape = merged
        }
        return shape
    }

    /// An element of zeros.
    func zeros(_ shape: Shape, limit: Int) throws -> Tensor {
        guard shape.isFullyDefined else {
            throw GraphError(
                "the list has a place without an element, and its element_shape \(shape) does not tell of what shape "
                    + "the zeros there are")
        }
        guard dtype != .variant, dtype != .resource else {
            throw GraphError("the list of \(dtype) has a place without an element")
        }
        try TensorSpec(dtype, shape).checkSize(limit: limit)
        return .zeros(dtype, sized: shape)
    }

    /// A list of zeros of the same shapes.
    func zeros() throws -> TensorList {
        // Elements are often of one shape: their zeros are one tensor then.
        var last: Tensor?
        var result = self
        result.elements = try elements.map { element in
            if element.dtype != .variant, let last, last.shape == element.shape { return last }
            let zeros = try element.zeroed()
            last = zeros
            return zeros
        }
        return result
    }

    /// Adds up two lists of one length, place by place; a place without an element counts as zeros.
    static func sum(_ a: TensorList, _ b: TensorList) throws -> TensorList {
        try a.check(b.dtype)
        guard a.count == b.count else {
            throw GraphError("lists of \(a.count) and \(b.count) elements cannot be added")
        }
        guard let shape = a.elementShape.merged(with: b.elementShape) else {
            throw GraphError("lists of elements \(a.elementShape) and \(b.elementShape) cannot be added")
        }
        return TensorList(
            a.dtype, elementShape: shape, limit: a.limit,
            try ElementTree.merge(a.elements, b.elements) { try Tensor.sum($0, $1) })
    }
}
