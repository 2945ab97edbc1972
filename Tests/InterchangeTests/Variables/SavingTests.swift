import Dataflow
import Foundation
import Interchange
import Testing

@Suite("Saving and restoring a session's Variables")
struct SavingTests {
    private let folder = try! TemporaryFolder()

    private static let endings = ["weights.safetensors", "weights.npz", "model.ckpt", "model.ckpt-17", "model"]

    /// Variables of several dtypes and shapes, one of them in a scope; `bias` of the extents given.
    private func session(bias: Shape = [3], dtype: DType = .float32, initialize: Bool = true) throws -> Session {
        let g = Graph()
        g.scope("dense") {
            g.variable(Tensor([[1.0, 2, 3], [4, 5, 6]]), name: "kernel")
            let numbers = (0..<bias.elementCount!).map { Double($0) / 4 }
            g.variable(Tensor.numbers(numbers, dtype: dtype, sized: bias), name: "bias")
        }
        g.variable(Tensor(7 as Int64), name: "step", trainable: false)
        g.variable(Tensor([true, false]), name: "flags", trainable: false)
        g.variable(Tensor([Float](), sized: [0, 4]), name: "empty")
        let session = try Session(g)
        if initialize { try session.execute(g.globalVariablesInitializer()) }
        return session
    }

    private func values(_ session: Session) throws -> [Tensor] {
        try session.graph.variables.map { try session.value(of: $0) }
    }

    @Test("what is saved is restored without an initialiser", arguments: endings)
    func roundTrip(name: String) throws {
        let saved = try session()
        let path = folder.file(name)
        try saved.save(to: path)
        let other = try session(initialize: false)
        let report = try other.restore(from: path)
        #expect(try values(other) == values(saved))
        #expect(report.restored.map(\.name) == ["dense/kernel", "dense/bias", "step", "flags", "empty"])
        #expect(report.restored[0].spec == TensorSpec(.float32, [2, 3]))
        #expect(report.missing.isEmpty && report.unused.isEmpty)
        #expect("\(report)" == "5 Variables restored")
    }

    @Test("the files are those of the formats, without leftovers")
    func files() throws {
        let session = try session()
        for name in Self.endings { try session.save(to: folder.file(name)) }
        // Again, over what is there, and by the names of TensorFlow's files.
        for name in Self.endings { try session.save(to: folder.file(name)) }
        try session.save(to: folder.file("model.ckpt.index"))
        try session.save(to: folder.file("model.data-00000-of-00001"))
        let shards = ["model", "model.ckpt", "model.ckpt-17"].flatMap { ["\($0).data-00000-of-00001", "\($0).index"] }
        #expect(try folder.names == (shards + ["weights.npz", "weights.safetensors"]).sorted())
        let kernel = try session.value(of: session.graph.variables[0])
        #expect(try SafetensorsFile(folder.file("weights.safetensors")).tensor(named: "dense/kernel") == kernel)
        #expect(try NpzFile(folder.file("weights.npz")).tensor(named: "dense/kernel") == kernel)
        #expect(try TensorFlowCheckpoint(folder.file("model.ckpt")).tensor(named: "dense/kernel") == kernel)
        for name in ["model.ckpt.index", "model.ckpt.data-00000-of-00001"] {
            #expect(try self.session().restore(from: folder.file(name)).restored.count == 5)
        }
    }

    @Test("a file without a known ending is read by what it begins with")
    func contents() throws {
        let session = try session()
        for name in ["weights.safetensors", "weights.npz"] {
            try session.save(to: folder.file(name))
            try FileManager.default.moveItem(atPath: folder.file(name), toPath: folder.file("best"))
            #expect(try self.session().restore(from: folder.file("best")).restored.count == 5)
            try FileManager.default.removeItem(atPath: folder.file("best"))
        }
    }

