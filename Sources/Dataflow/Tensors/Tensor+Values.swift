extension Tensor {
    /// What stands in the program: `Tensor(0.5)`, `Tensor([[1, 2], [3, 4]])`, `Tensor(["a", "b"])`, to any rank.
    ///
    /// Whole numbers are int32, numbers with a point float32, true and false bool, texts string, unless `dtype` says
    /// otherwise. Rows of several lengths, and numbers that `dtype` cannot hold exactly, are a programmer's mistake, which
    /// ends the program. Values that the program computes keep their type: see the other initialisers.
    public init(_ literal: TensorLiteral, dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line) {
        do { self = try literal.tensor(dtype) } catch {
            fatalError("Tensor(\(literal)): \(error)", file: file, line: line)
        }
    }

    /// What stands in the program, in row-major order, under a shape; a single number fills it.
    /// - Throws: `GraphError` with both sizes if the elements do not fill the shape.
    public init(_ literal: TensorLiteral, dtype: DType? = nil, shape: Shape) throws {
        self = try literal.tensor(dtype, shape)
    }

    /// A scalar, shape `[]`, of the value's type.
    @_disfavoredOverload
    public init<Element: TensorElement>(_ value: Element) { self = Element.tensor(of: [value], filling: []) }

    /// A vector, shape `[elements.count]`, of the values' type.
    @_disfavoredOverload
    public init<Element: TensorElement>(_ elements: [Element]) {
        self = Element.tensor(of: elements, filling: [elements.count])
    }

    /// A value, or arrays of values to any rank, of the values' type or of `dtype`.
    /// - Throws: `GraphError` with both sizes where rows differ in length, and where `dtype` cannot hold a value exactly;
    ///   decimals are rounded to a floating dtype.
    @_disfavoredOverload
    public init<Value: TensorConvertible>(_ value: Value, dtype: DType? = nil) throws {
        let tensor = try value.tensor()
        self = try dtype.map { try tensor.converted(to: $0) } ?? tensor
    }

    /// Elements in row-major order, of the values' type or of `dtype`, under a shape; a single value fills it.
    /// - Throws: `GraphError` with both sizes if the elements do not fill the shape.
    @_disfavoredOverload
    public init<Value: TensorConvertible>(_ elements: Value, dtype: DType? = nil, shape: Shape) throws {
        self = try Tensor(elements, dtype: dtype).filling(shape)
    }

    /// Every element `value`.
    /// - Throws: `GraphError` unless `shape` is fully known and has a size that memory holds.
    public init(repeating value: TensorLiteral, dtype: DType? = nil, shape: Shape) throws {
        self = try Tensor(repeating: try value.tensor(dtype), shape)
    }

    /// Every element `value`, of the value's type.
    /// - Throws: `GraphError` unless `shape` is fully known and has a size that memory holds.
    @_disfavoredOverload
    public init<Element: TensorElement>(repeating value: Element, shape: Shape) throws {
        self = try Tensor(repeating: value.tensor(), shape)
    }

    private init(repeating element: Tensor, _ shape: Shape) throws {
        guard element.shape == [] else {
            throw GraphError("a single value is repeated, got the shape \(element.shape)")
        }
        self = try element.filling(shape)
    }
}
