/// One operation: its TensorFlow name and signature, shape rule, gradient and CPU kernel, all in one file.
///
/// To add one: write a type that conforms, in a file of `Operations/`; add its name to `OperationCatalog`; add TensorFlow's
/// numbers to `Tests/DataflowTests/Vectors`, or name it in `Tests/OperationCoverage` under the suite that runs it.
///
/// Names, attributes and semantics are TensorFlow's, so that any graph can be exchanged.
///
/// An operation of a program's own is a type in that program, added by `graph.add(Own.self, [x]).output(0)`; it runs, and has
/// gradients, as the others do. It stands in no catalogue, so a GraphDef with it can be written but not read again, and a
/// parameter server, which reads one, cannot run it: workers can.
public protocol Operation: Sendable {
    /// TensorFlow's name of the op. The default is the type's own name.
    static var name: String { get }

    /// TensorFlow's `OpDef`: inputs, outputs, types, attributes.
    static var signature: Signature { get }

    /// True if two runs with the same inputs may differ or have effects (Variables, random numbers): never folded.
    static var isStateful: Bool { get }

    /// True if a vertex of it *is* a Variable: its output 0 stands for the memory.
    static var isVariable: Bool { get }

    /// True if a handle (or reference) that comes in goes out again: `Enter`, `Switch`, `RefIdentity`, ….
    static var passesHandles: Bool { get }

    /// Outputs that are the same memory as an input: output index → input index.
    static var aliases: [Int: Int] { get }

    /// Inputs (Variables' memory) that the kernel overwrites.
    static var writes: [Int] { get }

    /// Why it runs on the CPU alone; nil if it has a kernel for GPUs (for float32 at least), or needs none.
    static var hostReason: String? { get }

    /// The shapes of the outputs, as far as the inputs' shapes (and values, where known) tell.
    /// - Throws: `GraphError` with both shapes in it when the inputs do not fit each other.
    static func infer(_ node: ShapeContext) throws -> [Shape]

    /// The values of the outputs where they follow from the inputs' *shapes* alone, else nil; or, of an operation whose
    /// outputs' shapes only its computation tells (such as `Unique`), where the inputs' values are known.
    static func fold(_ node: ShapeContext) throws -> [Tensor]?

    /// Ordinary nodes that compute the gradient for each input, nil where none flows.
    static func gradient(_ node: GradientContext) throws -> [Node?]

    /// A CPU kernel for these exact shapes and dtypes.
    static func kernel(_ binding: KernelBinding) throws -> Kernel
}

extension Operation {
    public static var name: String { "\(Self.self)" }
    public static var isStateful: Bool { false }
    public static var isVariable: Bool { false }
    public static var passesHandles: Bool { false }
    public static var aliases: [Int: Int] { [:] }
    public static var writes: [Int] { [] }
    public static var hostReason: String? { HostReason.standard(Self.self) }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { nil }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw missingGradient(Self.self)
    }
}

// Over metatypes, and never inlined, so that there is one of each and not one for each operation.

private func missingGradient(_ operation: any Operation.Type) -> GraphError {
    GraphError("\(operation.name) has no gradient")
}

/// A dtype and what is known of a shape.
public struct TensorSpec: Sendable, Hashable, CustomStringConvertible {
    public let dtype: DType
    public let shape: Shape

    public init(_ dtype: DType, _ shape: Shape) {
        self.dtype = dtype
        self.shape = shape
    }

    public var description: String { "\(dtype)\(shape)" }

    /// The bytes of all elements; nil where the shape is not fully known, or they are more than an Int counts.
    package var byteCount: Int? {
        guard let count = shape.elementCount else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: dtype.size)
        return overflow ? nil : bytes
    }

    /// Throws `GraphError` for a known shape whose elements take more than `limit` bytes.
    func checkSize(limit: Int) throws {
        guard shape.isFullyDefined else { return }
        if byteCount ?? .max > limit {
            throw GraphError(
                "a tensor \(self) takes more memory than this machine has or the session may use (\(limit) bytes)")
        }
    }
}

/// What a shape rule sees: attributes, the inputs' dtypes and shapes, and those values that are known already.
public struct ShapeContext: Sendable {
    public let attributes: Attributes
    public let inputs: [TensorSpec]
    let constants: [Tensor?]
    /// Bytes that a tensor may take; nil while a graph is built, when nothing large is computed.
    var memoryLimit: Int?
    /// What the functions that are called have cost so far; nil: nothing.
    var work: ShapeWork?

    package init(attributes: Attributes, inputs: [TensorSpec], constants: [Tensor?]) {
        self.attributes = attributes
        self.inputs = inputs
        self.constants = constants
    }

    public func shape(_ input: Int) -> Shape { inputs[input].shape }

    /// The value of an input, where it is known before the run.
    public func constant(_ input: Int) -> Tensor? { constants[input] }

    /// The known value of an int32 or int64 input as Ints.
    public func integers(_ input: Int) -> [Int]? { constants[input]?.knownIntegers }

    /// The known value of an int32 or int64 input that holds the extents of a shape; at most 254, as in TensorFlow.
    func extents(_ input: Int) throws -> [Int]? {
        if let count = shape(input).elementCount, count > 254 {
            throw GraphError("input \(input) must be a shape of at most 254 dimensions, got \(count)")
        }
        return integers(input)
    }

    /// The known value of an int32 or int64 input that must be one number: an axis, a size.
    public func integer(_ input: Int) throws -> Int? {
        guard shape(input).elementCount ?? 1 == 1 else {
            throw GraphError("input \(input) must be one number, got the shape \(shape(input))")
        }
        return integers(input)?.first
    }

    /// The shape of `input`, which must have this rank (or an unknown one).
    public func shape(_ input: Int, rank: Int, _ what: String) throws -> Shape {
        let shape = shape(input)
        guard shape.rank == nil || shape.rank == rank else {
            throw GraphError("\(what) must have rank \(rank), got the shape \(shape)")
        }
        return shape.rank == nil ? .unknown(rank: rank) : shape
    }
}

/// What a gradient rule sees: the vertex and the gradients that arrive at its outputs.
public struct GradientContext: Sendable {
    public let vertex: Vertex
    let arrived: [Node?]

    public var graph: Graph { vertex.graph }
    public var attributes: Attributes { vertex.attributes }
    public var inputs: [Node] { vertex.inputs }
    @inline(never)
    public func input(_ i: Int) -> Node { vertex.inputs[i] }
    public func output(_ i: Int = 0) -> Node { Node(vertex: vertex, output: i) }

    /// The gradient at output `i`; zeros if none arrived.
    @inline(never)
    public func upstream(_ i: Int = 0) -> Node { arrived[i] ?? zerosLike(output(i)) }

    /// Whether any gradient arrived at output `i`.
    public func hasUpstream(_ i: Int) -> Bool { arrived[i] != nil }
}

extension ShapeContext: CustomStringConvertible {
    /// The inputs' dtypes and shapes, and the attributes.
    public var description: String { "(\(inputs.map(\.description).joined(separator: ", "))) \(attributes)" }
}

extension GradientContext: CustomStringConvertible {
    /// The vertex, and the gradients that arrive at its outputs.
    public var description: String {
        "the gradient of \(vertex): \(arrived.map { $0?.name ?? "none" }.joined(separator: ", "))"
    }
}
