/// How the elements of several operands line up under one output shape: loops of `inner` neighbouring elements, in which
/// each operand moves by 0 or 1, under an odometer of outer dimensions.
struct Broadcasting {
    /// Extents of the outer dimensions, slowest first.
    private(set) var outer: [Int] = []
    /// Elements of the innermost run.
    private(set) var inner = 1
    /// For each operand, elements to move per outer dimension.
    private(set) var outerStrides: [[Int]]
    /// For each operand, 0 if it repeats one element along the inner run, else 1.
    private(set) var innerStrides: [Int]

    /// - Precondition: every shape broadcasts to `output`; all fully defined.
    init(_ shapes: [Shape], to output: Shape) {
        let extents = output.knownExtents
        let strides = shapes.map { shape -> [Int] in
            let own = shape.knownExtents
            let missing = extents.count - own.count
            return extents.indices.map { i in i < missing || own[i - missing] == 1 ? 0 : shape.strides[i - missing] }
        }
        outerStrides = Array(repeating: [], count: shapes.count)
        innerStrides = Array(repeating: 0, count: shapes.count)
        // Merge neighbouring dimensions that every operand walks evenly; those of one element vanish.
        var merged: [(extent: Int, strides: [Int])] = []
        for i in extents.indices where extents[i] != 1 {
            let here = strides.map { $0[i] }
            if let last = merged.last, zip(last.strides, here).allSatisfy({ $0 == $1 * extents[i] }) {
                merged[merged.count - 1] = (last.extent * extents[i], here)
            } else {
                merged.append((extents[i], here))
            }
        }
        if let last = merged.last, last.strides.allSatisfy({ $0 <= 1 }) {
            inner = last.extent
            innerStrides = last.strides
            merged.removeLast()
        }
        if inner == 1 { innerStrides = shapes.map { _ in 1 } }  // a single element is its own run
        outer = merged.map(\.extent)
        for operand in shapes.indices { outerStrides[operand] = merged.map { $0.strides[operand] } }
    }

    /// Turns rows of at most `limit` elements, along which an operand either goes on or begins anew, into one long run.
    /// Returns for each operand that begins anew with each row how many elements that has; nothing where this does not apply.
    mutating func flattenPatterns(atMost limit: Int) -> [Int?] {
        let none = [Int?](repeating: nil, count: outerStrides.count)
        guard outer.count == 1, inner > 1, inner <= limit else { return none }
        var result = none
        for operand in outerStrides.indices {
            switch (outerStrides[operand][0], innerStrides[operand]) {
            case (0, 0), (inner, 1): break
            case (0, 1): result[operand] = inner
            default: return none
            }
        }
        inner *= outer[0]
        outer = []
        outerStrides = outerStrides.map { _ in [] }
        return result
    }

    var outerCount: Int { outer.reduce(1, *) }

    /// The element offsets of every operand at outer position `index`.
    @inline(__always) func offset(_ operand: Int, at index: Int) -> Int {
        var rest = index
        var offset = 0
        for d in stride(from: outer.count - 1, through: 0, by: -1) {
            offset += (rest % outer[d]) * outerStrides[operand][d]
            rest /= outer[d]
        }
        return offset
    }
}
