import Dataflow
import Interchange
import Testing
import Training

@Suite("Categories")
struct CategoryTests {
    private func read(_ text: String, _ reader: CSVReader) throws -> Dataset {
        let folder = try TemporaryFolder()
        return try reader.read(folder.write(text.utf8, "data.csv"))
    }

    @Test("a categorical column holds indices into its sorted values, beside numbers")
    func csv() throws {
        let text = "colour,size,code,kind\nred,1.5,10,a\n blue ,2,9,b\nred,3,10,a\n"
        let data = try read(text, CSVReader(categorical: [.name("colour"), .index(2)]))
        #expect(try data.features.array(of: Float.self) == [1, 1.5, 1, 0, 2, 0, 1, 3, 1])
        #expect(data.vocabularies[0]?.values == ["blue", "red"] && data.vocabularies[2]?.values == ["9", "10"])
        #expect(data.vocabularies[0]?.size == 3 && data.vocabularies[1] == nil)
        #expect(data.vocabularies[0]?["red"] == 1 && data.vocabularies[0]?["green"] == 2)
        #expect(data.prefix(1).vocabularies == data.vocabularies)
        // The label stands before: features are counted without it.
        let moved = try read("0,x,7\n1,y,8\n", CSVReader(label: .index(0), categorical: [.index(1)]))
        #expect(try moved.features.array(of: UInt8.self) == [0, 7, 1, 8] && moved.vocabularies.keys.sorted() == [0])
    }

    @Test("scaling leaves categories as they are")
    func scaling() throws {
        let data = try read("a,1\nb,3\na,5\n", CSVReader(label: .last, task: .regression, categorical: [.index(0)]))
        let scaling = Scaling(.standardize, fittedTo: data)
        #expect(try data.batch([0, 1, 2], scaling: scaling).features.array(of: Float.self) == [0, 1, 0])
    }

    @Test("what only the test part or new data has is the last index")
    func unknown() throws {
        let folder = try TemporaryFolder()
        let reader = CSVReader(task: .regression, categorical: [.index(0)])
        let split = try reader.split(
            path: folder.write("a,1,2\nb,1,2\n".utf8, "a.csv"), testPath: folder.write("c,1,2\nb,1,2\n".utf8, "b.csv"))
        #expect(try split.test.features.array(of: UInt8.self) == [2, 1, 1, 1])
        let new = try folder.write("b,1\nz,4\n".utf8, "new.csv")
        let features = try reader.features(new, by: Preprocessing(fittedTo: split.training, scale: .none))
        #expect(try features.array(of: UInt8.self) == [1, 1, 2, 4])
    }

    @Test("mistakes are named with file, line and cell")
    func mistakes() throws {
        func message(_ text: String, _ reader: CSVReader) -> String {
            do {
                _ = try read(text, reader)
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            message("x,y\na,1\n", CSVReader(categorical: [.name("z")])).contains(
                "has no column named z for a category; the first line is x, y"))
        #expect(message("a,1\n", CSVReader(categorical: [.last])).contains("cannot be a category too"))
        #expect(message("a,1\n", CSVReader(categorical: [.index(5)])).contains("no column 5 for a category"))
    }

    @Test(
        "ratings come with tabs, commas and a header, or two colons",
        arguments: [
            "196\t242\t3\t881250949\n22\t377\t1\t878887116\n196\t377\t2\t881250949\n",
            "userId,movieId,rating,timestamp\n196,242,3.0,881250949\n22,377,1.0,878887116\n196,377,2.0,881250949\n",
            "196::242::3::881250949\n22::377::1::878887116\n196::377::2::881250949\n",
            "196,242,3\n22,377,1\n196,377,2\n",
        ])
    func ratings(text: String) throws {
        let folder = try TemporaryFolder()
        let data = try RatingsReader().split(path: folder.write(text.utf8, "ratings"), testFraction: 0).training
        #expect(try data.features.array(of: UInt8.self) == [1, 0, 0, 1, 1, 1] && data.width == 2)
        #expect(try data.labels.array(of: Float.self) == [3, 1, 2] && data.classes == 0)
        #expect(data.vocabularies[0]?.values == ["22", "196"] && data.vocabularies[1]?.values == ["242", "377"])
        let new = try folder.write("22\t377\n5\t242\n".utf8, "new")
        let features = try RatingsReader().features(new, by: Preprocessing(fittedTo: data, scale: .none))
        #expect(try features.array(of: UInt8.self) == [0, 1, 2, 0])
    }

    @Test("columns after the time are categories too")
    func furtherColumns() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("1,2,3,99,nurse\n2,2,4,98,poet\n".utf8, "ratings.csv")
        let data = try RatingsReader().split(path: path, testFraction: 0).training
        #expect(data.width == 3 && data.vocabularies[2]?.values == ["nurse", "poet"])
    }

