/// What may stand beside a node in a function over nodes: a node, a Variable, or a Swift value, which becomes a constant of
/// the node's dtype: `pow(x, 2)`, `maximum(0, x)`, `equal(names, "a")`, `squaredDifference(x, [1, 2, 3])`.
///
/// A decimal is rounded to a floating dtype. All else must be exact: that an integer dtype cannot hold a number is a mistake
/// of the graph, told at the user's line.
public protocol TensorOperand: Sendable {}

extension Double: TensorOperand {}
extension Float: TensorOperand {}
extension BFloat16: TensorOperand {}
extension Int: TensorOperand {}
extension Int64: TensorOperand {}
extension Int32: TensorOperand {}
extension UInt8: TensorOperand {}
extension Bool: TensorOperand {}
extension String: TensorOperand {}
extension Tensor: TensorOperand {}
extension Array: TensorOperand where Element: TensorConvertible {}

extension Tensor {
    /// Axes, sizes and other small integers of an operation: int32, or int64 where one of them needs it.
    static func small(_ values: [Int]) -> Tensor {
        let narrow = values.compactMap { Int32(exactly: $0) }
        return narrow.count == values.count ? Tensor(narrow) : Tensor(values.map { Int64($0) })
    }

    /// A single one, as a scalar.
    static func small(_ value: Int) -> Tensor { Int32(exactly: value).map { Tensor($0) } ?? Tensor(Int64(value)) }
}

/// Vectors of small integers as tensors of one dtype.
func sameWidth(_ vectors: [[Int]]) -> [any TensorOperand] {
    let tensors = vectors.map { Tensor.small($0) }
    return tensors.allSatisfy { $0.dtype == .int32 } ? tensors : vectors.map { Tensor($0.map { Int64($0) }) }
}
