import Dataflow
import Interchange
import Testing
import Training

@Suite("CSV")
struct CSVTests {
    let folder = try! TemporaryFolder()

    private func read(_ text: String, _ reader: CSVReader = CSVReader()) throws -> Dataset {
        try reader.read(folder.write(Array(text.utf8), "data.csv"))
    }

    @Test("numbers and class indices, with or without a header, whatever ends the lines")
    func plain() throws {
        for text in ["1,2,0\n3,4,2\n", "a,b,c\r\n1,2,0\r\n3,4,2", "\u{FEFF}a,\"b\",c\n\n1,\"2\",0\n3, 4 ,2\n\n"] {
            let data = try read(text)
            #expect(data.features == Tensor([[1, 2], [3, 4]] as [[UInt8]]))
            #expect(data.labels == Tensor([0, 2] as [Int32]))
            #expect(data.classes == 3)
        }
    }

    @Test(
        "a number is read as the standard library reads it",
        arguments: [
            "-0.1", "+3", "1e-3", "2.5E+2", "123456789012345678901", "0.30000000000000004", ".5", "1.", "1e-400",
        ])
    func numbers(text: String) throws {
        let data = try read("\(text),0\n-1.5,1")
        let wanted = Double(text.hasSuffix(".") ? text + "0" : text.hasPrefix(".") ? "0" + text : text)
        #expect(data.features.doubles == [Double(Float(try #require(wanted))), -1.5])
    }

    @Test("text labels are classes in sorted order; the label column by name or place")
    func labels() throws {
        let text = "kind,x,y\nrose,1,2\nelm,3,4\nrose,5,6\n"
        for label in [CSVReader.Column.name("kind"), .index(0), .index(-3)] {
            let data = try read(text, CSVReader(label: label))
            #expect(data.classNames == ["elm", "rose"])
            #expect(data.labels == Tensor([1, 0, 1] as [Int32]))
            #expect(data.features == Tensor([[1, 2], [3, 4], [5, 6]] as [[UInt8]]))
        }
        #expect(
            try read("1;\"a;\"\"b\"\"\n\"\n2;c", CSVReader(separator: UInt8(ascii: ";"))).classNames == [
                "a;\"b\"\n", "c",
            ])
        #expect(try read("1,-1\n2,1").classNames == ["-1", "1"])
    }

    @Test("a regression's labels are numbers")
    func regression() throws {
        let data = try read("1,0.5\n300,-2", CSVReader(task: .regression))
        #expect(data.classes == 0)
        #expect(data.labels == Tensor([[0.5], [-2]] as [[Float]]))
        #expect(data.features == Tensor([[1], [300]] as [[Float]]))
    }

    @Test(
        "bad files are errors that say where",
        arguments: [
            ("", "is empty"), ("a,b\n", "holds no rows"),
            ("1\n2\n", ":1:1: one column alone: features and a label are wanted"),
            ("1,2,0\n1,x,0\n", ":2:2: 'x' is no number"),
            ("1,2,0\n\n1,,0\n", ":3:2: the cell is empty, a number is wanted"),
            ("1,2,0\n1,0\n", ":2:2: the row has 2 cells, 3 are wanted"),
            ("1,2,0\n1\n", ":2:1: the row has 1 cell, 3 are wanted"),
            ("1,2,0\n1,2,0,4\n", ":2:4: the row has more than 3 cells"),
            ("1,2,0\n1,2,\n", ":2:3: the cell is empty, a label is wanted"),
            ("1,2,0\n1,nan,0\n", ":2:2: 'nan' is no number"), ("1,2,0\n1,1e999,0\n", ":2:2: '1e999' is no number"),
            ("1,2,0\n1,1e,0\n", ":2:2: '1e' is no number"), ("1,2,0\n1,0x1p3,0\n", ":2:2: '0x1p3' is no number"),
            ("1,2,0\n1,\"2,0\n", ":2:2: a quote is opened and never closed"),
            ("1,2,0\n1,\"2\"3,0\n", ":2:2: text follows the closing quote"),
        ])
    func errors(text: String, message: String) throws {
        let error = #expect(throws: FormatError.self) { try read(text) }
        let wanted = folder.file("data.csv") + (message.hasPrefix(":") ? "" : ": ") + message
        #expect(error?.description == wanted)
    }

    @Test("a label column that is not there is named")
    func noLabel() throws {
        let path = folder.file("data.csv")
        #expect(throws: FormatError(path: path, "has no column named z for the labels; the first line is a, b")) {
            try read("a,b\n1,2", CSVReader(label: .name("z")))
        }
        #expect(throws: FormatError(path: path, "has 2 columns, and no column 2 for the labels")) {
            try read("a,b\n1,2", CSVReader(label: .index(2)))
        }
    }

    @Test("a test file has the classes of the training file")
    func testFile() throws {
        let train = try folder.write(Array("1,a\n2,b\n".utf8), "train.csv")
        let test = try folder.write(Array("3,b\n".utf8), "test.csv")
        let split = try CSVReader().split(path: train, testPath: test)
        #expect(split.test.labels == Tensor([1] as [Int32]))
        #expect(split.test.classes == 2)
        let strange = try folder.write(Array("3,b\n4,c\n".utf8), "strange.csv")
        let error = #expect(throws: FormatError.self) { try CSVReader().split(path: train, testPath: strange) }
        #expect(error?.description == "\(strange):2:2: the label 'c' is not among those of the training part")
        let wide = try folder.write(Array("3,4,b\n".utf8), "wide.csv")
        #expect(throws: FormatError.self) { try CSVReader().split(path: train, testPath: wide) }
    }

    @Test("a part is held out by the seed, and nothing is lost")
    func heldOut() throws {
        let text = (0..<100).map { "\($0),\($0 % 2)\n" }.joined()
        let path = try folder.write(Array(text.utf8), "data.csv")
        let a = try CSVReader().split(path: path, testFraction: 0.2, seed: 1)
        #expect((a.training.count, a.test.count) == (80, 20))
        #expect((a.training.features.integers + a.test.features.integers).sorted() == Array(0..<100))
        #expect(try CSVReader().split(path: path, testFraction: 0.2, seed: 1).test.features == a.test.features)
        #expect(try CSVReader().split(path: path, testFraction: 0.2, seed: 2).test.features != a.test.features)
    }
}
