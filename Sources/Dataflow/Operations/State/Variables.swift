/// `VariableV2`: the memory of a Variable, a reference that `Assign` and the `Apply…` operations write.
public enum VariableV2: Operation {
    public static let signature = Signature(
        [:], to: ["ref": "ref dtype"], types: ["dtype": DType.moved],
        defaults: ["container": .string(""), "shared_name": .string("")], required: ["shape"])
    public static var isStateful: Bool { true }
    public static var isVariable: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try node.attributes.shape("shape")] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        fatalError("a Variable's memory is bound by the plan")
    }
}

/// `Variable`: the first version of `VariableV2`.
public enum VariableV1: Operation {
    public static let name = "Variable"
    public static let signature = VariableV2.signature
    public static var isStateful: Bool { true }
    public static var isVariable: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try VariableV2.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try VariableV2.kernel(binding) }
}

/// `Assign`: gives a Variable a value of its dtype and shape; yields the Variable.
public enum Assign: Operation {
    public static let signature = Signature(
        ["ref": "ref T", "value": "T"], to: ["output_ref": "ref T"], types: ["T": DType.moved],
        defaults: ["validate_shape": .bool(true), "use_locking": .bool(true)])
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { [0: 0] }
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let shape = node.shape(0).merged(with: node.shape(1)) else {
            throw GraphError("a Variable of shape \(node.shape(0)) cannot be given a value of shape \(node.shape(1))")
        }
        return [shape]
    }
    /// None flows, as in TensorFlow: it is the Variable that is written.
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let (to, from, bytes) = (binding.input(0), binding.input(1), binding.count(0) * binding.inputs[0].dtype.size)
        return binding.keepingTexts(of: 1) { memory in
            if bytes > 0 { memory.raw(to).copyMemory(from: memory.raw(from), byteCount: bytes) }
        }
    }
}

extension KernelBinding {
    /// For kernels that write elements of input `i` into a Variable, which outlives the run: its texts stay.
    func keepingTexts(of i: Int, _ write: @escaping Kernel) -> Kernel {
        guard inputs[i].dtype == .string else { return write }
        let (from, count) = (input(i), count(i))
        return { memory in
            TextNumber.keep(Array(UnsafeBufferPointer(start: memory.pointer(from, TextNumber.self), count: count)))
            try write(memory)
        }
    }
}

/// `AssignAdd`: adds to a Variable in place; yields the Variable.
public enum AssignAdd: ElementwiseUpdate {
    public static let signature = Signature(
        ["ref": "ref T", "value": "T"], to: ["output_ref": "ref T"], types: ["T": DType.numbers],
        defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try Assign.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] { [x[0] + x[1]] }
}

/// `AssignSub`: subtracts from a Variable in place; yields the Variable.
public enum AssignSub: ElementwiseUpdate {
    public static let signature = AssignAdd.signature
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try Assign.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] { [x[0] - x[1]] }
}

extension Variable {
    /// Gives the Variable a value when run, a node's or a Swift value in its dtype. A single one is for every
    /// element; `tf.assign`. The result stands for the new value.
    @_disfavoredOverload
    @discardableResult
    public func assign(
        _ value: any TensorOperand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { update(Assign.self, value, name, file, line) }

    /// Adds to the Variable when run; `tf.assign_add`.
    @_disfavoredOverload
    @discardableResult
    public func assignAdd(
        _ value: any TensorOperand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { update(AssignAdd.self, value, name, file, line) }

    /// Subtracts from the Variable when run; `tf.assign_sub`.
    @_disfavoredOverload
    @discardableResult
    public func assignSub(
        _ value: any TensorOperand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { update(AssignSub.self, value, name, file, line) }

    func update(
        _ operation: any Operation.Type, _ value: any TensorOperand, _ name: String?, _ file: StaticString, _ line: UInt
    ) -> Node {
        graph.located(file, line) {
            let isNumber = !(value is any Operand)
            var value = Dataflow.node(
                value, like: self.value, in: graph, SourceLocation(file: file, line: line))
            // A single number is for every element.
            if isNumber, value.shape == [], shape != [], let extents = shape.dimensions, shape.isFullyDefined {
                value = fill(graph.constant(Tensor.small(extents.map { $0 ?? 0 })), value)
            }
            return apply(operation, [reference, value], [:], name, file, line)
        }
    }
}

extension Assign: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        if binding.inputs[0].dtype == .string { return nil }
        let bytes = binding.count(0) * binding.inputs[0].dtype.size
        return GPUProgram(.copy(from: .input(1), to: .input(0), bytes: bytes))
    }
}
