import Cluster
import Dataflow
import Foundation
import Testing
import Training

@Suite("A job's configuration")
struct JobConfigTests {
    @Test("an empty mapping is the default job, and so are empty sections")
    func defaults() throws {
        #expect(try JobConfig.parse(yaml: "{}") == JobConfig())
        #expect(try JobConfig.parse(yaml: "train:\ncluster: {tls: }\n") == JobConfig())
        let config = JobConfig()
        #expect(config.model.hidden == [128] && config.train.epochs == 1 && config.cluster.workers == 2)
        #expect(config.model.effectiveInitializer == .heNormal)
    }

    @Test("every key is read")
    func everyKey() throws {
        let config = try Self.everything()
        #expect(config.job == "007" && config.seed == -5)
        #expect(config.model.hidden == [] && config.model.activation == .leakyRelu)
        #expect(config.model.initializer == .truncatedNormal() && config.model.loss == .meanSquaredError)
        #expect(config.data.path == "/jobs/data/iris.csv" && config.data.testPath == "/iris-test.csv")
        #expect(config.data.labels == .name("5") && config.data.header == .present && config.data.separator == "\t")
        #expect(config.data.missing == .median && config.data.task == .regression && config.data.testFraction == nil)
        #expect(config.train.optimizer == .adamw && config.train.learningRate == 1e-5)
        #expect(config.train.steps == 100 && config.train.epochs == nil && config.train.epsilon == 1e-8)
        #expect(config.train.schedule == .exponential && config.train.decaySteps == 20 && config.train.staircase)
        #expect(config.cluster.transport == .tls && config.cluster.consistency == .sync)
        #expect(config.cluster.joinTimeout == .seconds(120) && config.cluster.heartbeatInterval == .milliseconds(250))
        #expect(config.cluster.heartbeatTimeout == .milliseconds(1500))
        #expect(config.cluster.token == "012: \"ü\"" && config.cluster.tls.ca == "/jobs/ca.pem")
        #expect(config.cluster.tls.clientCA == "/jobs/c.pem")
        #expect(config.devices.worker == "/gpu:0" && config.devices.softPlacement)
        #expect(config.checkpoint.directory == "/checkpoints" && config.checkpoint.keep == 5)
    }

    @Test("what is written reads back as an equal value")
    func roundTrip() throws {
        let everything = try Self.everything()
        #expect(try JobConfig.parse(yaml: everything.yaml()) == everything)
        #expect(try JobConfig.parse(yaml: JobConfig().yaml()) == JobConfig())
        var config = JobConfig()
        config.job = "null"
        config.train.learningRate = 0.1 + 0.2
        (config.data.format, config.data.path) = (.csv, "/a.csv")
        config.data.labels = .name("a: b # c\n\u{7}'\"\\")
        config.cluster.token = "true"
        config.cluster.consistency = .asynchronous(isPipelined: true)
        #expect(try JobConfig.parse(yaml: config.yaml()) == config)
    }

