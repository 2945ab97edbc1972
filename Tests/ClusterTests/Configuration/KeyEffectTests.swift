import Cluster
import Dataflow
import Foundation
import Interchange
import Testing
import Training

/// A key that is given either changes what the job does or is refused with its line. A new key needs a value here.
@Suite("Every key has an effect or is refused")
struct KeyEffectTests {
    // MARK: Data

    /// For each key a value that is not the default. `FOLDER` is where the files lie.
    private static let dataValues: [String: String] = [
        "scale": "standardize", "labels": "0", "categorical": "[1]", "header": "true", "missing": "zero",
        "task": "regression", "test_path": "FOLDER/test", "test_fraction": "0.5", "limit": "3", "separator": "\";\"",
        "ignore": "[1]",
    ]

    private static func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    private static func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// Writes small data of a format. Returns the lines of `data` that read it, and the kind of model.
    private static func data(_ format: JobConfig.Data.Format, in folder: String) throws -> (lines: String, kind: String)
    {
        let path = "\(folder)/data"
        switch format {
        case .embedded: return ("", "mlp")
        case .csv:
            let row: (Int) -> String = { "\($0 % 3),\($0 * $0),\($0 == 4 ? "" : "\($0).5"),\($0 % 2)\n" }
            try write((1...12).map(row).joined(), path)
            try write((1...3).map(row).joined(), "\(folder)/test")
            return ("  path: \(path)\n  categorical: [0]\n", "wide_and_deep")
        case .ratings:
            let row: (Int) -> String = { "\($0 % 3)\t\($0 % 4)\t\($0 % 5)\t99\n" }
            try write((1...12).map(row).joined(), path)
            try write((1...3).map(row).joined(), "\(folder)/test")
            return ("  path: \(path)\n", "wide_and_deep")
        case .npz:
            let x = Tensor((0..<24).map(Float.init), sized: [12, 2])
            let y = Tensor((0..<12).map { Int32($0 % 2) })
            for (name, count) in [("data", 12), ("test", 3)] {
                try Npz.write([("x", x.rows(0..<count)), ("y", y.rows(0..<count))], to: "\(folder)/\(name)")
            }
            return ("  path: \(path)\n", "mlp")
        case .idx:
            for part in ["train", "t10k"] {
                let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2] + Array(1...8)
                try Data(images).write(to: URL(fileURLWithPath: "\(folder)/\(part)-images-idx3-ubyte"))
                try Data([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1] as [UInt8]).write(
                    to: URL(fileURLWithPath: "\(folder)/\(part)-labels-idx1-ubyte"))
            }
            return ("  path: \(folder)\n", "mlp")
        }
    }

    /// What a job is fed, as text; or what reading its data throws.
    private static func fed(_ yaml: String) throws -> String {
        let config = try JobConfig.parse(yaml: yaml)
        do {
            let job = try PreparedJob(config, JobRegistry()[config.model.kind]!)
            let counts = "\(job.data.training.count) \(job.data.test.count) \(job.data.training.classes)"
            let feeds = try [(job.data.training, true), (job.data.test, false)].map { set, isTraining in
                let indices = (0..<min(set.count, 12)).map { Int32($0) }
                return try job.feeds(set, indices, training: isTraining).tensors()
                    .map { "\($0.key.name) \(try $0.value.doubles)" }
                    .sorted()
            }
            return "\(counts) \(feeds)"
        } catch { return "\(error)" }
    }

    @Test("of the data, in every format", arguments: JobConfig.Data.Format.allCases)
    func data(format: JobConfig.Data.Format) throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (lines, kind) = try Self.data(format, in: folder)
        let base = "model: {kind: \(kind), hidden: [2]}\ndata:\n  format: \(format.rawValue)\n\(lines)"
        let before = try Self.fed(base)
        let line = base.split(separator: "\n").count + 1
        for path in JobConfig.keyPaths where path.hasPrefix("data.") {
            let key = String(path.dropFirst("data.".count))
            if ["format", "path"].contains(key) { continue }
            // Ratings are a regression; saying so changes nothing.
            let value =
                key == "task" && format == .ratings
                ? "classification"
                : try #require(Self.dataValues[key], "a value for \(path)")
                    .replacingOccurrences(of: "FOLDER", with: folder)
            let yaml =
                key == "categorical" && format == .csv
                ? base.replacingOccurrences(of: "categorical: [0]", with: "categorical: \(value)")
                : base + "  \(key): \(value)\n"
            let refusals = mistakes(in: yaml)
            if refusals.isEmpty {
                #expect(try Self.fed(yaml) != before, "\(path) of \(format) has no effect")
            } else {
                #expect(refusals.count == 1 && refusals[0].hasPrefix("line \(line): \(path) "), "\(refusals)")
            }
        }
    }

    @Test(
        "what belongs to another format is refused with the reason",
        arguments: [
            ("npz", "labels: a", "data.labels belongs to data.format csv; this is npz, whose arrays are x and y"),
            (
                "npz", "separator: ;",
                "data.separator belongs to data.format csv, ratings; this is npz, whose arrays are x and y"
            ),
            (
                "npz", "header: false",
                "data.header belongs to data.format csv, ratings; this is npz, whose arrays are x and y"
            ),
            (
                "idx", "test_fraction: 0.5",
                "data.test_fraction belongs to data.format csv, npz, ratings; this is idx, whose files hold images and "
                    + "labels, and a test part of their own"
            ),
            (
                "ratings", "scale: min_max",
                "data.scale belongs to data.format embedded, idx, csv, npz; this is ratings, whose columns are user, item, "
                    + "rating and time, categories all but the rating"
            ),
        ])
    func reasons(format: String, line: String, text: String) {
        let kind = format == "ratings" ? "wide_and_deep" : "mlp"
        #expect(
            mistakes(in: "model: {kind: \(kind)}\ndata:\n  format: \(format)\n  path: x\n  \(line)\n") == [
                "line 5: \(text)"
            ])
        #expect(
            mistakes(in: "{}", overrides: ["model.kind=\(kind)", "data={format: \(format), path: x, \(line)}"]).first?
                .contains(text) == true)
    }

    // MARK: Models and training

    private static let modelValues: [String: String] = [
        "model.image": "[1, 4]", "model.filters": "[3]", "model.kernel": "3", "model.pool": "1",
        "model.batch_normalization": "true", "model.cell": "gru", "model.units": "3", "model.layers": "2",
        "model.steps": "4",
        "model.embedding": "3", "model.hidden": "[3]", "model.activation": "tanh", "model.initializer": "normal",
        "model.dropout": "0.5", "model.loss": "mean_squared_error", "model.outputs": "7", "model.file": "a.pb",
        "model.init": "a", "model.train": "a", "model.feeds": "{x: features, y: labels}", "model.metrics": "{a: a}",
        "model.predictions": "a", "train.optimizer": "adadelta", "train.learning_rate": "0.3",
        "train.schedule": "cosine",
        "train.decay_steps": "3", "train.decay_rate": "0.3", "train.staircase": "true",
        "train.end_learning_rate": "0.1",
        "train.momentum": "0.3", "train.decay": "0.3", "train.beta1": "0.3", "train.beta2": "0.3",
        "train.epsilon": "0.3",
        "train.centered": "true", "train.weight_decay": "0.3", "train.learning_rate_power": "-0.3",
        "train.l1_regularization_strength": "0.3", "train.l2_regularization_strength": "0.3", "train.l1": "0.3",
        "train.l2": "0.3", "train.clip_norm": "0.3",
    ]

    /// Where a job has the value already.
    private static let otherChoices = ["adadelta": "adagrad", "cosine": "linear", "[2]": "[3]", "2": "4"]

    /// Keys that work beside the graph, for every kind of model.
    private static let runKeys: Set<String> = [
        "model.kind", "model.precision", "train.batch", "train.epochs", "train.steps", "train.shuffle",
        "train.staleness_scaling", "train.evaluate_every_steps", "train.on_nan", "train.metrics",
    ]

    /// Checks every key of `model` and `train` over a job, which `changes` may take from its sections.
    private func check(_ sections: [String: String]) throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let isWide = sections["model"]?.contains("wide_and_deep") == true
        let rows = (1...12).map { "\($0 % 3),\($0 * $0),\($0),\($0 / 2),\($0 % 2)\n" }.joined()
        try Self.write(rows, "\(folder)/data")
        func yaml(_ key: String? = nil) -> String {
            var lines = ["data: {format: csv, path: \(folder)/data\(isWide ? ", categorical: [0]" : "")}"]
            for section in ["model", "train"] {
                lines.append("\(section):")
                lines += (sections[section] ?? "").split(separator: ";").map { "  \($0)" }
                if let key, key.hasPrefix(section + ".") {
                    let name = key.dropFirst(section.count + 1)
                    lines.removeAll { $0.hasPrefix("  \(name):") }
                    let value = Self.modelValues[key] ?? ""
                    let isSame = sections[section]?.contains(": \(value)") == true
                    lines.append("  \(name): \(isSame ? Self.otherChoices[value] ?? "" : value)")
                }
            }
            return lines.joined(separator: "\n") + "\n"
        }
        func fingerprint(_ yaml: String) throws -> String {
            let config = try JobConfig.parse(yaml: yaml)
            do { return try PreparedJob(config, JobRegistry()[config.model.kind]!).fingerprint } catch {
                return "\(error)"
            }
        }
        let before = try fingerprint(yaml())
        for key in JobConfig.keyPaths where key.hasPrefix("model.") || key.hasPrefix("train.") {
            if Self.runKeys.contains(key) { continue }
            #expect(Self.modelValues[key] != nil, "a value for \(key)")
            let refusals = mistakes(in: yaml(key))
            if refusals.isEmpty {
                #expect(try fingerprint(yaml(key)) != before, "\(key) has no effect beside \(sections)")
            } else {
                let lines = yaml(key).split(separator: "\n")
                let name = key.split(separator: ".")[1]
                let line = lines.firstIndex { $0.hasPrefix("  \(name):") }.map { $0 + 1 } ?? 0
                #expect(refusals.count == 1 && refusals[0].hasPrefix("line \(line): \(key) belongs to "), "\(refusals)")
            }
        }
    }

    @Test(
        "of the model, of every kind",
        arguments: [
            "kind: mlp;hidden: [2]", "kind: cnn;image: [2, 2];filters: [2];hidden: [2]", "kind: lstm;steps: 2;units: 2",
            "kind: wide_and_deep;hidden: [2]",
        ])
    func models(model: String) throws { try check(["model": model, "train": "schedule: exponential"]) }

    @Test("of the training, with every optimizer", arguments: OptimizerSettings.Name.allCases)
    func optimizers(optimizer: OptimizerSettings.Name) throws {
        try check(["model": "hidden: [2]", "train": "optimizer: \(optimizer.rawValue)"])
    }

    @Test("of the training, with every schedule", arguments: OptimizerSettings.Schedule.allCases)
    func schedules(schedule: OptimizerSettings.Schedule) throws {
        try check(["model": "hidden: [2]", "train": "schedule: \(schedule.rawValue)"])
    }

    @Test("an imported graph brings its optimizer, layers and loss")
    func graph() {
        let graph = "model: {kind: graph, file: a.pb, train: t, loss: l, feeds: {x: features, y: labels}}\ntrain:\n"
        for key in JobConfig.keyPaths where key.hasPrefix("train.") && !Self.runKeys.contains(key) {
            let value = Self.modelValues[key] ?? ""
            let refusals = mistakes(in: graph + "  \(key.dropFirst("train.".count)): \(value)\n")
            #expect(
                refusals.count == 1 && refusals[0].hasPrefix("line 3: \(key) belongs to model.kind mlp"), "\(refusals)")
        }
    }

    @Test("an optimizer or a schedule of the command line lets the file's keys for another be")
    func overrides() throws {
        let yaml = "train: {optimizer: momentum, momentum: 0.5, schedule: exponential, decay_rate: 0.5}"
        #expect(mistakes(in: yaml, overrides: ["train.optimizer=adam", "train.schedule=constant"]) == [])
        let config = try JobConfig.parse(yaml: yaml, overrides: ["train.optimizer=adam", "train.schedule=constant"])
        #expect(!config.yaml().contains("momentum") && !config.yaml().contains("decay_rate"))
        #expect(
            mistakes(in: "{}", overrides: ["train.momentum=0.5"]) == [
                "--set train.momentum=0.5: train.momentum belongs to train.optimizer momentum, nesterov; this is adam"
            ])
        #expect(
            mistakes(in: yaml, overrides: ["train.optimizer=adam", "train.momentum=0.3"]).first?.hasPrefix(
                "--set train.momentum=0.3: train.momentum belongs") == true)
    }

    @Test("a test part of the command line takes the other's place")
    func testParts() throws {
        let csv = "data: {format: csv, path: a"
        let path = try JobConfig.parse(yaml: csv + ", test_fraction: 0.5}", overrides: ["data.test_path=/b"])
        #expect(path.data.testPath == "/b" && path.data.testFraction == nil)
        let share = try JobConfig.parse(yaml: csv + ", test_path: b}", overrides: ["data.test_fraction=0.5"])
        #expect(share.data.testPath == nil && share.data.testFraction == 0.5)
    }
}
