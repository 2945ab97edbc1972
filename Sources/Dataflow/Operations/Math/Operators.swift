// Operators over nodes. Beside a node may stand a number of Swift's, which takes the node's dtype.
//
// There are so many of each for the sake of the type checker and of literals. The form over two `Node`s alone lets it find
// the type of a long chain at once: without it, `a * x / b * (x + 1) * (1 - x) / 2` takes seconds. The forms over Double take
// literals, so that `x * (1 / 3)` is a third of x; if Int came as well, 1 / 3 would be 0.

// MARK: Arithmetic

/// x + y, broadcast; TensorFlow's `AddV2`.
public func + (x: Node, y: Node) -> Node { apply(AddV2.self, [x, y]) }
public func + (x: some Operand, y: some Operand) -> Node { apply(AddV2.self, [x, y]) }
public func + (x: some Operand, y: Double) -> Node { apply(AddV2.self, [x, scalar(y, like: x)]) }
public func + (x: Double, y: some Operand) -> Node { apply(AddV2.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func + (x: some Operand, y: some TensorConvertible) -> Node { apply(AddV2.self, alike(x, y)) }
@_disfavoredOverload
public func + (x: some TensorConvertible, y: some Operand) -> Node { apply(AddV2.self, alike(x, y)) }

/// x − y, broadcast; TensorFlow's `Sub`.
public func - (x: Node, y: Node) -> Node { apply(Sub.self, [x, y]) }
public func - (x: some Operand, y: some Operand) -> Node { apply(Sub.self, [x, y]) }
public func - (x: some Operand, y: Double) -> Node { apply(Sub.self, [x, scalar(y, like: x)]) }
public func - (x: Double, y: some Operand) -> Node { apply(Sub.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func - (x: some Operand, y: some TensorConvertible) -> Node { apply(Sub.self, alike(x, y)) }
@_disfavoredOverload
public func - (x: some TensorConvertible, y: some Operand) -> Node { apply(Sub.self, alike(x, y)) }

/// x · y element by element, broadcast; TensorFlow's `Mul`.
public func * (x: Node, y: Node) -> Node { apply(Mul.self, [x, y]) }
public func * (x: some Operand, y: some Operand) -> Node { apply(Mul.self, [x, y]) }
public func * (x: some Operand, y: Double) -> Node { apply(Mul.self, [x, scalar(y, like: x)]) }
public func * (x: Double, y: some Operand) -> Node { apply(Mul.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func * (x: some Operand, y: some TensorConvertible) -> Node { apply(Mul.self, alike(x, y)) }
@_disfavoredOverload
public func * (x: some TensorConvertible, y: some Operand) -> Node { apply(Mul.self, alike(x, y)) }

/// x / y of floating nodes, broadcast; TensorFlow's `RealDiv`. Integers take `floorDiv`.
public func / (x: Node, y: Node) -> Node { apply(RealDiv.self, [x, y]) }
public func / (x: some Operand, y: some Operand) -> Node { apply(RealDiv.self, [x, y]) }
public func / (x: some Operand, y: Double) -> Node { apply(RealDiv.self, [x, scalar(y, like: x)]) }
public func / (x: Double, y: some Operand) -> Node { apply(RealDiv.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func / (x: some Operand, y: some TensorConvertible) -> Node { apply(RealDiv.self, alike(x, y)) }
@_disfavoredOverload
public func / (x: some TensorConvertible, y: some Operand) -> Node { apply(RealDiv.self, alike(x, y)) }

/// The remainder of x / y with the sign of y, broadcast; TensorFlow's `FloorMod`.
public func % (x: Node, y: Node) -> Node { apply(FloorMod.self, [x, y]) }
public func % (x: some Operand, y: some Operand) -> Node { apply(FloorMod.self, [x, y]) }
public func % (x: some Operand, y: Double) -> Node { apply(FloorMod.self, [x, scalar(y, like: x)]) }
public func % (x: Double, y: some Operand) -> Node { apply(FloorMod.self, [scalar(x, like: y), y]) }
@_disfavoredOverload
public func % (x: some Operand, y: some TensorConvertible) -> Node { apply(FloorMod.self, alike(x, y)) }
@_disfavoredOverload
public func % (x: some TensorConvertible, y: some Operand) -> Node { apply(FloorMod.self, alike(x, y)) }

/// −x; TensorFlow's `Neg`.
public prefix func - (x: some Operand) -> Node { apply(Neg.self, [x]) }

/// `sum += x` stands for `sum = sum + x`: the name then means another node.
public func += (x: inout Node, y: some Operand) { x = x + y }
public func += (x: inout Node, y: Double) { x = x + y }
@_disfavoredOverload
public func += (x: inout Node, y: some TensorConvertible) { x = x + y }

public func -= (x: inout Node, y: some Operand) { x = x - y }
public func -= (x: inout Node, y: Double) { x = x - y }
@_disfavoredOverload
public func -= (x: inout Node, y: some TensorConvertible) { x = x - y }

public func *= (x: inout Node, y: some Operand) { x = x * y }
public func *= (x: inout Node, y: Double) { x = x * y }
@_disfavoredOverload
public func *= (x: inout Node, y: some TensorConvertible) { x = x * y }

public func /= (x: inout Node, y: some Operand) { x = x / y }
public func /= (x: inout Node, y: Double) { x = x / y }
@_disfavoredOverload
public func /= (x: inout Node, y: some TensorConvertible) { x = x / y }