    @Test(
        "files that hold no ratings are refused with what is wanted",
        arguments: [
            ("", "is empty"), ("1 2 3\n", "user, item, rating and perhaps time are wanted"),
            ("1\t2\n", "user, item, rating and perhaps time are wanted"),
            ("1\t2\t3\t4\n1\t2\t\t4\n", "2:3: the cell is empty, a label is wanted"),
            ("1\t2\t3\t4\n1\t2\tgood\t4\n", "2:3: 'good' is no number"),
            ("1\t2\t3\t4\n1\t2\t3\n", "2:3: the row has 3 cells, 4 are wanted"),
        ])
    func noRatings(text: String, message: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(text.utf8, "ratings")
        let error = #expect(throws: FormatError.self) { try RatingsReader().split(path: path) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("the separator of ratings is what stands outside quotes, with a header or without")
    func quotedRatings() throws {
        let folder = try TemporaryFolder()
        for header in ["", "user,item,rating\n"] {
            let text = header + "1,\"Toy Story, The\",3\n2,\"He said \"\"a::b;c\"\"\",4\n1,\"x\ny\",2\n"
            let data = try RatingsReader().split(path: folder.write(text.utf8, "r.csv"), testFraction: 0).training
            #expect(try data.count == 3 && data.labels.array(of: Float.self) == [3, 4, 2])
            #expect(data.vocabularies[1]?.values == ["He said \"a::b;c\"", "Toy Story, The", "x\ny"])
        }
        // A quoted header, the separator within the first cells.
        let text = "\"user\tid\";\"item::id\";\"rating\"\n1;2;3\n"
        #expect(try RatingsReader().split(path: folder.write(text.utf8, "r.csv"), testFraction: 0).training.count == 1)
        // Inches are no quotes, and a name may hold two colons.
        let inches = "196::5\" disk::3::881250949\n22::7\" disk::1::878887116\n"
        #expect(
            try RatingsReader().split(path: folder.write(inches.utf8, "r.dat"), testFraction: 0).training.width == 2)
        let colons = "std::vector,7,3\nstd::map,7,2\n"
        let names = try RatingsReader().split(path: folder.write(colons.utf8, "r.csv"), testFraction: 0).training
        #expect(names.vocabularies[0]?.values == ["std::map", "std::vector"])
    }

    @Test("separator and header of ratings are what the reader is told")
    func toldRatings() throws {
        let folder = try TemporaryFolder()
        let bars = try folder.write("1|2|3\n4|5|1\n".utf8, "bars")
        #expect(throws: FormatError.self) { try RatingsReader().split(path: bars) }
        #expect(try RatingsReader(separator: "|").split(path: bars, testFraction: 0).training.count == 2)
        #expect(
            try RatingsReader(header: .present, separator: "|").split(path: bars, testFraction: 0).training.count == 1)
        let error = #expect(throws: FormatError.self) {
            try RatingsReader(header: .absent).split(path: folder.write("u,i,r\n1,2,3\n".utf8, "h"), testFraction: 0)
        }
        #expect(error?.what == "'r' is no number")
    }

    @Test("users and items are there, whatever they are called; other columns of ratings may have gaps")
    func ratingsWithGaps() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("None,NA,3,99,nurse\n2,?,4,98,\n".utf8, "r.csv")
        let data = try RatingsReader().split(path: path, testFraction: 0).training
        #expect(data.vocabularies[0]?.values == ["2", "None"] && data.vocabularies[1]?.values == ["?", "NA"])
        #expect(data.vocabularies[2]?.values == ["nurse", ""])
        let gap = try folder.write("1,2,3,9\n,2,4,9\n".utf8, "g.csv")
        #expect(throws: FormatError(path: "\(gap):2:1", "the cell is empty, a category is wanted")) {
            try RatingsReader().split(path: gap)
        }
    }
}