    @Test("a registered kind of model keeps the keys that only it knows")
    func registeredKind() throws {
        let yaml = "model:\n  kind: spiral\n  hidden: [4]\n  turns: 3\n  shape: {name: x, sizes: [1, 2.5, true, ~]}\n"
        let config = try JobConfig.parse(yaml: yaml, overrides: ["model.noise=0.1"], modelKinds: ["spiral"])
        #expect(config.model.hidden == [4])
        #expect(
            config.model.options == [
                "turns": .int(3), "noise": .double(0.1),
                "shape": .map(["name": .string("x"), "sizes": .list([.int(1), .double(2.5), .bool(true), .null])]),
            ])
        #expect(try JobConfig.parse(yaml: config.yaml(), modelKinds: ["spiral"]) == config)
        #expect(
            mistakes(in: yaml).first
                == "line 2: model.kind can't be \"spiral\" (allowed: cnn, graph, lstm, mlp, wide_and_deep)")
    }

    @Test("an override wins over the file, a later one over an earlier one, and steps over the file's epochs")
    func overrides() throws {
        let config = try JobConfig.parse(
            yaml: "train: {batch: 32, epochs: 9, clip_norm: 1}\ndata: {format: csv, path: a.csv}",
            baseDirectory: "/jobs",
            overrides: [
                "train.batch=128", "train.batch=256", "model.hidden=[3, 4]", "train.steps=7", "train.clip_norm=",
                "cluster={workers: 5, tls: {ca: /x}}", "job=a=b", "data.path=b.csv",
            ])
        #expect(config.train.batch == 256 && config.model.hidden == [3, 4] && config.train.length == .steps(7))
        #expect(config.train.clipNorm == nil && config.cluster.workers == 5 && config.cluster.tls.ca == "/x")
        #expect(config.job == "a=b")
        #expect(config.data.path == FileManager.default.currentDirectoryPath + "/b.csv")
    }

    @Test(
        "numbers of bytes have the same units in every key and on command lines",
        arguments: ["4194304", "4194304B", "5000KB", "5MB", "2GB", "1TB", "4096KiB", "64MiB", "64 mib", "2GiB", "1TiB"])
    func byteUnits(text: String) throws {
        let bytes = try #require(ByteSize.parse(text))
        #expect(try ByteSize.argument(text) == bytes)
        let yaml = "cluster: {server_memory: \(text)}\ndevices: {gpu_memory: \(text)}"
        let overrides = ["cluster.server_memory=\(text)", "devices.gpu_memory=\(text)"]
        for config in [try JobConfig.parse(yaml: yaml), try JobConfig.parse(yaml: "{}", overrides: overrides)] {
            #expect(config.cluster.serverMemory == bytes && config.devices.gpuMemory == bytes)
            #expect(try JobConfig.parse(yaml: config.yaml()) == config)
        }
    }

    @Test(
        "what is no number of bytes is refused with an example in every key", arguments: ["64 M", "1.5GiB", "-1", "0"])
    func badBytes(text: String) {
        let got = text.contains(where: \.isLetter) ? "\"\(text)\"" : text
        #expect(
            mistakes(in: "cluster: {server_memory: \(text)}\ndevices: {gpu_memory: \(text)}") == [
                "line 1: cluster.server_memory must be a number of bytes such as 65536, 64MiB or 2GB, at least 1 MiB, got \(got)",
                "line 2: devices.gpu_memory must be a number of bytes such as 65536, 64MiB or 2GB, got \(got)",
            ])
    }

    @Test("layers take every activation and initialiser of Training by its name")
    func layerNames() throws {
        for activation in Activation.allCases {
            let config = try JobConfig.parse(yaml: "model: {activation: \(activation.rawValue)}")
            #expect(config.model.activation == activation)
            #expect(config.model.effectiveInitializer == activation.initializer)
        }
        #expect(try JobConfig.parse(yaml: "model: {activation: none}").model.activation == .linear)
        for (name, initializer) in Initializer.named {
            let config = try JobConfig.parse(yaml: "model: {initializer: \(name)}")
            #expect(config.model.effectiveInitializer == initializer)
            #expect(try JobConfig.parse(yaml: config.yaml()) == config)
        }
    }

    @Test(
        "a mistaken override is named by its text",
        arguments: [
            ("train.batch=big", "train.batch must be a whole number ≥ 1, got \"big\""),
            ("train.bach=3", "unknown key 'train.bach'; did you mean 'batch'? (allowed: optimizer, "),
            ("train=fast", "train must be a section of keys, got \"fast\" (allowed: optimizer, "),
            ("batch=3", "unknown key 'batch'; did you mean 'train.batch'? (allowed: job, "),
            ("train.batch.size=3", "unknown key 'train.batch.size'"),
            ("=3", "must be key=value, e.g. train.batch=128"),
            ("job=", "job must be text, got nothing"),
            ("model.hidden=[1, 2", "did not find expected ',' or ']'"),
            ("cluster.token=*abc", "a value that begins with & or * needs quotes"),
            ("data.format=npz", "data.path is required for data.format npz"),
        ])
    func badOverride(text: String, beginning: String) {
        let found = mistakes(in: "{}", overrides: [text])
        #expect(found.count == 1 && found[0].hasPrefix("--set \(text): \(beginning)"), "\(found)")
    }

    @Test("epochs and steps are not both given on one command line")
    func bothLengthsOverridden() {
        #expect(
            mistakes(in: "{}", overrides: ["train.epochs=1", "train.steps=2"]) == [
                "--set train.steps=2: train.epochs and train.steps are both given; give one of them"
            ])
    }

    static func everything() throws -> JobConfig {
        let yaml = """
            job: 007
            seed: -5
            model: {kind: mlp, hidden: [], activation: leaky_relu, initializer: truncated_normal, dropout: 0.5,
                    loss: mean_squared_error, outputs: 3}
            data: {format: csv, path: data/iris.csv, scale: standardize, labels: "5", header: true, task: regression,
                   test_path: /iris-test.csv, limit: 10, separator: "\\t", missing: median}
            train: {optimizer: adamw, learning_rate: 1e-5, beta1: 0.1, beta2: 0.2, epsilon: 1e-8, batch: 1, steps: 100, l1: 1, l2: 0.25, clip_norm: 5, shuffle: false,
                    evaluate_every_steps: 10, schedule: exponential, decay_steps: 20, decay_rate: 0.5, staircase: true,
                    weight_decay: 0.1}
            cluster:
              servers: 3
              workers: 4
              consistency: sync
              transport: tls+tcp
              address: tls+tcp://host:7000
              threads_per_node: 1
              join_timeout: 2m
              heartbeat_interval: 250ms
              heartbeat_timeout: 1.5
              token: '012: "ü"'
              insecure: true
              tls: {certificate: a.pem, key: b.pem, ca: ./ca.pem, client_ca: c.pem, server_name: host}
            devices: {soft_placement: true, log_device_placement: true, worker: "/gpu:0", server: "/cpu:0"}
            checkpoint: {directory: ../checkpoints, every_steps: 50, keep: 5}
            """
        return try JobConfig.parse(yaml: yaml, baseDirectory: "/jobs")
    }
}
