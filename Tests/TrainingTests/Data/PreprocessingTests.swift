import Dataflow
import Interchange
import Testing
import Training

@Suite("Preprocessing")
struct PreprocessingTests {
    let folder = try! TemporaryFolder()

    private func write(_ text: String, _ name: String = "new.csv") throws -> String {
        try folder.write(text.utf8, name)
    }

    private func fitted(
        _ text: String, _ reader: CSVReader = CSVReader(label: .name("label")), scale: Scaling.Kind = .none
    ) throws -> Preprocessing {
        try Preprocessing(fittedTo: reader.read(write(text, "train.csv")), scale: scale)
    }

    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return ""
    }

    @Test("it says what was fitted, and comes back from its JSON")
    func json() throws {
        let reader = CSVReader(label: .name("label"), categorical: [.name("c")], skipped: [.name("id")])
        let fitted = try fitted("id,c,a,label\n1,u,2,no\n2,v,4,yes\n", reader, scale: .standardize)
        #expect(fitted.table?.features.map(\.name) == ["c", "a"] && fitted.table?.label?.name == "label")
        #expect(fitted.table?.ignored.map(\.name) == ["id"] && fitted.table?.features.map(\.place) == [1, 2])
        #expect(fitted.vocabularies[0]?.values == ["u", "v"] && fitted.classNames == ["no", "yes"])
        #expect(fitted.scaling.offset == [0, 3] && fitted.classes == 2 && fitted.targets == 0)
        #expect(try Preprocessing(json: fitted.json(), name: "p.json") == fitted)
        #expect(fitted.noExamples.count == 0 && fitted.noExamples.vocabularies == fitted.vocabularies)
    }

    @Test(
        "JSON that is none is refused with the reason",
        arguments: [
            ("{", "is no preprocessing"), ("{\"format\": 1}", "lacks '"),
            (
                #"{"format":2,"vocabularies":{},"featureShape":[2],"classes":2,"classNames":[],"targets":0,"scaling":$}"#,
                "format 2"
            ),
            (
                #"{"format":1,"vocabularies":{},"featureShape":[-2],"classes":2,"classNames":[],"targets":0,"scaling":$}"#,
                "shape [-2]"
            ),
            (
                #"{"format":1,"vocabularies":{},"featureShape":[3037000500,3037000500],"classes":2,"classNames":[],"targets":0,"scaling":$}"#,
                "shape"
            ),
            (
                #"{"format":1,"vocabularies":{"5":["a"]},"featureShape":[2],"classes":2,"classNames":[],"targets":0,"scaling":$}"#,
                "categories beyond"
            ),
            (
                #"{"format":1,"vocabularies":{"0":["a","a"]},"featureShape":[2],"classes":2,"classNames":[],"targets":0,"scaling":$}"#,
                "twice"
            ),
            (
                #"{"format":1,"vocabularies":{},"featureShape":[2],"classes":0,"classNames":[],"targets":0,"scaling":$}"#,
                "0 classes and 0 targets"
            ),
            (
                #"{"format":1,"vocabularies":{},"featureShape":[2],"classes":2,"classNames":["a"],"targets":0,"scaling":$}"#,
                "1 names"
            ),
            (
                #"{"format":1,"vocabularies":{},"featureShape":[3],"classes":2,"classNames":[],"targets":0,"scaling":{"kind":"standardize","offset":[1],"factor":[1]}}"#,
                "a scale of 1"
            ),
            (
                #"{"format":1,"vocabularies":{},"featureShape":[1],"classes":2,"classNames":[],"targets":0,"scaling":$,"table":{"features":[{"place":7}],"ignored":[],"width":1}}"#,
                "columns that do not fit"
            ),
        ] as [(String, String)])
    func damaged(text: String, reason: String) throws {
        let json = text.replacing("$", with: #"{"kind":"none","offset":[],"factor":[]}"#)
        let error = #expect(throws: FormatError.self) { try Preprocessing(json: Array(json.utf8), name: "p.json") }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test(
        "columns are found by name, in any order, with or without the label",
        arguments: [
            "a,b\n1,200\n3,400\n", "b,a\n200,1\n400,3\n", "label,b,a\nyes,200,1\nno,400,3\n",
            "b,label,a\n200,,1\n400,?,3\n",
            "1,200\n3,400\n", "1,200,yes\n3,400,no\n", "\"b\", a\n200,1\n400,3\n",
        ])
    func order(text: String) throws {
        let fitted = try fitted("a,b,label\n5,6,no\n7,8,yes\n")
        let features = try CSVReader().features(write(text), by: fitted)
        #expect(try features.doubles == [1, 200, 3, 400])
    }

    @Test("labels come from their column wherever it stands, classes by the model's names")
    func labels() throws {
        let fitted = try fitted("a,b,label\n5,6,no\n7,8,yes\n")
        let data = try CSVReader().read(write("b,label,a\n2,yes,1\n4,yes,3\n"), by: fitted)
        #expect(try data.features.doubles == [1, 2, 3, 4] && data.labels.integers == [1, 1] && data.classes == 2)
        #expect(
            message { _ = try CSVReader().read(write("b,label,a\n2,maybe,1\n"), by: fitted) }.contains(
                ":2:2: the label 'maybe' is not among those"))
        let numbers = try Preprocessing(fittedTo: CSVReader().read(write("1,0\n2,2\n")), scale: .none)
        #expect(
            message { _ = try CSVReader().read(write("1,3\n"), by: numbers) }.contains("the label '3' is not among"))
    }

    @Test("a test file beside a training file has its columns in any order, too")
    func testFile() throws {
        let reader = CSVReader(label: .name("label"), categorical: [.name("c")])
        let split = try reader.split(
            path: write("c,a,label\nu,1,no\nv,2,yes\n", "train.csv"), testPath: write("label,a,c\nyes,300,v\n"))
        #expect(try split.test.features.doubles == [1, 300] && split.test.labels.integers == [1])
    }

    @Test("unknown and missing columns are an error that lists both sides")
    func foreign() throws {
        let fitted = try fitted("a,b,label\n5,6,no\n7,8,yes\n")
        func refusal(_ text: String, _ reader: CSVReader = CSVReader()) -> String {
            message { _ = try reader.features(write(text), by: fitted) }
        }
        let other = refusal("height,weight\n1,2\n")
        #expect(
            other.contains("has the columns height, weight; the model takes a, b, with or without label"), "\(other)")
        #expect(other.contains("missing: a, b; unknown: height, weight (leave them out, or name them in data.ignore)"))
        let id = refusal("id,a,b\n1,2,3\n")
        #expect(id.contains("unknown: id") && !id.contains("missing"))
        #expect(refusal("a\n1\n").contains("missing: b"))
        #expect(refusal("a,b,a\n1,2,3\n").contains("unknown: a"))
        #expect(refusal("1,2,3,4\n").contains("has 4 columns and no header; the model takes 2 (a, b)"))
        #expect(refusal("id,a,b\n1,2,3\n", CSVReader(skipped: [.name("id")])) == "")
        #expect(
            message { _ = try CSVReader().read(write("a,b\n1,2\n"), by: fitted) }.contains(
                "the model takes a, b and tells label; missing: label"))
    }

    @Test("a column that training ignored may be there or not")
    func ignored() throws {
        let reader = CSVReader(label: .name("label"), skipped: [.name("id")])
        let fitted = try fitted("id,a,label\nx,1,no\ny,2,yes\n", reader)
        for text in ["id,a\nz,9\n", "a\n9\n", "a,id,label\n9,w,no\n", "z,9,no\n"] {
            #expect(try CSVReader().features(write(text), by: fitted).doubles == [9], "\(text)")
        }
        #expect(message { _ = try reader.read(write("a,label\n1,no\n")) }.contains("no column named id"))
    }

    @Test("columns of one name are taken in their order")
    func duplicates() throws {
        let fitted = try fitted("a,a,label\n1,2,no\n3,4,yes\n")
        #expect(try CSVReader().features(write("label,a,a\nno,7,8\n"), by: fitted).doubles == [7, 8])
    }

    @Test("categories keep the indices that training gave them; new ones are refused only in training data")
    func categories() throws {
        let reader = CSVReader(label: .name("label"), categorical: [.name("c")])
        let fitted = try fitted("c,label\nred,no\nblue,yes\n", reader)
        #expect(try reader.features(write("c\nred\nazure\nblue\n"), by: fitted).doubles == [1, 2, 0])
        let path = try write("c,label\nred,no\nazure,yes\n")
        #expect(
            message { _ = try reader.split(path: path, fitted: fitted) }.contains(
                "column c has categories that the checkpoint does not know: azure"))
        #expect(
            try reader.split(path: path, testFraction: 0, fitted: fitted, allowsNewCategories: true).training.count == 2
        )
    }

    @Test("training data that is to be read otherwise than before is refused")
    func otherKeys() throws {
        let reader = CSVReader(label: .name("label"), categorical: [.name("c")])
        let text = "c,a,label\n1,1,no\n2,2,yes\n"
        let fitted = try fitted(text, reader)
        func refusal(_ reader: CSVReader) -> String {
            message { _ = try reader.split(path: write(text), fitted: fitted) }
        }
        #expect(refusal(reader) == "")
        #expect(refusal(CSVReader(label: .name("a"), categorical: [.name("c")])).contains("is a, but the checkpoint's"))
        #expect(refusal(CSVReader(label: .name("label"))).contains("c is a number now, was a category"))
        #expect(
            refusal(CSVReader(label: .index(1), categorical: [.index(0)])).contains("a is the label now, was a number"))
        #expect(refusal(CSVReader(label: .name("label"), categorical: [.name("a")])).contains("takes [c]"))
        let ignoring = CSVReader(label: .name("label"), categorical: [.name("c")], skipped: [.name("a")])
        #expect(refusal(ignoring).contains("a is ignored now, was a number"))
    }

    @Test("two colons between columns are one separator to a model of commas, and the other way round")
    func ratings() throws {
        let first = try RatingsReader().split(
            path: write("user,item,rating,time\nu,7,3,9\nv,8,4,9\n", "r.csv"), testFraction: 0)
        let fitted = Preprocessing(fittedTo: first.training, scale: .none)
        #expect(fitted.table?.features.map(\.name) == ["user", "item"] && fitted.table?.label?.name == "rating")
        for text in [
            "v::8\nu::7\n", "item,user\n8,v\n7,u\n", "v,8,1\nu,7,1\n",
            "time\titem\trating\tuser\n1\t8\t1\tv\n1\t7\t1\tu\n",
            "v::8::4::1\nu::7::4::1\n",
        ] {
            #expect(try RatingsReader().features(write(text, "n"), by: fitted).doubles == [1, 1, 0, 0], "\(text)")
        }
        #expect(
            message { _ = try RatingsReader().features(write("height,weight\n1,2\n", "n"), by: fitted) }.contains(
                "unknown: height, weight"))
    }

    @Test("numbers for missing ones are fitted on the training part, and are the same for new data")
    func fills() throws {
        let table = TableLayout(
            features: [.init(name: "a", place: 0), .init(name: "b", place: 1)], label: nil, width: 2)
        func data(_ values: [[Float]]) throws -> Dataset {
            try Dataset(
                features: Tensor(values), labels: Tensor(repeating: Int32(0), sized: [values.count]), classes: 1,
                table: table)
        }
        let split = try DataSplit(training: data([[1, .nan], [2, 4], [6, .nan]]), test: data([[.nan, .nan]]))
        for (rule, a, b) in [(FillRule.mean, 3.0, 4.0), (.median, 2, 4), (.zero, 0, 0)] {
            let filled = split.filled(rule)
            #expect(
                try filled.training.features.doubles == [1, b, 2, 4, 6, b] && filled.test.features.doubles == [a, b])
            let fitted = Preprocessing(fittedTo: filled.training, scale: .none)
            #expect(fitted.table?.features.map(\.fill) == [a, b])
            // A checkpoint's numbers stay, whatever the rule is now.
            let other = try DataSplit(training: data([[100, .nan]]), test: data([[.nan, 1]]))
            #expect(try other.filled(.zero, fitted: fitted).test.features.doubles == [a, 1])
        }
        #expect(split.filled(.error).training.table?.features.map(\.fill) == [nil, nil])
    }

    @Test("missing categories are a value of their own, the last")
    func missingCategory() {
        let vocabulary = Vocabulary(["10", "", "9"])
        #expect(vocabulary.values == ["9", "10", ""] && vocabulary[Vocabulary.missing] == 2 && vocabulary["x"] == 3)
    }

    @Test("arrays must fit the model: features, kind of labels, classes")
    func arrays() throws {
        let fitted = try Preprocessing(
            fittedTo: Dataset(
                features: Tensor.zeros(.uint8, sized: [1, 4]), labels: Tensor([2] as [Int32]), classes: 3,
                featureShape: [2, 2]),
            scale: .none)
        func refusal(_ data: Dataset) -> String { message { _ = try fitted.accept(data, name: "x.npz") } }
        let x = Tensor.zeros(.float32, sized: [1, 4])
        let fewer = try fitted.accept(Dataset(features: x, labels: Tensor([0] as [Int32]), classes: 1), name: "x.npz")
        #expect(fewer.classes == 3 && fewer.featureShape == [2, 2])
        #expect(
            try refusal(Dataset(features: x, labels: Tensor([3] as [Int32]), classes: 4)).contains("the class 3; the"))
        #expect(
            try refusal(Dataset(features: x, labels: Tensor.zeros(.float32, sized: [1, 1]), classes: 0)).contains(
                "labels that are numbers"))
        #expect(
            try refusal(
                Dataset(features: Tensor.zeros(.float32, sized: [1, 5]), labels: Tensor([0] as [Int32]), classes: 1)
            ).contains(
                "holds 5"))
    }

    @Test("a change of the data is noticed")
    func facts() throws {
        func facts(_ text: String) throws -> DataFacts {
            try DataFacts(DataSplit(CSVReader().read(write(text)), testFraction: 0, seed: 1))
        }
        let before = try facts("1,0\n2,1\n")
        #expect(try facts("1,0\n2,1\n").change(since: before) == nil)
        #expect(try facts("1,0\n2,1\n3,1\n").change(since: before)?.contains("3 training examples, 2 when") == true)
        #expect(try facts("1,0\n3,1\n").change(since: before)?.contains("but not the same") == true)
        #expect(try facts("1,0\n2,0\n").change(since: before)?.contains("but not the same") == true)
    }
}
