// Comparisons and logic element by element, spelled as Swift's SIMD types spell them. The operators and their precedence
// are the standard library's. As in `Operators.swift` a number of Swift's may stand beside a node.

// MARK: Comparisons

/// Whether x < y element by element, broadcast, as bool; as `less`.
public func .< (x: Node, y: Node) -> Node { apply(Less.self, [x, y]) }
public func .< (x: some Operand, y: some Operand) -> Node { apply(Less.self, [x, y]) }
public func .< (x: some Operand, y: Double) -> Node { apply(Less.self, [x, scalar(y, like: x)]) }
public func .< (x: Double, y: some Operand) -> Node { apply(Less.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func .< (x: some Operand, y: some TensorConvertible) -> Node { apply(Less.self, alike(x, y)) }
@_disfavoredOverload
public func .< (x: some TensorConvertible, y: some Operand) -> Node { apply(Less.self, alike(x, y)) }

/// Whether x ≤ y element by element, broadcast, as bool; as `lessEqual`.
public func .<= (x: Node, y: Node) -> Node { apply(LessEqual.self, [x, y]) }
public func .<= (x: some Operand, y: some Operand) -> Node { apply(LessEqual.self, [x, y]) }
public func .<= (x: some Operand, y: Double) -> Node { apply(LessEqual.self, [x, scalar(y, like: x)]) }
public func .<= (x: Double, y: some Operand) -> Node { apply(LessEqual.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func .<= (x: some Operand, y: some TensorConvertible) -> Node { apply(LessEqual.self, alike(x, y)) }
@_disfavoredOverload
public func .<= (x: some TensorConvertible, y: some Operand) -> Node { apply(LessEqual.self, alike(x, y)) }

/// Whether x > y element by element, broadcast, as bool; as `greater`.
public func .> (x: Node, y: Node) -> Node { apply(Greater.self, [x, y]) }
public func .> (x: some Operand, y: some Operand) -> Node { apply(Greater.self, [x, y]) }
public func .> (x: some Operand, y: Double) -> Node { apply(Greater.self, [x, scalar(y, like: x)]) }
public func .> (x: Double, y: some Operand) -> Node { apply(Greater.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func .> (x: some Operand, y: some TensorConvertible) -> Node { apply(Greater.self, alike(x, y)) }
@_disfavoredOverload
public func .> (x: some TensorConvertible, y: some Operand) -> Node { apply(Greater.self, alike(x, y)) }

/// Whether x ≥ y element by element, broadcast, as bool; as `greaterEqual`.
public func .>= (x: Node, y: Node) -> Node { apply(GreaterEqual.self, [x, y]) }
public func .>= (x: some Operand, y: some Operand) -> Node { apply(GreaterEqual.self, [x, y]) }
public func .>= (x: some Operand, y: Double) -> Node { apply(GreaterEqual.self, [x, scalar(y, like: x)]) }
public func .>= (x: Double, y: some Operand) -> Node { apply(GreaterEqual.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func .>= (x: some Operand, y: some TensorConvertible) -> Node { apply(GreaterEqual.self, alike(x, y)) }
@_disfavoredOverload
public func .>= (x: some TensorConvertible, y: some Operand) -> Node { apply(GreaterEqual.self, alike(x, y)) }

/// Whether x = y element by element, broadcast, as bool; as `equal`.
public func .== (x: Node, y: Node) -> Node { apply(Equal.self, [x, y]) }
public func .== (x: some Operand, y: some Operand) -> Node { apply(Equal.self, [x, y]) }
public func .== (x: some Operand, y: Double) -> Node { apply(Equal.self, [x, scalar(y, like: x)]) }
public func .== (x: Double, y: some Operand) -> Node { apply(Equal.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func .== (x: some Operand, y: some TensorConvertible) -> Node { apply(Equal.self, alike(x, y)) }
@_disfavoredOverload
public func .== (x: some TensorConvertible, y: some Operand) -> Node { apply(Equal.self, alike(x, y)) }

/// Whether x ≠ y element by element, broadcast, as bool; as `notEqual`.
public func .!= (x: Node, y: Node) -> Node { apply(NotEqual.self, [x, y]) }
public func .!= (x: some Operand, y: some Operand) -> Node { apply(NotEqual.self, [x, y]) }
public func .!= (x: some Operand, y: Double) -> Node { apply(NotEqual.self, [x, scalar(y, like: x)]) }
public func .!= (x: Double, y: some Operand) -> Node { apply(NotEqual.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func .!= (x: some Operand, y: some TensorConvertible) -> Node { apply(NotEqual.self, alike(x, y)) }
@_disfavoredOverload
public func .!= (x: some TensorConvertible, y: some Operand) -> Node { apply(NotEqual.self, alike(x, y)) }

// MARK: Logic

/// x and y element by element, bool, broadcast; as `logicalAnd`.
public func .& (x: some Operand, y: some Operand) -> Node { apply(LogicalAnd.self, [x, y]) }
/// x or y element by element, bool, broadcast; as `logicalOr`.
public func .| (x: some Operand, y: some Operand) -> Node { apply(LogicalOr.self, [x, y]) }
/// Not x element by element, bool; as `logicalNot`.
public prefix func .! (x: some Operand) -> Node { apply(LogicalNot.self, [x]) }
