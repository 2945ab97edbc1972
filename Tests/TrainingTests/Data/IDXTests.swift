import Dataflow
import Foundation
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
        #expect(try tensor.doubles == values)
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
        #expect(split.training.features == Tensor([[1, 2], [3, 4]], dtype: .uint8))
        #expect(split.test.labels == Tensor([9, 4] as [Int32]))
        #expect(split.training.classes == 10)
        #expect(split.training.featureShape == [1, 2])
    }

    @Test("a missing file is named, and so are files that do not fit each other")
    func misfits() throws {
        let error = #expect(throws: FormatError.self) { try IDXReader.split(folder: folder.path) }
        #expect(error?.path == folder.path)
        #expect(
            error?.what
                == "holds no train-images-idx3-ubyte, no train-labels-idx1-ubyte, no t10k-images-idx3-ubyte, no "
                + "t10k-labels-idx1-ubyte (nor with .gz, or .idx for -idx)")
        _ = try folder.write(Self.images, "train-images-idx3-ubyte")
        let missing = #expect(throws: FormatError.self) { try IDXReader.split(folder: folder.path) }
        #expect(missing?.what.hasPrefix("holds no train-labels-idx1-ubyte, no t10k") == true)
        let none = #expect(throws: FormatError.self) { try IDXReader.split(folder: "/nonexistent/mnist") }
        #expect(none?.description.contains("No such file or directory") == true)
        let file = #expect(throws: FormatError.self) {
            try IDXReader.split(folder: folder.file("train-images-idx3-ubyte"))
        }
        #expect(file?.what == "is a file; data.path wants the folder that holds the four IDX files")
        try writeAll(labels: [0, 0, 8, 1, 0, 0, 0, 1, 9])
        let (images, labels) = (folder.file("t10k-images-idx3-ubyte"), folder.file("t10k-labels-idx1-ubyte"))
        #expect(throws: FormatError(path: labels, "holds 1 labels for the 2 images of \(images)")) {
            try IDXReader.split(folder: folder.path)
        }
    }

    @Test(
        "the names that MNIST, EMNIST, QMNIST and programs that unpack them give",
        arguments: [
            ["train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"],
            [
                "train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte.gz", "t10k-images.idx3-ubyte",
                "t10k-labels-idx1-ubyte",
            ],
            [
                "emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz",
                "emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz",
            ],
            [
                "emnist-byclass-train-images-idx3-ubyte", "emnist-byclass-train-labels-idx1-ubyte",
                "emnist-byclass-test-images-idx3-ubyte", "emnist-byclass-test-labels-idx1-ubyte",
            ],
            ["train-images.idx", "train-labels.idx", "test-images.idx", "test-labels.idx"],
            ["Train_Images_idx3_ubyte", "Train_Labels_idx1_ubyte", "Test_Images_idx3_ubyte", "Test_Labels_idx1_ubyte"],
        ])
    func names(names: [String]) throws {
        // What is no such file is passed over.
        for other in ["emnist-letters-mapping.txt", "README.md", "train-images.png", "archive.zip"] {
            _ = try folder.write([1], other)
        }
        for (i, name) in names.enumerated() {
            _ = try folder.write(i.isMultiple(of: 2) ? Self.images : Self.labels, name)
        }
        let split = try IDXReader.split(folder: folder.path)
        #expect(split.training.count == 2 && split.test.labels == Tensor([9, 4] as [Int32]))
        #expect(try IDXReader.test(folder: folder.path).count == 2)
    }

    @Test("QMNIST's labels are eight numbers, the class first")
    func qmnist() throws {
        let header: [UInt8] = [0, 0, 0x0C, 2, 0, 0, 0, 2, 0, 0, 0, 8]
        let rows: [UInt8] = [3, 7].flatMap { kind in (0..<8).flatMap { [0, 0, UInt8($0), $0 == 0 ? kind : 200] } }
        for part in ["train", "test"] {
            _ = try folder.write(Self.images, "qmnist-\(part)-images-idx3-ubyte.gz")
            _ = try folder.write(header + rows, "qmnist-\(part)-labels-idx2-int.gz")
        }
        let split = try IDXReader.split(folder: folder.path)
        #expect(split.training.labels == Tensor([3, 7] as [Int32]) && split.training.classes == 8)
    }

    @Test("of several sets in one folder the path names one; each file may lie in a folder of its name")
    func sets() throws {
        for set in ["emnist-letters-", "emnist-digits-"] {
            for part in ["train", "test"] {
                _ = try folder.write(Self.images, "\(set)\(part)-images-idx3-ubyte")
                _ = try folder.write(Self.labels, "\(set)\(part)-labels-idx1-ubyte")
            }
        }
        let error = #expect(throws: FormatError.self) { try IDXReader.split(folder: folder.path) }
        #expect(
            error?.what == "holds several sets: emnist-digits, emnist-letters; say which, e.g. data.path: "
                + "\(folder.path)/emnist-digits")
        #expect(try IDXReader.split(folder: folder.file("emnist-letters")).training.count == 2)
        let wrong = #expect(throws: FormatError.self) { try IDXReader.split(folder: folder.file("emnist-mnist")) }
        #expect(wrong?.what == "is no folder, and beside it lie the sets emnist-digits, emnist-letters")
        let nested = try TemporaryFolder()
        for (part, half) in [("train", "train"), ("t10k", "t10k")] {
            for (kind, bytes) in [("images-idx3-ubyte", Self.images), ("labels-idx1-ubyte", Self.labels)] {
                let inner = nested.file("\(part)-\(kind)")
                try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
                try Data(bytes).write(to: URL(fileURLWithPath: "\(inner)/\(half)-\(kind)"))
            }
        }
        #expect(try IDXReader.split(folder: nested.path).test.count == 2)
    }

    @Test("the task says what the labels of arrays are")
    func task() throws {
        try writeAll()
        let split = try IDXReader.split(folder: folder.path, task: .regression)
        #expect(split.training.classes == 0 && split.training.labels == Tensor([[9], [4]], dtype: .float32))
        let x = Tensor([[1, 2], [3, 4]], dtype: .float32)
        let path = folder.file("a.npz")
        try Npz.write([("x", x), ("y", Tensor([0, 2] as [Float]))], to: path)
        #expect(try NPZReader.split(path: path, testFraction: 0).training.classes == 0)
        let classes = try NPZReader.split(path: path, testFraction: 0, task: .classification).training
        #expect(classes.classes == 3 && classes.labels == Tensor([0, 2] as [Int32]))
        try Npz.write([("x", x), ("y", Tensor([0, 2.5] as [Float]))], to: path)
        let error = #expect(throws: FormatError.self) { try NPZReader.split(path: path, task: .classification) }
        #expect(error?.what.hasPrefix("holds labels that are no class indices") == true)
        try Npz.write(
            [
                ("x_train", x), ("y_train", Tensor([0, 1] as [Int32])), ("x_test", x),
                ("y_test", Tensor([0, 1] as [Int32])),
            ], to: path)
        let share = #expect(throws: FormatError.self) { try NPZReader.split(path: path, testFraction: 0.5) }
        #expect(share?.what.contains("data.test_fraction has no effect") == true)
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
            let counts = try part.labels.integers.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            #expect(counts == Dictionary(uniqueKeysWithValues: (0..<10).map { ($0, each) }))
        }
        // Shuffled: the first images are not all of one digit.
        #expect(try Set(digits.training.labels.integers.prefix(20)).count > 4)
        #expect(time < .seconds(1))
    }

    @Test("npz: both parts in a file, or one that is divided")
    func npz() throws {
        let (x, y) = (Tensor([[1, 2], [3, 4]], dtype: .uint8), Tensor([0, 1] as [Int64]))
        let path = folder.file("a.npz")
        try Npz.write([("x_train", x), ("y_train", y), ("x_test", x.rows(0..<1)), ("y_test", y.rows(0..<1))], to: path)
        let split = try NPZReader.split(path: path)
        #expect(split.training.features == x)
        #expect((split.test.count, split.test.classes) == (1, 2))
        try Npz.write(
            [
                ("features", Tensor([[0.5], [1.5]], dtype: .float64)),
                ("labels", Tensor([[1, 2], [3, 4]], dtype: .float32)),
            ], to: path)
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
