/// A bound kernel: it reads the memory of its inputs and writes that of its outputs, which it finds by their slots.
public typealias Kernel = (RunMemory) throws -> Void

/// The index of a value's memory in a run.
public typealias Slot = Int

/// The memory of one run: a pointer for each slot.
public struct RunMemory {
    let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>

    @inline(__always) public func raw(_ slot: Slot) -> UnsafeMutableRawPointer { pointers[slot] }

    @inline(__always) public func pointer<Scalar: TensorScalar>(
        _ slot: Slot, _ type: Scalar.Type
    ) -> UnsafeMutablePointer<Scalar> { pointers[slot].assumingMemoryBound(to: type) }
}

/// The material of a kernel: attributes, exact shapes and dtypes, values that are known already, and the slots of its
/// memory.
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
    /// The precision of products of float32 matrices.
    public let precision: MatrixPrecision
    let random: RandomState
    /// The memory that kernels compute in. A kernel outside of plans has its own.
    var scratch = KernelScratch()
    /// The Variable that input 0 stands for, if it is one.
    var variable: VariableBuffer?

    /// The slot of input `i`.
    public func input(_ i: Int) -> Slot { inputSlots[i] }
    /// The slot of output `i`.
    public func output(_ i: Int = 0) -> Slot { outputSlots[i] }
    /// The value of input `i` if it is known before the run.
    public func constant(_ i: Int) -> Tensor? { constants[i] }
    /// The number of elements of input `i`.
    public func count(_ i: Int) -> Int { inputs[i].shape.elementCount ?? 0 }
    public func outputCount(_ i: Int = 0) -> Int { outputs[i].shape.elementCount ?? 0 }

    /// The integers of input `i` (axes, a shape), which must be known when the kernel is bound.
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

/// Counts the runs of each random operation of a session, so that its numbers continue from run to run.
final class RandomState {
    private var runs: [String: UInt64] = [:]
    /// Replaces the counts if it is set. A worker sets its step, so that its numbers depend on the step alone.
    var step: UInt64?
    /// A worker's rank. It is mixed into the second seed if it is not 0.
    var rank: UInt64 = 0
    /// What samplers have learned from the values that they saw, by their names.
    var learned: [String: AnyObject] = [:]
    /// How often the session has run.
    private var sessionRuns: UInt64 = 0
    /// Within a function's body, stands for the iterations of the loops around it. The numbers then depend on the run
    /// and on this alone, so that a gradient that computes an iteration again draws the same numbers.
    var iteration: UInt64?

    func beginRun() { sessionRuns &+= 1 }

    /// Stands for iteration `index` of a loop inside `outer`.
    static func iteration(_ index: Int, in outer: UInt64?) -> UInt64 {
        SplitMix64.first(of: (outer ?? 0) &+ UInt64(truncatingIfNeeded: index) &+ 1)
    }

    /// The number of this run of the operation `name`, from 0. Within a body, a number that stands for run and
    /// iteration.
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
