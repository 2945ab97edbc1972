public import Dataflow
internal import Interchange

/// Reads IDX, MNIST's format: http://yann.lecun.com/exdb/mnist/. Files may be gzipped.
public enum IDXReader {
    /// The array of a file: uint8, int32 (from int8, int16, int32), float32 or float64. Throws `FormatError`.
    public static func read(_ path: String) throws -> Tensor { try read(Gzip(path: path)) }

    static func read(_ source: Gzip) throws -> Tensor {
        func fail(_ what: String) -> FormatError { FormatError(path: source.path, what) }
        let magic = try bytes(4, source)
        guard magic[0] == 0, magic[1] == 0, let (size, dtype) = types[magic[2]] else {
            let hex = magic.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            throw fail("is no IDX file: it starts with 0x\(hex)")
        }
        var extents: [Int] = []
        for _ in 0..<magic[3] { extents.append(try bytes(4, source).reduce(0) { $0 << 8 | Int($1) }) }
        let shape = Shape(extents)
        guard let count = shape.elementCount, count <= 1 << 33 else {
            throw fail("is no IDX file: it would hold \(shape) elements")
        }
        let wanted = count * size
        let read = try elements(source, wanted: wanted)
        guard read.count >= wanted else {
            throw fail("is truncated: \(shape) elements take \(wanted) bytes, \(read.count) are there")
        }
        guard read.count == wanted else { throw fail("is corrupt: more bytes follow its \(shape) elements") }
        return read.withUnsafeBytes { decode($0, type: magic[2], dtype: dtype, shape: shape) }
    }

    private static let types: [UInt8: (size: Int, dtype: DType)] = [
        0x08: (1, .uint8), 0x09: (1, .int32), 0x0B: (2, .int32), 0x0C: (4, .int32), 0x0D: (4, .float32),
        0x0E: (8, .float64),
    ]

    private static func bytes(_ count: Int, _ source: Gzip) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard try bytes.withUnsafeMutableBytes({ try source.read(into: $0) }) == count else {
            throw FormatError(path: source.path, "is truncated in its header")
        }
        return bytes
    }

    /// At most one byte more than wanted; memory is taken as the bytes come, as the header may lie.
    private static func elements(_ source: Gzip, wanted: Int) throws -> [UInt8] {
        do {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(min(wanted + 1, 1 << 26))
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(wanted + 1, 1 << 18), alignment: 16)
            defer { piece.deallocate() }
            while bytes.count <= wanted {
                let room = min(piece.count, wanted + 1 - bytes.count)
                let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: piece[..<room]))
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<count]))
                if count < room { break }
            }
            return bytes
        }
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt8, dtype: DType, shape: Shape) -> Tensor {
        func each<Scalar: TensorScalar>(_ size: Int, _ element: (Int) -> Scalar) -> Tensor {
            Tensor(dtype: dtype, sized: shape) { target in
                let target = target.bindMemory(to: Scalar.self)
                for i in target.indices { target[i] = element(i * size) }
            }
        }
        func big<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) -> Value {
            Value(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
        return switch type {
        case 0x09: each(1) { Int32(Int8(bitPattern: bytes[$0])) }
        case 0x0B: each(2) { Int32(big($0, Int16.self)) }
        case 0x0C: each(4) { big($0, Int32.self) }
        case 0x0D: each(4) { Float(bitPattern: big($0, UInt32.self)) }
        case 0x0E: each(8) { Double(bitPattern: big($0, UInt64.self)) }
        default: Tensor(dtype: dtype, sized: shape) { $0.copyMemory(from: bytes) }
        }
    }

    /// A folder with the four files of MNIST or its kin, each gzipped (`.gz`) or not: `IDXFolder` says what they are called.
    ///
    /// - Parameters:
    ///   - folder: of several sets in one folder, followed by the one's name: `DIR/emnist-letters`.
    ///   - task: nil: integer labels are classes, floating ones targets.
    /// - Throws: `FormatError` if one is missing or damaged, or images and labels differ in number.
    public static func split(folder: String, task: CSVReader.Task? = nil) throws -> DataSplit {
        let files = try IDXFolder(folder)
        return try split(
            trainingImages: Gzip(path: files[.trainingImages]), trainingLabels: Gzip(path: files[.trainingLabels]),
            testImages: Gzip(path: files[.testImages]), testLabels: Gzip(path: files[.testLabels]), task: task)
    }

    /// The test part of such a folder; the training part need not be there. Throws `FormatError`.
    public static func test(folder: String, task: CSVReader.Task? = nil) throws -> Dataset {
        let files = try IDXFolder(folder, parts: [.testImages, .testLabels])
        return try examples(Gzip(path: files[.testImages]), Gzip(path: files[.testLabels]), task)
    }

    static func split(
        trainingImages: Gzip, trainingLabels: Gzip, testImages: Gzip, testLabels: Gzip,
        task: CSVReader.Task? = nil
    ) throws -> DataSplit {
        let names = (trainingImages.path, testImages.path)
        let training = try examples(trainingImages, trainingLabels, task)
        let test = try examples(testImages, testLabels, task)
        return try DataSplit.checked(training: training, test: test, names: names)
    }

    private static func examples(_ images: Gzip, _ labels: Gzip, _ task: CSVReader.Task?) throws -> Dataset {
        let names = (images.path, labels.path)
        let images = try read(images)
        var labels = try read(labels)
        // QMNIST: eight numbers an image, the class first.
        if labels.shape.rank == 2, labels.shape[1] == 8, labels.dtype == .int32 {
            let numbers = labels.elements(of: Int32.self)
            labels = Tensor(stride(from: 0, to: numbers.count, by: 8).map { numbers[$0] })
        }
        guard let rank = images.shape.rank, rank > 1 else {
            throw FormatError(path: names.0, "holds no images: its shape is \(images.shape)")
        }
        guard labels.shape.rank == 1 else {
            throw FormatError(path: names.1, "holds no labels: its shape is \(labels.shape)")
        }
        guard labels.shape[0] == images.shape[0] else {
            throw FormatError(
                path: names.1,
                "holds \(labels.elementCount) labels for the \(images.shape.knownExtents[0]) images of \(names.0)")
        }
        return try Dataset.checked(
            features: images, labels: labels, task: task, featuresName: names.0, labelsName: names.1)
    }
}
