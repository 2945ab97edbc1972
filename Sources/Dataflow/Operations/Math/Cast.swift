/// `Cast`: the elements converted; floats to integers round toward zero, anything but 0 is true.
public enum Cast: Operation {
    public static let signature = Signature(
        ["x": "SrcT"], to: ["y": "DstT"], types: ["SrcT": DType.all, "DstT": DType.all],
        defaults: ["Truncate": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [node.input(0).dtype.isFloating ? cast(node.upstream(), to: node.input(0).dtype) : nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        switch binding.inputs[0].dtype {
        case .float32: from(binding) { (x: Float) in x }
        case .float64: from(binding) { (x: Double) in x }
        case .bfloat16: from(binding) { (x: BFloat16) in x.float }
        case .int32: from(binding) { (x: Int32) in x }
        case .int64: from(binding) { (x: Int64) in x }
        case .uint8: from(binding) { (x: UInt8) in x }
        case .bool: from(binding) { (x: Bool) in x ? UInt8(1) : 0 }
        case .string, .resource, .variant: throw GraphError("no kernel for \(binding.inputs[0].dtype)")
        }
    }

    @inline(__always)
    private static func from<Source: TensorScalar, Number: NumericScalar>(
        _ binding: KernelBinding, _ read: @escaping (Source) -> Number
    ) -> Kernel {
        switch binding.outputs[0].dtype {
        case .float32: loop(binding) { (x: Source) in single(read(x)) }
        case .float64: loop(binding) { (x: Source) in read(x).asDouble }
        case .bfloat16: loop(binding) { (x: Source) in BFloat16(single(read(x))) }
        case .int32: loop(binding) { (x: Source) in integer(read(x), Int32.self) }
        case .int64: loop(binding) { (x: Source) in integer(read(x), Int64.self) }
        case .uint8: loop(binding) { (x: Source) in UInt8(truncatingIfNeeded: integer(read(x), Int64.self)) }
        case .bool: loop(binding) { (x: Source) in read(x) != 0 }
        case .string, .resource, .variant: fatalError("the signature allows no \(binding.outputs[0].dtype)")
        }
    }

    /// Rounded once: by way of float64 an int64 would be rounded twice.
    @inline(__always)
    private static func single<Number: NumericScalar>(_ x: Number) -> Float {
        if let integer = x as? Int64 { return Float(integer) }
        return Float(x.asDouble)
    }

    /// Toward zero; integers wrap, what does not fit (and NaN) becomes the smallest integer, as x86 converts.
    @inline(__always)
    private static func integer<Number: NumericScalar, Result: FixedWidthInteger>(
        _ x: Number, _ type: Result.Type
    ) -> Result {
        if let integer = x as? any FixedWidthInteger { return Result(truncatingIfNeeded: integer) }
        return Result(exactly: x.asDouble.rounded(.towardZero)) ?? .min
    }

    @inline(__always)
    private static func loop<Source: TensorScalar, Target: TensorScalar>(
        _ binding: KernelBinding, _ convert: @escaping (Source) -> Target
    ) -> Kernel {
        let (input, output, count) = (binding.input(0), binding.output(), binding.outputCount())
        return { memory in
            let x = memory.pointer(input, Source.self)
            let y = memory.pointer(output, Target.self)
            for i in 0..<count { y[i] = convert(x[i]) }
        }
    }
}

/// The elements of `x` converted to `dtype`; TensorFlow's `tf.cast`.
public func cast(
    _ x: any Operand, to dtype: DType, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.dtype == dtype && x.node.vertex.error == nil
        ? x.node : apply(Cast.self, [x], ["DstT": .type(dtype)], name, file, line)
}

extension Cast: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        let (from, to, count) = (binding.inputs[0].dtype, binding.outputs[0].dtype, binding.outputCount())
        guard let source = from.gpuName, let target = to.gpuName else { return nil }
        let wide = "v >= -9223372036854775808.0f && v < 9223372036854775808.0f ? (long)v : (long)0x8000000000000000"
        let value =
            switch (from, to) {
            case (_, .bool): "v != 0"
            case (.float32, .int32): "v >= -2147483648.0f && v < 2147483648.0f ? (int)v : (int)0x80000000"
            case (.float32, .int64): wide
            case (.float32, .uint8): "(uchar)(\(wide))"
            default: "(\(target))v"
            }
        let text = """
            KERNEL void convert(int n, GLOBAL const \(source) *x, GLOBAL \(target) *y) {
                int i = INDEX;
                if (i >= n) return;
                \(source) v = x[i];
                y[i] = \(value);
            }

            """
        return GPUProgram(
            .launch(
                GPULaunch("convert", text, items: count, memory: [.input(0), .output(0)])))
    }
}
