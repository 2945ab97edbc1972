/// A Swift value that a tensor can be made of: a number, a truth value, a text, a `Tensor`.
public protocol TensorConvertible: Sendable {
    /// The value as a tensor.
    func tensor() throws -> Tensor
}

extension TensorScalar {
    public func tensor() throws -> Tensor { Tensor(self) }
}
extension Float: TensorConvertible {}
extension Double: TensorConvertible {}
extension Int32: TensorConvertible {}
extension Int64: TensorConvertible {}
extension UInt8: TensorConvertible {}
extension Bool: TensorConvertible {}
extension Int: TensorConvertible {
    public func tensor() throws -> Tensor { Tensor(Int64(self)) }
}
extension String: TensorConvertible {
    public func tensor() throws -> Tensor { Tensor(texts: [self], shape: []) }
}
extension Array: TensorConvertible where Element: TensorConvertible {
    public func tensor() throws -> Tensor {
        let parts = try map { try $0.tensor() }
        guard let first = parts.first else { throw GraphError("an empty array") }
        return Tensor.numbers(
            parts.flatMap(\.doubles), dtype: first.dtype, shape: Shape([count] + first.shape.concrete))
    }
}
extension Tensor: TensorConvertible {
    public func tensor() -> Tensor { self }
    package func converted(to dtype: DType) throws -> Tensor {
        if dtype == self.dtype { return self }
        guard dtype != .string, self.dtype != .string, dtype != .resource, dtype != .variant else {
            throw GraphError("\(self.dtype) is no \(dtype)")
        }
        let result = Tensor.numbers(doubles, dtype: dtype, shape: shape)
        for (value, got) in zip(doubles, result.doubles) where value != got && !dtype.isFloating {
            throw GraphError("\(value) is no \(dtype), which cannot hold it exactly")
        }
        for (value, got) in zip(doubles, result.doubles) where value.isFinite != got.isFinite {
            throw GraphError("\(value) is no \(dtype), which cannot hold it exactly")
        }
        return result
    }
}
