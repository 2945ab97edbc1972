/// Elements on their way into a tensor, as wide as they come: what conversions to other dtypes start from.
enum ElementList {
    case integers([Int64])
    case numbers([Double])
    case truths([Bool])
    case texts([String])

    /// TensorFlow's dtype for such elements in a program's text.
    var literalDType: DType {
        switch self {
        case .integers(let values): values.allSatisfy { Int32(exactly: $0) != nil } ? .int32 : .int64
        case .numbers: .float32
        case .truths: .bool
        case .texts: .string
        }
    }

    /// The elements of a tensor; nil for handles.
    init?(_ tensor: Tensor) {
        switch tensor.dtype {
        case .int32, .int64, .uint8: self = .integers(tensor.knownIntegers.map { Int64($0) })
        case .float32, .float64, .bfloat16: self = .numbers(tensor.knownDoubles)
        case .bool: self = .truths(tensor.elements(of: Bool.self))
        case .string: self = .texts(tensor.knownTexts)
        case .resource, .variant: return nil
        }
    }

    /// The elements as a tensor of this dtype. Decimals are rounded to a floating dtype; all else must be exact: a whole
    /// number, and what an integer dtype holds. true is 1 among numbers; of numbers only 0 and 1 are truth values.
    /// - Throws: `GraphError` that names the first element that `dtype` cannot hold.
    func tensor(_ dtype: DType, _ shape: Shape) throws -> Tensor {
        switch (self, dtype) {
        case (.texts(let values), .string): return Tensor(texts: values, sized: shape)
        case (.truths(let values), .bool): return Tensor(values, sized: shape)
        case (.texts, _): throw GraphError("a text is no \(dtype)")
        case (_, .string): throw GraphError("\(first) is no text")
        case (_, .resource), (_, .variant): throw GraphError("\(first) is no \(dtype)")
        case (.truths(let values), _): return try ElementList.integers(values.map { $0 ? 1 : 0 }).tensor(dtype, shape)
        case (.integers(let values), .int64): return Tensor(values, sized: shape)
        case (.numbers(let values), .float64): return Tensor(values, sized: shape)
        case (.integers(let values), _):
            return try ElementList.convert(values, dtype, shape, decimal: { Double(exactly: $0) }, whole: { $0 })
        case (.numbers(let values), _):
            return try ElementList.convert(values, dtype, shape, decimal: { $0 }, whole: { Int64(exactly: $0) })
        }
    }

    private var first: String {
        switch self {
        case .integers(let values): values.first.map { "\($0)" } ?? "a number"
        case .numbers(let values): values.first.map { "\($0)" } ?? "a number"
        case .truths(let values): values.first.map { "\($0)" } ?? "a truth value"
        case .texts: "a text"
        }
    }

    private static func convert<Value>(
        _ values: [Value], _ dtype: DType, _ shape: Shape, decimal: (Value) -> Double?, whole: (Value) -> Int64?
    ) throws -> Tensor {
        func each<Scalar: TensorScalar>(_ change: (Value) -> Scalar?) throws -> Tensor {
            try Tensor(
                values.map { value in
                    if let changed = change(value) { return changed }
                    throw GraphError("\(value) is no \(dtype)\(dtype == .bool ? "" : ", which cannot hold it exactly")")
                }, sized: shape)
        }
        // A whole number must be exact in a floating dtype too; a decimal is rounded, but not to infinity.
        func rounded<Number: BinaryFloatingPoint>(_ value: Value, _ number: (Double) -> Number) -> Number? {
            guard let exact = decimal(value) else { return nil }
            let near = number(exact)
            if near.isInfinite, exact.isFinite { return nil }
            return Value.self == Int64.self && Double(near) != exact ? nil : near
        }
        switch dtype {
        case .float32: return try each { rounded($0) { Float($0) } }
        case .float64: return try each { decimal($0) }
        case .bfloat16: return try each { rounded($0) { BFloat16(Float($0)).float }.map { BFloat16($0) } }
        case .int32: return try each { whole($0).flatMap { Int32(exactly: $0) } }
        case .int64: return try each { whole($0) }
        case .uint8: return try each { whole($0).flatMap { UInt8(exactly: $0) } }
        case .bool: return try each { whole($0).flatMap { $0 == 0 ? false : $0 == 1 ? true : nil } }
        case .string, .resource, .variant: throw GraphError("a number is no \(dtype)")
        }
    }
}

extension Tensor {
    /// The elements in another dtype, by the rule of `ElementList`.
    /// - Throws: `GraphError` that names the first element that `dtype` cannot hold.
    package func converted(to dtype: DType) throws -> Tensor {
        if dtype == self.dtype { return self }
        guard let elements = ElementList(self) else { throw GraphError("\(self.dtype) is no \(dtype)") }
        return try elements.tensor(dtype, shape)
    }

    /// The same elements under `shape`, if that is given; a scalar fills it.
    /// - Throws: `GraphError` if they do not fill it.
    func filling(_ shape: Shape?) throws -> Tensor {
        guard let shape, shape != self.shape else { return self }
        try shape.checkValue(dtype)
        let count = shape.elementCount ?? 0
        if count == elementCount { return viewed(as: TensorSpec(dtype, shape)) }
        guard self.shape == [] else {
            throw GraphError(
                "\(elementCount) \(elementCount == 1 ? "element does" : "elements do") not fill the shape \(shape), which has "
                    + "\(count)")
        }
        let filled = Tensor(dtype: dtype, sized: shape) { target in
            withUnsafeBytes { element in
                for i in 0..<count {
                    UnsafeMutableRawBufferPointer(rebasing: target[(i * dtype.size)...]).copyMemory(from: element)
                }
            }
        }
        filled.holdTexts()
        return filled
    }
}
