/// A Swift value that a tensor can be made of: a number, a truth value, a text, a `Tensor`, and arrays of them to any rank.
///
/// A value keeps its type: Float is float32, Double float64, Int and Int64 int64, Int32 int32, UInt8 uint8; Bool is bool,
/// String string. A type of one's own conforms with `tensor()` alone.
public protocol TensorConvertible: Sendable {
    /// The value as a tensor.
    /// - Throws: `GraphError` where the rows of an array differ in length.
    func tensor() throws -> Tensor

    /// The values side by side, along a new first dimension.
    /// - Throws: `GraphError` where they differ in dtype or shape.
    static func tensor(of values: [Self]) throws -> Tensor
}

extension TensorConvertible {
    public static func tensor(of values: [Self]) throws -> Tensor {
        guard !values.isEmpty else { throw GraphError("an empty array of \(Self.self) has no shape") }
        return try Tensor.stack(try values.map { try $0.tensor() })
    }
}

/// A value that is one element of a tensor: a `TensorScalar`, or a String.
public protocol TensorElement: TensorConvertible {
    /// Elements in row-major order, whose number is the shape's.
    static func tensor(of elements: [Self], filling shape: Shape) -> Tensor
}

extension TensorElement {
    public func tensor() -> Tensor { Self.tensor(of: [self], filling: []) }
    public static func tensor(of elements: [Self]) -> Tensor { tensor(of: elements, filling: [elements.count]) }
}

extension TensorScalar {
    public static func tensor(of elements: [Self], filling shape: Shape) -> Tensor { Tensor(elements, sized: shape) }
}

extension String: TensorElement {
    public static func tensor(of elements: [String], filling shape: Shape) -> Tensor {
        Tensor(texts: elements, sized: shape)
    }
}

extension Array: TensorConvertible where Element: TensorConvertible {
    public func tensor() throws -> Tensor { try Element.tensor(of: self) }

    public static func tensor(of values: [[Element]]) throws -> Tensor {
        guard values.isEmpty else { return try Tensor.stack(try values.map { try Element.tensor(of: $0) }) }
        let inner = try Element.tensor(of: [])
        return Tensor(dtype: inner.dtype, sized: Shape([0] + inner.shape.knownExtents)) { _ in }
    }
}

extension ArraySlice: TensorConvertible where Element: TensorConvertible {
    public func tensor() throws -> Tensor { try Array(self).tensor() }
}

extension Tensor: TensorConvertible {
    public func tensor() -> Tensor { self }

    /// Tensors of one dtype and shape, side by side along a new first dimension. There is at least one.
    static func stack(_ parts: [Tensor]) throws -> Tensor {
        let first = parts[0]
        for (i, part) in parts.enumerated() where part.dtype != first.dtype || part.shape != first.shape {
            throw GraphError(
                "parts of one size make a tensor: part 0 is \(first.dtype)\(first.shape), part \(i) is "
                    + "\(part.dtype)\(part.shape)")
        }
        let stacked = Tensor(dtype: first.dtype, sized: Shape([parts.count] + first.shape.knownExtents)) { target in
            for (i, part) in parts.enumerated() where part.byteCount > 0 {
                part.withUnsafeBytes {
                    target.baseAddress!.advanced(by: i * part.byteCount)
                        .copyMemory(from: $0.baseAddress!, byteCount: $0.count)
                }
            }
        }
        stacked.holdTexts()
        return stacked
    }
}
