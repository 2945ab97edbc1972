import Dataflow
import Interchange
import Testing
import Training

@Suite("Headers of tables")
struct HeaderTests {
    private func names(_ text: String, _ reader: CSVReader = CSVReader()) throws -> [String?] {
        let folder = try TemporaryFolder()
        let data = try reader.read(folder.write(text.utf8, "data.csv"))
        return data.table?.features.map(\.name) ?? []
    }

    /// So many rows, each of a function of its number.
    private static func rows(_ count: Int, _ row: (Int) -> String) -> String {
        (0..<count).map { row($0) + "\n" }.joined()
    }

    @Test("a first line that differs in kind from those below is a header")
    func headers() throws {
        let twoNumbers = Self.rows(12) { "\($0).25,-\($0),\($0 % 2)" }
        // Text over the label's numbers, numbers over numbers.
        #expect(try names("2019,2020,label\n" + twoNumbers) == ["2019", "2020"])
        #expect(try names("0,1,label\n" + twoNumbers, CSVReader(task: .regression)) == ["0", "1"])
        #expect(try names("2019,2020,label\n5,6,1\n") == ["2019", "2020"])
        // A name of a feature is a number, another is none.
        #expect(try names("0.5,width,1\n" + twoNumbers) == ["0.5", "width"])
        // Quoted numbers over numbers without quotes, as R writes them.
        #expect(try names("\"1\",\"2\",\"3\"\n" + twoNumbers) == ["1", "2"])
        // Whole numbers over fractions, as pandas names columns.
        let fractions = Self.rows(20) { "\($0).25,-\($0).5,\(Double($0) / 4 + 0.1)" }
        #expect(try names("0,1,2\n" + fractions, CSVReader(task: .regression)) == ["0", "1"])
        // A class that no other line has, over classes that come again and again.
        let classes = Self.rows(12) { "\($0),\($0 + 7),\($0 % 2 == 0 ? "rose" : "elm")" }
        #expect(try names("2019,2020,kind\n" + classes) == ["2019", "2020"])
        // Gaps tell nothing.
        #expect(try names(",2020,label\n,3,1\n2,NA,0\n") == ["", "2020"])
        // Categories alone.
        let texts = Self.rows(6) { "a\($0 % 2),b\($0 % 3),\($0 % 2 == 0 ? "x" : "y")" }
        #expect(
            try names("colour,shape,kind\n" + texts, CSVReader(categorical: [.index(0), .index(1)])) == [
                "colour", "shape",
            ])
    }

    @Test("a first line of the same kind is an example")
    func examples() throws {
        let numbers = Self.rows(20) { "\($0 % 3 == 0 ? "\($0)" : "\($0).5"),\($0),\($0 % 2)" }
        for text in [
            numbers, "7,8,1\n" + numbers, "1,2,0\n3,4,2\n", "1,,0\n" + numbers,
            // Whole over fractions, but few lines, or names that come twice, or a sign.
            "3,0\n1.5,1\n2.5,0\n", "3,3,0\n" + Self.rows(40) { "\($0).5,\($0).25,\($0 % 2)" },
            "-3,2,0\n" + Self.rows(40) { "\($0).5,\($0).25,\($0 % 2)" },
            "3,0\n" + Self.rows(40) { "\($0).5,\($0 % 2)" },
            // A class of one example beside others of one.
            "1,2,kind\n" + Self.rows(12) { "\($0),\($0),c\($0)" },
            "\"1\",\"2\",\"0\"\n" + Self.rows(3) { "\"\($0)\",\"\($0)\",\"1\"" },
        ] { #expect(try names(text).allSatisfy { $0 == nil }, "\(text.prefix(40))") }
        let texts = Self.rows(6) { "a\($0 % 2),b\($0 % 3),\($0 % 2 == 0 ? "x" : "y")" }
        #expect(try names(texts, CSVReader(categorical: [.index(0), .index(1)])) == [nil, nil])
    }

    @Test("what the reader is told holds; a name of a column says that there is a header")
    func told() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("1,2,0\n3,4,1\n".utf8, "data.csv")
        #expect(try CSVReader(header: .present).read(path).count == 1)
        #expect(try CSVReader(header: .absent).read(path).count == 2)
        #expect(try names("2019,2020,7\n1,2,0\n", CSVReader(label: .name("7"))) == ["2019", "2020"])
        let header = try folder.write("a,b,c\n1,2,0\n".utf8, "data.csv")
        #expect(throws: FormatError.self) { try CSVReader(header: .absent).read(header) }
    }

    @Test("a header with numbers among its names is told")
    func notes() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("0,1,label\n5,6,1\n7,8,0\n".utf8, "data.csv")
        #expect(
            try CSVReader().split(path: path).notes == [
                "\(path): the first line is taken for names of columns; if it is an example, say data.header: false"
            ])
        let plain = try folder.write("a,b,label\n5,6,1\n7,8,0\n".utf8, "data.csv")
        #expect(try CSVReader().split(path: plain).notes == [])
    }

    @Test("new data are told like those trained on")
    func newData() throws {
        let folder = try TemporaryFolder()
        let text = "0,1,label\n" + Self.rows(12) { "\($0).5,\($0),\($0 % 2)" }
        let data = try CSVReader().read(folder.write(text.utf8, "data.csv"))
        let fitted = Preprocessing(fittedTo: data, scale: .none)
        for new in ["1,0\n7,2.5\n", "1,0,label\n7,2.5,1\n"] {
            #expect(try CSVReader().features(folder.write(new.utf8, "new.csv"), by: fitted).doubles == [2.5, 7])
        }
    }
}
