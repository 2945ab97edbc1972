public import Dataflow

/// NumPy's `.npy`: one array.
///
/// Texts (S, bytes of one length, and U) are read as strings and written as S: NumPy drops zero bytes at the end of these.
/// f4, f8, i4, i8, u1 and b1 are read as they are, f2 as float32, i1, i2 and u2 as int32; both byte orders, both
/// element orders. Files are written little-endian and row-major.
public enum Npy {
    /// Reads a file, gunzipping it if it is gzipped. Throws `FormatError`.
    public static func read(_ path: String) throws -> Tensor { try decode(Gzip.read(path), name: path) }

    /// The array in the bytes of a file; `name` stands for the path in errors. Throws `FormatError`.
    public static func decode(_ bytes: [UInt8], name: String) throws -> Tensor {
        try bytes.withUnsafeBytes { try decode($0, name: name) }
    }

    /// dtype and shape of the array in the bytes of a file. The elements need not be there. Throws `FormatError`.
    static func spec(_ bytes: [UInt8], name: String) throws -> TensorSpec {
        let header = try bytes.withUnsafeBytes { try NpyHeader($0, path: name) }
        guard let (_, dtype) = header.type else { preconditionFailure("a header's dtype is a known one") }
        return TensorSpec(dtype, Shape(header.shape))
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Tensor {
        let header = try NpyHeader(bytes, path: name)
        guard let (size, dtype) = header.type else { fatalError("a header's dtype is a known one") }
        let shape = Shape(header.shape)
        guard let count = shape.elementCount, case let (wanted, overflow) = count.multipliedReportingOverflow(by: size),
            !overflow
        else { throw FormatError(path: name, "has the shape \(shape), which is beyond all memory") }
        let data = UnsafeRawBufferPointer(rebasing: bytes[header.dataOffset...])
        guard data.count == wanted else {
            throw FormatError(
                path: name,
                data.count < wanted
                    ? "is truncated: the shape \(shape) takes \(wanted) bytes, \(data.count) are there"
                    : "is corrupt: the shape \(shape) takes \(wanted) bytes, \(data.count) are there")
        }
        // The bytes of U are swapped in each code point.
        let unit = dtype == .string ? (header.element.hasPrefix("U") ? 4 : 1) : size
        let source = header.isBigEndian && unit > 1 ? swapped(data, size: unit) : Array(data)
        // Column-major elements are the row-major ones of the transposed shape.
        let stored = header.isFortranOrder ? Shape(header.shape.reversed()) : shape
        if dtype == .string {
            let texts = strings(source, header, size: size, count: count)
            let tensor = Tensor(strings: texts, sized: stored)
            return header.isFortranOrder && header.shape.count > 1
                ? Tensor(strings: transposed(tensor).knownStrings, sized: shape) : tensor
        }
        let tensor = source.withUnsafeBytes { convert($0, element: header.element, dtype: dtype, shape: stored) }
        return header.isFortranOrder && header.shape.count > 1 ? transposed(tensor) : tensor
    }

    private static func swapped(_ data: UnsafeRawBufferPointer, size: Int) -> [UInt8] {
        var bytes = Array(data)
        for start in stride(from: 0, to: bytes.count, by: size) { bytes[start..<(start + size)].reverse() }
        return bytes
    }

    /// Elements of `size` bytes each, without the zeros at their ends; U are code points of 4 bytes.
    private static func strings(_ bytes: [UInt8], _ header: NpyHeader, size: Int, count: Int) -> [[UInt8]] {
        (0..<count).map { i in
            let own = bytes[i * size..<(i + 1) * size]
            guard header.element.hasPrefix("U") else {
                return Array(own.prefix((own.lastIndex { $0 != 0 } ?? own.startIndex - 1) - own.startIndex + 1))
            }
            var text = String.UnicodeScalarView()
            for start in stride(from: own.startIndex, to: own.endIndex, by: 4) {
                let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(own[start + $1]) << UInt32(8 * $1) }
                if value == 0, own[start...].allSatisfy({ $0 == 0 }) { break }
                text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            }
            return Array(String(text).utf8)
        }
    }