    @Test("what the file lacks is an error that names it, unless it is allowed", arguments: endings)
    func missing(name: String) throws {
        let saved = try session()
        let path = folder.file(name)
        try saved.save(to: path, variables: Array(saved.graph.variables.prefix(2)))
        let other = try session()
        let before = try other.graph.variables.map { variable in
            let ones = [Double](repeating: 1, count: variable.shape.elementCount!)
            let value = Tensor.numbers(ones, dtype: variable.dtype, sized: variable.shape)
            try other.assign(value, to: variable)
            return value
        }
        let error = #expect(throws: FormatError.self) { try other.restore(from: path) }
        #expect(error?.what.contains("step int64[], flags bool[2], empty float32[0, 4]") == true, "\(error!)")
        #expect(error?.what.contains("allowingMissing: true") == true)
        #expect(try values(other) == before)
        let report = try other.restore(from: path, allowingMissing: true)
        #expect(report.missing.map(\.name) == ["step", "flags", "empty"])
        #expect(report.restored.map(\.name) == ["dense/kernel", "dense/bias"])
        let expected = Array(try values(saved).prefix(2)) + Array(before.dropFirst(2))
        #expect(try values(other) == expected)
        #expect(
            "\(report)"
                == "2 Variables restored; missing in the file: step int64[], flags bool[2], empty float32[0, 4]")
    }

    @Test("what nobody takes is told", arguments: endings)
    func unused(name: String) throws {
        let path = folder.file(name)
        try session().save(to: path)
        let g = Graph()
        let step = g.variable(Tensor(0 as Int64), name: "step")
        let session = try Session(g)
        let report = try session.restore(from: path)
        #expect(try session.value(of: step) == Tensor(7 as Int64))
        #expect(report.unused.map(\.name) == ["dense/bias", "dense/kernel", "empty", "flags"])
        #expect(report.unused[1].spec == TensorSpec(.float32, [2, 3]))
        let text = "1 Variable restored; not used: dense/bias float32[3], dense/kernel float32[2, 3]"
        #expect("\(report)".hasPrefix(text))
        // As Python's programs name what they take of TensorFlow's Variables.
        try Npz.write([("step:0", Tensor(9 as Int64))], to: folder.file("python.npz"))
        #expect(try session.restore(from: folder.file("python.npz")).unused.isEmpty)
        #expect(try session.value(of: step) == Tensor(9 as Int64))
    }

    @Test("another shape or dtype names both, and nothing has changed", arguments: endings)
    func mismatch(name: String) throws {
        let path = folder.file(name)
        try session().save(to: path)
        let others: [TensorSpec] = [.init(.float32, [4]), .init(.float32, [1, 3]), .init(.float64, [3])]
        for (bias, dtype) in others.map({ ($0.shape, $0.dtype) }) {
            let other = try session(bias: bias, dtype: dtype)
            try other.assign(Tensor(1 as Int64), to: other.graph.variables[2])
            let before = try values(other)
            for allowingMissing in [false, true] {
                let error = #expect(throws: FormatError.self) {
                    try other.restore(from: path, allowingMissing: allowingMissing)
                }
                #expect(
                    error?.what.contains(
                        "'dense/bias' is \(dtype)\(bias) in the graph, 'dense/bias' float32[3] in the file") == true)
            }
            #expect(try values(other) == before)
        }
    }

    @Test("a damaged file is an error, and nothing has changed", arguments: endings.prefix(3))
    func damage(name: String) throws {
        let path = folder.file(name)
        try session().save(to: path)
        let file = name.hasPrefix("model") ? "\(path).data-00000-of-00001" : path
        let sound = try InterchangeTests.contents(file)
        // A byte of the kernel's values.
        let value = [UInt8](withUnsafeBytes(of: Float(5)) { Array($0) })
        let place = try #require(sound.firstRange(of: value)).lowerBound
        var flipped = sound
        flipped[place] ^= 1
        for damaged in [flipped, Array(sound.dropLast(5)), []] {
            _ = try folder.write(damaged, (file as NSString).lastPathComponent)
            let other = try session()
            try other.assign(Tensor(1 as Int64), to: other.graph.variables[2])
            let before = try values(other)
            #expect(throws: FormatError.self) { try other.restore(from: path) }
            #expect(try values(other) == before)
        }
    }

    @Test("a Variable without a value is named, and the file stays as it was")
    func uninitialized() throws {
        let path = folder.file("a.npz")
        try session().save(to: path)
        let before = try InterchangeTests.contents(path)
        let other = try session(initialize: false)
        try other.execute(other.graph.variables[0].initializer)
        let error = #expect(throws: GraphError.self) { try other.save(to: path) }
        #expect(error?.message.contains("'dense/bias', 'step', 'flags', 'empty' are not initialised") == true)
        #expect(try InterchangeTests.contents(path) == before)
        try other.save(to: path, variables: [other.graph.variables[0]])
    }

    @Test(
        "what cannot be written says why", arguments: ["missing/a.npz", "missing/a.safetensors", "missing/deep/model"])
    func unwritable(name: String) throws {
        let error = #expect(throws: FormatError.self) { try session().save(to: folder.file(name)) }
        #expect(error?.isOutput == true && error?.systemCode == ENOENT)
        #expect(try folder.names.filter { $0 != "missing" }.isEmpty)
    }

    @Test("a full disk is an error")
    func fullDisk() throws {
        try FileManager.default.createSymbolicLink(atPath: folder.file("a.npz"), withDestinationPath: "/dev/full")
        let error = #expect(throws: FormatError.self) { try session().save(to: folder.file("a.npz")) }
        #expect(error?.isOutput == true && error?.systemCode == ENOSPC)
    }

    @Test(
        "other endings, empty paths and folders are errors",
        arguments: ["a.h5", "a.pt", "a.npy", "a.json", "", "a/", ".."])
    func badPaths(name: String) throws {
        let path = name.isEmpty ? "" : folder.file(name)
        #expect(throws: FormatError.self) { try session().save(to: path) }
        #expect(throws: FormatError.self) { try session().restore(from: path) }
        #expect(try folder.names.isEmpty)
    }

    @Test("dtypes that a format has not are named")
    func dtypes() throws {
        let g = Graph()
        g.variable(Tensor(texts: ["a", "é"], sized: [2]), name: "words")
        g.variable(Tensor([BFloat16(1.5)]), name: "half")
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let npz = #expect(throws: FormatError.self) { try session.save(to: folder.file("a.npz")) }
        #expect(npz?.what.contains("half bfloat16[1]") == true)
        let safetensors = #expect(throws: FormatError.self) { try session.save(to: folder.file("a.safetensors")) }
        #expect(safetensors?.what.contains("words string[2]") == true)
        try session.save(to: folder.file("a.ckpt"))
        try session.assign(Tensor(texts: ["x", "y"], shape: [2]), to: g.variables[0])
        try session.restore(from: folder.file("a.ckpt"))
        #expect(try session.value(of: g.variables[0]).texts == ["a", "é"])
        #expect(try session.value(of: g.variables[1]) == Tensor([BFloat16(1.5)]))
    }

    @Test("Variables of another graph, none, and graphs without any are errors")
    func strangers() throws {
        let (session, other) = (try session(), try session())
        let stranger = other.graph.variables[0]
        #expect(throws: GraphError.self) { try session.save(to: folder.file("a.npz"), variables: [stranger]) }
        #expect(throws: GraphError.self) { try session.value(of: stranger) }
        #expect(throws: GraphError.self) { try session.assign(Tensor(1 as Float), to: stranger) }
        #expect(throws: GraphError.self) { try session.save(to: folder.file("a.npz"), variables: []) }
        let error = #expect(throws: GraphError.self) { try Session(Graph()).save(to: folder.file("a.npz")) }
        #expect(error?.message == "the graph has no Variables")
        // Twice the same is once.
        let kernel = session.graph.variables[0]
        try session.save(to: folder.file("a.npz"), variables: [kernel, kernel])
        #expect(try NpzFile(folder.file("a.npz")).names == ["dense/kernel"])
    }

    @Test("names of one's own, to save and to restore by", arguments: endings)
    func names(name: String) throws {
        let saved = try session()
        let (kernel, bias) = (saved.graph.variables[0], saved.graph.variables[1])
        let path = folder.file(name)
        try saved.save(to: path, variables: ["old/w": kernel, "old/b": bias])
        let before = try values(saved)
        try saved.assign(.zeros(.float32, [2, 3]), to: kernel)
        try saved.assign(.zeros(.float32, [3]), to: bias)
        let report = try saved.restore(from: path, variables: ["old/w": kernel])
        #expect(report.restored.map(\.name) == ["old/w"] && report.unused.map(\.name) == ["old/b"])
        try saved.restore(from: path, variables: ["old/w": kernel, "old/b": bias])
        #expect(try values(saved) == before)
        let error = #expect(throws: FormatError.self) { try saved.restore(from: path, variables: ["new/w": kernel]) }
        #expect(error?.what.contains("lacks new/w float32[2, 3]") == true)
        #expect(throws: GraphError.self) { try saved.restore(from: path, variables: [String: Variable]()) }
    }

    @Test("a folder of TensorFlow's checkpoints means the newest; partitioned Variables are put together")
    func tensorFlow() throws {
        let path = Bundle.module.bundleURL.appendingPathComponent("Checkpoints/variables").path
        let g = Graph()
        for (i, rows) in [24, 23, 23].enumerated() {
            g.variable(Tensor.zeros(.float32, sized: [rows, 2]), name: "table/part_\(i)")
        }
        let session = try Session(g)
        let report = try session.restore(from: path)
        #expect(report.restored.count == 3)
        let whole = try TensorFlowCheckpoint(path).tensor(named: "table")
        #expect(try g.variables.flatMap { try session.value(of: $0).doubles } == whole.doubles)
        try session.save(to: folder.file("model.ckpt-3"))
        _ = try folder.write("model_checkpoint_path: \"model.ckpt-3\"\n".utf8, "checkpoint")
        #expect(try session.restore(from: folder.path).restored.count == 3)
    }

    @Test("a cluster's folder says what reads it")
    func clusterFolder() throws {
        _ = try folder.write("{}".utf8, "checkpoint-12.json")
        let error = #expect(throws: FormatError.self) { try session().restore(from: folder.path) }
        #expect(error?.what.contains("ClusterCheckpoint") == true)
    }

    @Test("saving while others train takes values of one time")
    func oneTime() async throws {
        let g = Graph()
        let a = g.variable(Tensor.zeros(.float64, sized: [1000]), name: "a")
        let b = g.variable(Tensor.zeros(.float64, sized: [1000]), name: "b")
        let one = g.constant(Tensor(repeating: 1.0, sized: [1000]))
        let step = g.group([a.assign(a + one), b.assign(b + one)])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let path = folder.file("a.npz")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for _ in 0..<2000 { try session.execute(step) } }
            group.addTask {
                for _ in 0..<20 {
                    try session.save(to: path)
                    let file = try NpzFile(path)
                    #expect(try file.tensor(named: "a") == file.tensor(named: "b"))
                }
            }
            try await group.waitForAll()
        }
    }
}
