import Dataflow
import Interchange
import Testing
import Training

@Suite("IDX, npz and the digits")
struct IDXTests {
    let folder = try! TemporaryFolder()

    static let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4]
    static let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 9, 4]

    @Test(
        "every element type is read",
        arguments: [
            ([0, 0, 0x08, 1, 0, 0, 0, 2, 0, 255], DType.uint8, [0, 255]),
            ([0, 0, 0x09, 1, 0, 0, 0, 2, 1, 255], .int32, [1, -1]),
            ([0, 0, 0x0B, 1, 0, 0, 0, 1, 255, 254], .int32, [-2]),
            ([0, 0, 0x0C, 1, 0, 0, 0, 1, 0, 1, 0, 0], .int32, [65536]),
            ([0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0xC0, 0, 0], .float32, [1.5]),
            ([0, 0, 0x0E, 1, 0, 0, 0, 1, 0xBF, 0xF0, 0, 0, 0, 0, 0, 0], .float64, [-1]),
        ] as [([UInt8], DType, [Double])])
    func types(bytes: [UInt8], dtype: DType, values: [Double]) throws {
        let tensor = try IDXReader.read(folder.write(bytes, "a"))
        #expect(tensor.dtype == dtype)
        #expect(tensor.doubles == values)
    }

    @Test("a file cut anywhere, too long, or of another format is an error")
    func damage() throws {
        for length in 0..<Self.images.count {
            let path = try folder.write(Self.images.prefix(length), "cut")
            let error = #expect(throws: FormatError.self) { try IDXReader.read(path) }
            #expect(error?.what.hasPrefix("is truncated") == true)
        }
        let long = try folder.write(Self.images + [0], "long")
        #expect(throws: FormatError(path: long, "is corrupt: more bytes follow its [2, 1, 2] elements")) {
            try IDXReader.read(long)
        }
        let other = try folder.write(Array("PNG\u{1}".utf8), "other")
        #expect(throws: FormatError(path: other, "is no IDX file: it starts with 0x504e4701")) {
            try IDXReader.read(other)
        }
        let huge = try folder.write([0, 0, 8, 3] + [UInt8](repeating: 255, count: 12), "huge")
        #expect(throws: FormatError.self) { try IDXReader.read(huge) }
    }

    private func writeAll(labels: [UInt8] = labels) throws {
        for part in ["train", "t10k"] {
            _ = try folder.write(Self.images, "\(part)-images-idx3-ubyte")
            _ = try folder.write(part == "t10k" ? labels : Self.labels, "\(part)-labels-idx1-ubyte")
        }
    }

    @Test("a folder with MNIST's four files is read")
    func folderOfFour() throws {
        try writeAll()
        let split = try IDXReader.split(folder: folder.path)
        #expect(split.training.features == Tensor([[1, 2], [3, 4]] as [[UInt8]]))
        #expect(split.test.labels == Tensor([9, 4] as [Int32]))
        #expect(split.training.classes == 10)
        #expect(split.training.featureShape == [1, 2])
    }

    @Test("a missing file is named, and so are files that do not fit each other")
    func misfits() throws {
        let error = #expect(throws: FormatError.self) { try IDXReader.split(folder: folder.path) }
        #expect(error?.path == folder.file("train-images-idx3-ubyte"))
        #expect(error?.what == "cannot be opened: No such file or directory (errno 2) (nor is there a .gz)")
        try writeAll(labels: [0, 0, 8, 1, 0, 0, 0, 1, 9])
        let (images, labels) = (folder.file("t10k-images-idx3-ubyte"), folder.file("t10k-labels-idx1-ubyte"))
        #expect(throws: FormatError(path: labels, "holds 1 labels for the 2 images of \(images)")) {
            try IDXReader.split(folder: folder.path)
        }
    }

    @Test("the digits that ship: 400 and 100 of each, loaded at once")
    func digits() throws {
        var split: DataSplit?
        let time = try ContinuousClock().measure { split = try EmbeddedDigits.split() }
        let digits = try #require(split)
        #expect(digits.training.features.shape == [4000, 784])
        #expect(digits.test.features.shape == [1000, 784])
        #expect(digits.training.featureShape == [28, 28])
        #expect(digits.training.classes == 10)
        for (part, each) in [(digits.training, 400), (digits.test, 100)] {
            let counts = part.labels.integers.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            #expect(counts == Dictionary(uniqueKeysWithValues: (0..<10).map { ($0, each) }))
        }
        // Shuffled: the first images are not all of one digit.
        #expect(Set(digits.training.labels.integers.prefix(20)).count > 4)
        #expect(time < .seconds(1))
    }

    @Test("npz: both parts in a file, or one that is divided")
    func npz() throws {
        let (x, y) = (Tensor([[1, 2], [3, 4]] as [[UInt8]]), Tensor([0, 1] as [Int64]))
        let path = folder.file("a.npz")
        try Npz.write([("x_train", x), ("y_train", y), ("x_test", x.rows(0..<1)), ("y_test", y.rows(0..<1))], to: path)
        let split = try NPZReader.split(path: path)
        #expect(split.training.features == x)
        #expect((split.test.count, split.test.classes) == (1, 2))
        try Npz.write(
            [("features", Tensor([[0.5], [1.5]])), ("labels", Tensor([[1, 2], [3, 4]] as [[Float]]))], to: path)
        let halves = try NPZReader.split(path: path, testFraction: 0.5, seed: 3)
        #expect((halves.training.count, halves.test.count, halves.test.classes) == (1, 1, 0))
        #expect(halves.test.labels.shape == [1, 2])
        try Npz.write([("x", x), ("y", Tensor([0] as [Int32]))], to: path)
        #expect(throws: FormatError.self) { try NPZReader.split(path: path) }
        try Npz.write([("a", x)], to: path)
        let error = #expect(throws: FormatError.self) { try NPZReader.split(path: path) }
        #expect(error?.what.hasPrefix("holds a; x and y") == true)
    }
}