    private static func convert(
        _ bytes: UnsafeRawBufferPointer, element: String, dtype: DType, shape: Shape
    ) -> Tensor {
        func widened<Source: BitwiseCopyable, Scalar: TensorScalar>(
            _: Source.Type, _ convert: (Source) -> Scalar
        ) -> Tensor {
            let size = MemoryLayout<Source>.size
            return Tensor(dtype: Scalar.dtype, sized: shape) { target in
                let elements = target.bindMemory(to: Scalar.self)
                for i in elements.indices {
                    elements[i] = convert(bytes.loadUnaligned(fromByteOffset: i * size, as: Source.self))
                }
            }
        }
        switch element {
        case "f2": return widened(UInt16.self, float(half:))
        case "i1": return widened(Int8.self, Int32.init)
        case "i2": return widened(Int16.self, Int32.init)
        case "u2": return widened(UInt16.self, Int32.init)
        case "b1": return widened(UInt8.self) { $0 != 0 }
        default: return Tensor(dtype: dtype, sized: shape) { $0.copyMemory(from: bytes) }
        }
    }

    /// IEEE 754 binary16, which Swift lacks on some processors.
    private static func float(half bits: UInt16) -> Float {
        let sign: Float = bits >> 15 == 0 ? 1 : -1
        let exponent = Int(bits >> 10) & 31
        let fraction = UInt32(bits & 1023)
        switch exponent {
        case 0: return sign * Float(fraction) * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : Float(bitPattern: UInt32(bits >> 15) << 31 | 0x7FC0_0000)
        default: return Float(bitPattern: UInt32(bits >> 15) << 31 | UInt32(exponent + 112) << 23 | fraction << 13)
        }
    }

    /// All axes in reverse.
    private static func transposed(_ tensor: Tensor) -> Tensor {
        let shape = Shape(tensor.shape.knownExtents.reversed())
        guard tensor.elementCount > 0 else { return Tensor.zeros(tensor.dtype, sized: shape) }
        let extents = shape.knownExtents
        let size = tensor.dtype.size
        // Bytes in the source between neighbours along each axis of the result.
        let steps = Array(tensor.shape.strides.reversed()).map { $0 * size }
        return Tensor(dtype: tensor.dtype, sized: shape) { target in
            tensor.withUnsafeBytes { source in
                var index = [Int](repeating: 0, count: extents.count)
                var from = 0
                for to in stride(from: 0, to: target.count, by: size) {
                    for byte in 0..<size { target[to + byte] = source[from + byte] }
                    var axis = extents.count - 1
                    while axis >= 0 {
                        index[axis] += 1
                        from += steps[axis]
                        if index[axis] < extents[axis] { break }
                        from -= steps[axis] * extents[axis]
                        index[axis] = 0
                        axis -= 1
                    }
                }
            }
        }
    }

    /// The bytes of a file with this array. Throws `FormatError` for bfloat16, which NumPy lacks.
    public static func encode(_ tensor: Tensor, name: String = "array") throws -> [UInt8] {
        let header = try header(tensor, name: name)
        if tensor.dtype == .string { return header + padded(tensor) }
        return tensor.withUnsafeBytes { header + $0 }
    }

    /// Writes a file, whole or not at all. Throws `FormatError`.
    public static func write(_ tensor: Tensor, to path: String) throws {
        let header = try header(tensor, name: path)
        try AtomicFile.write(to: path) { file in
            try file.append(header)
            if tensor.dtype == .string { return try file.append(padded(tensor)) }
            try tensor.withUnsafeBytes { try file.append($0) }
        }
    }

    /// The strings with zeros behind them up to the length of the longest.
    private static func padded(_ tensor: Tensor) -> [UInt8] {
        let strings = tensor.knownStrings
        let length = max(strings.map(\.count).max() ?? 1, 1)
        return strings.flatMap { $0 + [UInt8](repeating: 0, count: length - $0.count) }
    }

    static func header(_ tensor: Tensor, name: String) throws -> [UInt8] {
        let descr =
            switch tensor.dtype {
            case .float32: "<f4"
            case .float64: "<f8"
            case .int32: "<i4"
            case .int64: "<i8"
            case .uint8: "|u1"
            case .bool: "|b1"
            case .bfloat16: throw FormatError(path: name, "cannot be written: NumPy has no bfloat16, cast to float32")
            case .string: "|S\(max(tensor.knownStrings.map(\.count).max() ?? 1, 1))"
            case .resource, .variant: throw FormatError(path: name, "cannot be written: it holds no numbers")
            }
        return NpyHeader.encode(descr: descr, shape: tensor.shape.knownExtents)
    }
}
