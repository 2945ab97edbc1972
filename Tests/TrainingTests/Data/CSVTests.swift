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
        for text in [
            "1,2,0\n3,4,2\n", "a,b,c\r\n1,2,0\r\n3,4,2", "\u{FEFF}a,\"b\",c\n\n1,\"2\",0\n3, 4 ,2\n\n",
            "a,b,c\r1,2,0\r3,4,2\r", "\n  \na,b,c\n1,2,0\n \t\n3,4,2\n\r\n   ", "1, \"2\" ,0\r\n3,\t4,2 \n",
        ] {
            let data = try read(text)
            #expect(data.features == Tensor([[1, 2], [3, 4]], dtype: .uint8))
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
        #expect(try data.features.doubles == [Double(Float(try #require(wanted))), -1.5])
    }

    @Test("text labels are classes in sorted order; the label column by name or place")
    func labels() throws {
        let text = "kind,x,y\nrose,1,2\nelm,3,4\nrose,5,6\n"
        for label in [CSVReader.Column.name("kind"), .index(0), .index(-3)] {
            let data = try read(text, CSVReader(label: label))
            #expect(data.classNames == ["elm", "rose"])
            #expect(data.labels == Tensor([1, 0, 1] as [Int32]))
            #expect(data.features == Tensor([[1, 2], [3, 4], [5, 6]], dtype: .uint8))
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
        #expect(data.labels == Tensor([[0.5], [-2]]))
        #expect(data.features == Tensor([[1], [300]], dtype: .float32))
    }

    @Test(
        "bad files are errors that say where",
        arguments: [
            ("", "is empty"), ("a,b\n", "holds no rows"),
            ("1\n2\n", ":1:1: one column alone: features and a label are wanted"),
            ("1,2,0\n1,x,0\n", ":2:2: 'x' is no number"),
            ("1,2,0\n1,2,null\n", ":2:3: 'null' is a missing value, a label is wanted"),
            ("1,2,0\n1,0\n", ":2:2: the row has 2 cells, 3 are wanted"),
            ("1,2,0\n1\n", ":2:1: the row has 1 cell, 3 are wanted"),
            ("1,2,0\n1,2,0,4\n", ":2:4: the row has 4 cells, 3 are wanted"),
            ("1,2,0\n1,2,\n", ":2:3: the cell is empty, a label is wanted"),
            ("1,2,0\n1,inf,0\n", ":2:2: 'inf' is no number"), ("1,2,0\n1,1e999,0\n", ":2:2: '1e999' is no number"),
            ("1,2,0\n1,1e39,0\n", ":2:2: '1e39' is beyond what a float32 holds"),
            ("1,2,0\n1,a\u{0}b,0\n", ":2:2: 'a\\0b' is no number"),
            ("1,x\n2,a\u{0}b\n", ":2:2: 'a\\0b' holds a NUL byte"),
            (
                "1;x\n2;y\n",
                ":1:1: one column alone: features and a label are wanted; if ';' separates the columns, say "
                    + "data.separator: ';'"
            ),
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

    @Test("a column whose name is a number wants quotes")
    func numberNames() throws {
        let error = #expect(throws: FormatError.self) { try read("2019,2020\n1,0\n", CSVReader(label: .index(2020))) }
        #expect(
            error?.what == "has 2 columns, and no column 2020 for the labels; a name that is a number stands in quotes")
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
        #expect(try (a.training.features.integers + a.test.features.integers).sorted() == Array(0..<100))
        #expect(try CSVReader().split(path: path, testFraction: 0.2, seed: 1).test.features == a.test.features)
        #expect(try CSVReader().split(path: path, testFraction: 0.2, seed: 2).test.features != a.test.features)
    }

    @Test("spaces around names and cells without quotes are left out, those within quotes are not")
    func spaces() throws {
        let data = try read("a, b, kind\n1, 2, x\n3, 4, \" x\"\n", CSVReader(label: .name("kind")))
        #expect(data.classNames == [" x", "x"] && data.features == Tensor([[1, 2], [3, 4]], dtype: .uint8))
        #expect(data.table?.features.map(\.name) == ["a", "b"])
        // Where a space or a tab separates, it is no space.
        let tabs = try read("1\t\t0\n2\t3\t1\n", CSVReader(separator: UInt8(ascii: "\t")))
        #expect(try tabs.features.doubles[0] == 1 && tabs.features.doubles[1].isNaN && tabs.width == 2)
        #expect(try read("1 2 0\n3 4 1\n", CSVReader(separator: UInt8(ascii: " "))).width == 2)
    }

    @Test("all cells in error are counted, the first ten told")
    func manyFaults() throws {
        let rows = (0..<20).map { $0 == 3 ? "1,2,0,9\n" : $0 == 5 ? "1,2,\n" : "1,x\($0),0\n" }.joined()
        let error = #expect(throws: FormatError.self) { try read("a,b,c\n1,2,0\n1,2,1\n" + rows) }
        let lines = error?.description.split(separator: "\n").map(String.init) ?? []
        #expect(lines.count == 12, "\(lines)")
        #expect(lines.first == folder.file("data.csv") + ": has 20 cells in error")
        #expect(lines.dropFirst().first == "  line 4, column 2: 'x0' is no number")
        #expect(lines.contains("  line 7, column 4: the row has 4 cells, 3 are wanted"))
        #expect(lines.contains("  line 9, column 3: the cell is empty, a label is wanted"))
        #expect(lines.last == "  … and 10 more")
        let two = #expect(throws: FormatError.self) { try read("1,a\n2,\n3,\n") }
        #expect(
            two?.what == "has 2 cells in error\n  line 2, column 2: the cell is empty, a label is wanted\n"
                + "  line 3, column 2: the cell is empty, a label is wanted")
        let targets = #expect(throws: FormatError.self) { try read("1,2\n2,x\nz,y\n", CSVReader(task: .regression)) }
        #expect(targets?.what.hasPrefix("has 3 cells in error\n  line 2, column 2: 'x' is no number\n") == true)
    }

    @Test("a line end within quotes counts as a line, and a cell cut short does not hide what follows")
    func linesWithin() throws {
        let text = "a,b,k\n1,2,\"x\r\ny\rz\nw\"\n1,?x,q\n1,\"2\"x,q\n1,2\n"
        let error = #expect(throws: FormatError.self) { try read(text) }
        let lines = error?.description.split(separator: "\n").dropFirst().map(String.init)
        #expect(
            lines == [
                "  line 6, column 2: '?x' is no number", "  line 7, column 2: text follows the closing quote",
                "  line 8, column 2: the row has 2 cells, 3 are wanted",
            ])
    }

    @Test("UTF-16 and UTF-32 are read by their byte order mark", arguments: [0, 1, 2, 3])
    func encodings(encoding: Int) throws {
        let text = "\u{FEFF}größe,kind\n1,ü\n2,😀\n"
        func bytes<Unit: FixedWidthInteger>(_ units: [Unit], isBig: Bool) -> [UInt8] {
            units.flatMap { unit in withUnsafeBytes(of: isBig ? unit.bigEndian : unit.littleEndian, Array.init) }
        }
        let wide = text.unicodeScalars.map(\.value)
        let file =
            encoding < 2
            ? bytes(Array(text.utf16), isBig: encoding == 1) : bytes(wide, isBig: encoding == 3)
        let path = try folder.write(file, "data.csv")
        let data = try CSVReader(label: .name("kind")).read(path)
        #expect(data.classNames == ["ü", "😀"] && data.table?.features.first?.name == "größe")
        #expect(data.features == Tensor([[1], [2]], dtype: .uint8))
        // Cut within a character.
        let cut = try folder.write(file.dropLast(encoding < 2 ? 1 : 3), "cut.csv")
        #expect(throws: FormatError.self) { try CSVReader().read(cut) }
    }

    @Test("what is no UTF-8 is an error that says so, unless the column is passed over")
    func noText() throws {
        let latin = [UInt8]("a,k\n1,caf".utf8) + [0xE9] + [UInt8]("\n2,b\n".utf8)
        let path = try folder.write(latin, "data.csv")
        let error = #expect(throws: FormatError.self) { try CSVReader().read(path) }
        #expect(error?.description == "\(path):2:2: the cell is no UTF-8 text; save the file as UTF-8")
        let name = try folder.write([0xE9] + [UInt8](",k\n1,a\n2,b\n".utf8), "data.csv")
        #expect(throws: FormatError(path: "\(name):1:1", "the cell is no UTF-8 text; save the file as UTF-8")) {
            try CSVReader().read(name)
        }
        let unmarked = try folder.write("1,a\n2,b\n".utf16.flatMap { [UInt8($0), 0] }, "data.csv")
        let nul = #expect(throws: FormatError.self) { try CSVReader().read(unmarked) }
        #expect(nul?.what == "starts with NUL bytes, as UTF-16 without a byte order mark does; save it as UTF-8")
        let half = try folder.write([0xFF, 0xFE, 0x00, 0xD8, 0x31, 0x00], "data.csv")
        #expect(throws: FormatError(path: half, "is no valid UTF16, which its first bytes promise")) {
            try CSVReader().read(half)
        }
    }

    @Test("two columns of one name cannot be told apart by it")
    func sameNames() throws {
        let error = #expect(throws: FormatError.self) { try read("a,k,k\n1,2,0\n", CSVReader(label: .name("k"))) }
        #expect(error?.what == "has more than one column named k for the labels; give its number from 0")
    }
}
