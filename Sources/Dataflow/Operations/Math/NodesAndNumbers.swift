// Functions of a node and a number that stands in the program. A literal is a Double here, as for operators, so that
// `pow(x, 1 / 3)` is a cube root: were it an Int, 1 / 3 would be 0. The forms over `TensorOperand` take all other values.

/// As `sub` of two nodes: the number takes the node's dtype.
public func sub(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Sub.self, [x, y], name, file, line) }

/// As `sub` of two nodes: the number takes the node's dtype.
public func sub(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Sub.self, [x, y], name, file, line) }

/// As `div` of two nodes: the number takes the node's dtype.
public func div(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(RealDiv.self, [x, y], name, file, line) }

/// As `div` of two nodes: the number takes the node's dtype.
public func div(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(RealDiv.self, [x, y], name, file, line) }

/// As `mul` of two nodes: the number takes the node's dtype.
public func mul(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Mul.self, [x, y], name, file, line) }

/// As `mul` of two nodes: the number takes the node's dtype.
public func mul(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Mul.self, [x, y], name, file, line) }

/// As `add` of two nodes: the number takes the node's dtype.
public func add(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(AddV2.self, [x, y], name, file, line) }

/// As `add` of two nodes: the number takes the node's dtype.
public func add(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(AddV2.self, [x, y], name, file, line) }

/// As `less` of two nodes: the number takes the node's dtype.
public func less(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Less.self, [x, y], name, file, line) }

/// As `less` of two nodes: the number takes the node's dtype.
public func less(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Less.self, [x, y], name, file, line) }

/// As `lessEqual` of two nodes: the number takes the node's dtype.
public func lessEqual(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(LessEqual.self, [x, y], name, file, line) }

/// As `lessEqual` of two nodes: the number takes the node's dtype.
public func lessEqual(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(LessEqual.self, [x, y], name, file, line) }

/// As `greater` of two nodes: the number takes the node's dtype.
public func greater(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Greater.self, [x, y], name, file, line) }

/// As `greater` of two nodes: the number takes the node's dtype.
public func greater(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Greater.self, [x, y], name, file, line) }

/// As `greaterEqual` of two nodes: the number takes the node's dtype.
public func greaterEqual(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(GreaterEqual.self, [x, y], name, file, line) }

/// As `greaterEqual` of two nodes: the number takes the node's dtype.
public func greaterEqual(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(GreaterEqual.self, [x, y], name, file, line) }

/// As `equal` of two nodes: the number takes the node's dtype.
public func equal(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Equal.self, [x, y], name, file, line) }

/// As `equal` of two nodes: the number takes the node's dtype.
public func equal(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Equal.self, [x, y], name, file, line) }

/// As `notEqual` of two nodes: the number takes the node's dtype.
public func notEqual(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(NotEqual.self, [x, y], name, file, line) }

/// As `notEqual` of two nodes: the number takes the node's dtype.
public func notEqual(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(NotEqual.self, [x, y], name, file, line) }

/// As `squaredDifference` of two nodes: the number takes the node's dtype.
public func squaredDifference(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(SquaredDifference.self, [x, y], name, file, line) }

/// As `squaredDifference` of two nodes: the number takes the node's dtype.
public func squaredDifference(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(SquaredDifference.self, [x, y], name, file, line) }

/// As `floorDiv` of two nodes: the number takes the node's dtype.
public func floorDiv(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(FloorDiv.self, [x, y], name, file, line) }

/// As `floorDiv` of two nodes: the number takes the node's dtype.
public func floorDiv(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(FloorDiv.self, [x, y], name, file, line) }

/// As `floorMod` of two nodes: the number takes the node's dtype.
public func floorMod(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(FloorMod.self, [x, y], name, file, line) }

/// As `floorMod` of two nodes: the number takes the node's dtype.
public func floorMod(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(FloorMod.self, [x, y], name, file, line) }

/// As `divNoNan` of two nodes: the number takes the node's dtype.
public func divNoNan(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(DivNoNan.self, [x, y], name, file, line) }

/// As `divNoNan` of two nodes: the number takes the node's dtype.
public func divNoNan(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(DivNoNan.self, [x, y], name, file, line) }

/// As `pow` of two nodes: the number takes the node's dtype.
public func pow(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Pow.self, [x, y], name, file, line) }

/// As `pow` of two nodes: the number takes the node's dtype.
public func pow(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Pow.self, [x, y], name, file, line) }

