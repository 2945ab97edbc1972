/// A bound kernel: reads its inputs' memory and writes its outputs', both found through the frame's slots.
public typealias Kernel = (Frame) throws -> Void

/// Index of a value's memory in a run.
public typealias Slot = Int

/// The memory of one run: a pointer for each slot.
public struct Frame {
    let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>

    @inline(__always) public func raw(_ slot: Slot) -> UnsafeMutableRawPointer { pointers[slot] }

    @inline(__always) public func pointer<Scalar: TensorScalar>(
        _ slot: Slot, _ type: Scalar.Type
    ) -> UnsafeMutablePointer<Scalar> { pointers[slot].assumingMemoryBound(to: type) }
}

/// What a kernel is made from: the attributes, exact shapes and dtypes, values known already, and where memory will be.
public struct KernelBinding {
    public let name: String
    public let attributes: Attributes
    /// Fully defined shapes.
    public let inputs: [TensorSpec]
    /// Fully defined shapes.
    public let outputs: [TensorSpec]
    var constants: [Tensor?]
    let inputSlots: [Slot]
    let outputSlots: [Slot]
    /// How many threads a kernel may use.
    public let threads: Int
    /// How exactly products of float32 matrices are computed.
    public let precision: MatrixPrecision
    let random: RandomState
    /// What kernels compute in; that of a kernel which runs outside of plans is its own.
    var scratch = KernelScratch()
    /// The Variable that input 0 stands for, if it is one.
    var variable: VariableBuffer?

    /// Where input `i` is.
    public func input(_ i: Int) -> Slot { inputSlots[i] }
    /// Where output `i` goes.
    public func output(_ i: Int = 0) -> Slot { outputSlots[i] }
    /// The value of input `i` if it is known before the run.
    public func constant(_ i: Int) -> Tensor? { constants[i] }
    /// The number of elements of input `i`.
    public func count(_ i: Int) -> Int { inputs[i].shape.elementCount ?? 0 }
    public func outputCount(_ i: Int = 0) -> Int { outputs[i].shape.elementCount ?? 0 }

    /// The known integers of input `i` (an axis, a shape), which the plan knows or the dynamic region has just computed.
    public func integers(_ i: Int) throws -> [Int] {
        guard let tensor = constants[i] else { throw GraphError("input \(i) must be known when the kernel is bound") }
        return tensor.knownIntegers
    }

    /// The known integer of input `i`, which must be one number.
    public func integer(_ i: Int) throws -> Int {
        let values = try integers(i)
        guard values.count == 1 else {
            throw GraphError("input \(i) must be one number, got the shape \(inputs[i].shape)")
        }
        return values[0]
    }
}

/// A kernel written once for all number types: `make` is specialised for each.
public protocol NumericKernel {
    static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel
}

/// A kernel written once for float32 and float64.
public protocol FloatKernel {
    static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel
}

/// A kernel that moves elements without looking at them, written once for each element size.
public protocol MovingKernel {
    static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel
}

extension KernelBinding {
    /// `K` for the number type `dtype`.
    public func numeric<K: NumericKernel>(_ kernel: K.Type, _ dtype: DType) throws -> Kernel {
        switch dtype {
        case .float32: try K.make(Float.self, self)
        case .float64: try K.make(Double.self, self)
        case .int32: try K.make(Int32.self, self)
        case .int64: try K.make(Int64.self, self)
        case .uint8: try K.make(UInt8.self, self)
        case .bool, .bfloat16, .string, .resource, .variant: throw GraphError("no kernel for \(dtype)")
        }
    }

    /// `K` for float32 or float64.
    public func floating<K: FloatKernel>(_ kernel: K.Type, _ dtype: DType) throws -> Kernel {
        switch dtype {
        case .float32: try K.make(Float.self, self)
        case .float64: try K.make(Double.self, self)
        default: throw GraphError("no kernel for \(dtype)")
        }
    }

    /// `K` for elements of `dtype`'s size.
    public func moving<K: MovingKernel>(_ kernel: K.Type, _ dtype: DType) throws -> Kernel {
        switch dtype.size {
        case 1: try K.make(UInt8.self, self)
        case 2: try K.make(UInt16.self, self)
        case 4: try K.make(UInt32.self, self)
        default: try K.make(UInt64.self, self)
        }
    }
}

/// How often each random operation of a session has run, so that its numbers go on where they were.
final class RandomState {
    private var runs: [String: UInt64] = [:]
    /// Overrides the counts: a worker sets the step, so that its numbers depend on the step alone.
    var step: UInt64?
    /// Mixed into the second seed if it is not 0: a worker's rank.
    var rank: UInt64 = 0
    /// What operations have learned of the values that they saw, by their names: samplers.
    var learned: [String: AnyObject] = [:]
    /// How often the session has run.
    private var sessionRuns: UInt64 = 0
    /// In a function's body: which iteration of which iteration it runs in. There the numbers depend on the run and on this
    /// alone, so that a gradient that computes an iteration again draws the same ones.
    var iteration: UInt64?

    func beginRun() { sessionRuns &+= 1 }

    /// The iteration `index` of a loop that runs in `outer`.
    static func iteration(_ index: Int, in outer: UInt64?) -> UInt64 {
        SplitMix64.first(of: (outer ?? 0) &+ UInt64(truncatingIfNeeded: index) &+ 1)
    }

    /// The number of this run of the operation `name`, counting from 0; in a body one that stands for run and iteration.
    func next(_ name: String) -> UInt64 {
        if let iteration { return SplitMix64.first(of: (step ?? sessionRuns) ^ iteration) }
        if let step { return step }
        defer { runs[name, default: 0] += 1 }
        return runs[name, default: 0]
    }
}

extension KernelBinding: CustomStringConvertible {
    /// The vertex, its inputs, its outputs and the attributes.
    public var description: String {
        let (taken, given) = (inputs.map(\.description), outputs.map(\.description))
        return "\(name)(\(taken.joined(separator: ", "))) -> (\(given.joined(separator: ", "))) \(attributes)"
    }
}
