import Dataflow
import Interchange
import Testing
import Training

@Suite("Missing values")
struct MissingValueTests {
    let folder = try! TemporaryFolder()

    private func split(_ text: String, _ reader: CSVReader, test: String? = nil) throws -> DataSplit {
        let testPath = try test.map { try folder.write($0.utf8, "test.csv") }
        return try reader.split(path: folder.write(text.utf8, "data.csv"), testPath: testPath, testFraction: 0)
    }

    @Test(
        "an empty cell, ? and the words of pandas are missing, in quotes or not, in any case among numbers",
        arguments: [
            "", " ", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "NULL", "null", "Null", "None", "none", "?", "<NA>",
            "#N/A",
            "\"\"", "\"NA\"", " NA ", "1.#QNAN",
        ])
    func words(word: String) throws {
        let data = try split("a,b\n1,0\n\(word),1\n4,0\n", CSVReader()).training
        #expect(try data.features.dtype == .float32 && data.features.doubles[1].isNaN && data.count == 3)
    }

    @Test("what only looks like one is an error", arguments: ["-", ".", "N", "nano", "?1", "NA NA", "inf"])
    func otherWords(word: String) throws {
        let error = #expect(throws: FormatError.self) { try split("a,b\n1,0\n\(word),1\n", CSVReader()) }
        #expect(error?.what == "'\(word)' is no number")
    }

    @Test(
        "numbers are filled by the training part's",
        arguments: [(FillRule.mean, 4.0), (.median, 2.0), (.zero, 0.0)])
    func rules(rule: FillRule, value: Double) throws {
        let reader = CSVReader(missing: rule)
        let parts = try split("a,b\n1,0\n,1\n2,0\n9,1\n", reader, test: "a,b\n?,1\n100,1\n").filled(rule)
        #expect(try parts.training.features.doubles == [1, value, 2, 9])
        #expect(try parts.test.features.doubles == [value, 100])
        // New data are filled by what was fitted, whatever they hold themselves.
        let fitted = Preprocessing(fittedTo: parts.training, scale: .none)
        let new = try folder.write("a\nNA\n50\n".utf8, "new.csv")
        #expect(try reader.features(new, by: fitted).doubles == [value, 50])
        #expect(try Preprocessing(json: fitted.json(), name: "a") == fitted)
    }

    @Test("a number may be missing first in new data; one without any in the training part is 0")
    func emptyColumns() throws {
        let parts = try split("a,b,c\n,2,0\nNA,4,1\n", CSVReader()).filled(.mean)
        #expect(try parts.training.features.doubles == [0, 2, 0, 4])
        let new = try folder.write("a,b\n5,?\n".utf8, "new.csv")
        let fitted = Preprocessing(fittedTo: parts.training, scale: .none)
        #expect(try CSVReader().features(new, by: fitted).doubles == [5, 3])
    }

    @Test("data.missing: error counts missing numbers among the faults, in new data too")
    func errors() throws {
        let reader = CSVReader(missing: .error)
        let error = #expect(throws: FormatError.self) { try split("a,b\n,0\nNA,1\n", reader) }
        #expect(
            error?.what == "has 2 cells in error\n  line 2, column 1: the cell is empty, a number is wanted\n"
                + "  line 3, column 1: 'NA' is a missing value, a number is wanted")
        let fitted = Preprocessing(fittedTo: try split("a,b\n1,0\n2,1\n", reader).filled(.error).training, scale: .none)
        let new = try folder.write("a\n1\n?\n".utf8, "new.csv")
        // What was fitted counts, not what the reader says now.
        #expect(throws: FormatError(path: "\(new):3:1", "'?' is a missing value, a number is wanted")) {
            try CSVReader().features(new, by: fitted)
        }
    }

    @Test("missing categories are one of their own, last; where the training part has none, an unknown one")
    func categories() throws {
        let reader = CSVReader(categorical: [.index(0)])
        let data = try split("c,x,y\nred,1,0\n,2,1\nNA,3,0\nblue,4,1\nnone,5,1\n", reader).training
        #expect(data.vocabularies[0]?.values == ["blue", "none", "red", ""])
        #expect(try data.features.array(of: UInt8.self) == [2, 1, 3, 2, 3, 3, 0, 4, 1, 5])
        let numbers = try split("c,x,y\n10,1,0\n,2,1\n9,3,0\n", reader).training
        #expect(numbers.vocabularies[0]?.values == ["9", "10", ""])
        let whole = try split("c,x,y\na,1,0\nb,2,1\n", reader, test: "c,x,y\n?,1,0\n")
        #expect(try whole.test.features.array(of: UInt8.self) == [2, 1])
    }

    @Test("a label must be there")
    func labels() throws {
        for (task, word) in [(CSVReader.Task.classification, "NA"), (.regression, "nan"), (.classification, "?")] {
            let error = #expect(throws: FormatError.self) { try split("a,b\n1,1\n2,\(word)\n", CSVReader(task: task)) }
            #expect(error?.what == "'\(word)' is a missing value, a label is wanted")
        }
        // No word of pandas: a class.
        #expect(try split("a,b\n1,none\n2,mild\n", CSVReader()).training.classNames == ["mild", "none"])
    }

    @Test("the log is told once what is filled, by file and column")
    func notes() throws {
        let reader = CSVReader(categorical: [.name("c")])
        let parts = try split("a,c,x,y\n1,r,,0\n,,,1\n2,b,3,1\n", reader, test: "a,c,x,y\n,r,1,0\n")
        let (path, test) = (folder.file("data.csv"), folder.file("test.csv"))
        #expect(
            parts.notes == [
                "\(path): the column's mean in the training part stands for 3 missing numbers: a 1, x 2",
                "\(path): 1 missing cell counts as a category of their own: c 1",
                "\(test): the column's mean in the training part stands for 1 missing number: a 1",
            ])
        #expect(parts.filled(.mean).notes == parts.notes)
    }
}
