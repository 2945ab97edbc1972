/// The diagonals from `lower` to `upper` (0 is the main one, 1 the one above it) of the matrices in the last two dimensions.
///
/// One diagonal is a vector of its length. Several are the rows of a matrix, the uppermost first, each as long as the longest;
/// which end of a shorter one is padded says the alignment.
struct DiagonalBand {
    private let rows: Int
    private let columns: Int
    private let matrices: Int
    private let lower: Int
    private let upper: Int
    private let longest: Int
    private let isLeftAbove: Bool
    private let isLeftBelow: Bool

    /// - Parameter alignment: "LEFT_RIGHT" and so on: of the diagonals above the main one and of those below; the elements
    ///   of "RIGHT" ones stand at the end of their row.
    init(matrix: Shape, lower: Int, upper: Int, alignment: String = "LEFT_LEFT") throws {
        let extents = matrix.knownExtents
        (rows, columns) = (extents[extents.count - 2], extents[extents.count - 1])
        matrices = extents.dropLast(2).reduce(1, *)
        (self.lower, self.upper) = (lower, upper)
        (isLeftAbove, isLeftBelow) = try Self.parse(alignment)
        longest = Self.longest(rows, columns, lower, upper)
    }

    private static func parse(_ alignment: String) throws -> (above: Bool, below: Bool) {
        switch alignment {
        case "LEFT_LEFT": return (true, true)
        case "LEFT_RIGHT": return (true, false)
        case "RIGHT_LEFT": return (false, true)
        case "RIGHT_RIGHT": return (false, false)
        default:
            throw GraphError("'align' must be LEFT_LEFT, LEFT_RIGHT, RIGHT_LEFT or RIGHT_RIGHT, got \(alignment)")
        }
    }

    static func longest(_ rows: Int, _ columns: Int, _ lower: Int, _ upper: Int) -> Int {
        Swift.max(Swift.min(rows + Swift.min(upper, 0), columns - Swift.max(lower, 0)), 0)
    }

    /// Calls `body` for each element of each diagonal with its places in the matrices and among the diagonals.
    private func visit(_ body: (_ matrix: Int, _ diagonal: Int) -> Void) {
        let count = upper - lower + 1
        for m in 0..<matrices {
            for (i, d) in (lower...upper).reversed().enumerated() {
                let length = Swift.max(Swift.min(rows + Swift.min(d, 0), columns - Swift.max(d, 0)), 0)
                let isLeft = (d >= 0 && isLeftAbove) || (d <= 0 && isLeftBelow)
                let start = (m * count + i) * longest + (isLeft ? 0 : longest - length)
                let first = (m * rows + Swift.max(-d, 0)) * columns + Swift.max(d, 0)
                for n in 0..<length { body(first + n * (columns + 1), start + n) }
            }
        }
    }

    /// Writes input `diagonal` over what `background` writes.
    func placing(_ binding: KernelBinding, diagonal: Int, under background: @escaping Kernel) -> Kernel {
        let (source, target, size) = (binding.input(diagonal), binding.output(), binding.outputs[0].dtype.size)
        return { memory in
            try background(memory)
            visit { matrix, diagonal in
                (memory.raw(target) + matrix * size)
                    .copyMemory(from: memory.raw(source) + diagonal * size, byteCount: size)
            }
        }
    }

    /// Takes the diagonals of input 0; what is beyond shorter ones is input `padding`.
    func taking(_ binding: KernelBinding, padding: Int?) -> Kernel {
        let (source, target, size) = (binding.input(0), binding.output(), binding.outputs[0].dtype.size)
        let background = padding.map { binding.filling(with: $0) }
        return { memory in
            try background?(memory)
            visit { matrix, diagonal in
                (memory.raw(target) + diagonal * size)
                    .copyMemory(from: memory.raw(source) + matrix * size, byteCount: size)
            }
        }
    }

    // MARK: Shapes

    /// Of the diagonals of `matrix`.
    static func partShape(_ matrix: Shape, lower: Int, upper: Int) throws -> Shape {
        guard let extents = matrix.dimensions else { return .unknown }
        guard extents.count >= 2 else {
            throw GraphError("the input must have at least rank 2, got the shape \(matrix)")
        }
        let (rows, columns) = (extents[extents.count - 2], extents[extents.count - 1])
        var length: Int?
        if let rows, let columns {
            for d in [lower, upper] where d != 0 && (d <= -rows || d >= columns) {
                throw GraphError("the diagonal \(d) is beyond the matrices of shape \(matrix)")
            }
            length = longest(rows, columns, lower, upper)
        }
        return Shape(extents.dropLast(2) + (lower == upper ? [length] : [upper - lower + 1, length]))
    }

    /// Of matrices (input 0) whose diagonals (input 1) are set.
    static func setShape(_ node: ShapeContext, lower: Int, upper: Int) throws -> [Shape] {
        let wanted = try partShape(node.shape(0), lower: lower, upper: upper)
        guard node.shape(1).isCompatible(with: wanted) else {
            throw GraphError(
                "'diagonal' must have the shape \(wanted) for an input of shape \(node.shape(0)), got \(node.shape(1))")
        }
        return [node.shape(0)]
    }

    /// The one or two numbers of `k`, nil where they are not known yet.
    static func range(_ k: [Int]?) throws -> (lower: Int, upper: Int)? {
        guard let k else { return nil }
        guard let lower = k.first, let upper = k.last, k.count <= 2, lower <= upper else {
            throw GraphError("'k' must be one number or the lowest and the highest of a range, got \(k)")
        }
        return (lower, upper)
    }
}

extension KernelBinding {
    /// Writes the scalar input `i` to every element of output 0.
    func filling(with i: Int) -> Kernel {
        StridedCopy([outputCount()], from: [0]).kernel(self, from: i)
    }
}