/// As `maximum` of two nodes: the number takes the node's dtype.
public func maximum(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Maximum.self, [x, y], name, file, line) }

/// As `maximum` of two nodes: the number takes the node's dtype.
public func maximum(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Maximum.self, [x, y], name, file, line) }

/// As `minimum` of two nodes: the number takes the node's dtype.
public func minimum(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Minimum.self, [x, y], name, file, line) }

/// As `minimum` of two nodes: the number takes the node's dtype.
public func minimum(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Minimum.self, [x, y], name, file, line) }

/// As `truncateDiv` of two nodes: the number takes the node's dtype.
public func truncateDiv(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(TruncateDiv.self, [x, y], name, file, line) }

/// As `truncateDiv` of two nodes: the number takes the node's dtype.
public func truncateDiv(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(TruncateDiv.self, [x, y], name, file, line) }

/// As `truncateMod` of two nodes: the number takes the node's dtype.
public func truncateMod(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(TruncateMod.self, [x, y], name, file, line) }

/// As `truncateMod` of two nodes: the number takes the node's dtype.
public func truncateMod(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(TruncateMod.self, [x, y], name, file, line) }

/// As `mulNoNan` of two nodes: the number takes the node's dtype.
public func mulNoNan(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(MulNoNan.self, [x, y], name, file, line) }

/// As `mulNoNan` of two nodes: the number takes the node's dtype.
public func mulNoNan(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(MulNoNan.self, [x, y], name, file, line) }

/// As `xlogy` of two nodes: the number takes the node's dtype.
public func xlogy(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Xlogy.self, [x, y], name, file, line) }

/// As `xlogy` of two nodes: the number takes the node's dtype.
public func xlogy(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Xlogy.self, [x, y], name, file, line) }

/// As `xlog1py` of two nodes: the number takes the node's dtype.
public func xlog1py(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Xlog1py.self, [x, y], name, file, line) }

/// As `xlog1py` of two nodes: the number takes the node's dtype.
public func xlog1py(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Xlog1py.self, [x, y], name, file, line) }

/// As `xdivy` of two nodes: the number takes the node's dtype.
public func xdivy(
    _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Xdivy.self, [x, y], name, file, line) }

/// As `xdivy` of two nodes: the number takes the node's dtype.
public func xdivy(
    _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Xdivy.self, [x, y], name, file, line) }

/// As `zeta` of two nodes: the number takes the node's dtype.
public func zeta(
    _ x: any Operand, _ q: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Zeta.self, [x, q], name, file, line) }

/// As `zeta` of two nodes: the number takes the node's dtype.
public func zeta(
    _ x: Double, _ q: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Zeta.self, [x, q], name, file, line) }

/// As `atan2` of two nodes: the number takes the node's dtype.
public func atan2(
    _ y: any Operand, _ x: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Atan2.self, [y, x], name, file, line) }

/// As `atan2` of two nodes: the number takes the node's dtype.
public func atan2(
    _ y: Double, _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(Atan2.self, [y, x], name, file, line) }

/// As `select` of three nodes: the number takes the node's dtype.
public func select(
    _ condition: any Operand, _ x: any Operand, _ y: Double, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { choose(condition, x, y, name, file, line) }

/// As `select` of three nodes: the number takes the node's dtype.
public func select(
    _ condition: any Operand, _ x: Double, _ y: any Operand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { choose(condition, x, y, name, file, line) }

/// One float32 number where `condition` holds, else the other.
public func select(
    _ condition: any Operand, _ x: Double, _ y: Double, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { choose(condition, Float(x), Float(y), name, file, line) }

/// `x` held between two numbers, which take its dtype.
public func clip(
    _ x: any Operand, _ min: Double, _ max: Double, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(ClipByValue.self, [x, min, max], name, file, line) }

extension Variable {
    /// Gives the Variable a number when run, in its dtype; `tf.assign`.
    @discardableResult
    public func assign(
        _ value: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { update(Assign.self, value, name, file, line) }

    /// Adds a number to the Variable when run, in its dtype; `tf.assign_add`.
    @discardableResult
    public func assignAdd(
        _ value: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { update(AssignAdd.self, value, name, file, line) }

    /// Subtracts a number from the Variable when run, in its dtype; `tf.assign_sub`.
    @discardableResult
    public func assignSub(
        _ value: Double, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { update(AssignSub.self, value, name, file, line) }
}
