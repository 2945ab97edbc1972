import Cluster
import Messaging
import Testing
import Training

/// A `JobConfig` that was made in Swift is checked by the table that YAML is.
@Suite("A configuration from Swift")
struct SwiftConfigTests {
    private func mistakes(_ change: (inout JobConfig) -> Void) -> [String] {
        var config = JobConfig()
        change(&config)
        do throws(ConfigurationError) { try config.validate() } catch {
            #expect(error.name == "JobConfig" && !error.description.contains("line "), "\(error)")
            return error.mistakes.map(\.text)
        }
        return []
    }

    @Test("the default is right, and so is whatever YAML may say")
    func valid() throws {
        try JobConfig().validate()
        #expect(mistakes { $0.train.optimizer = .momentum } == [])
        // A program may try one optimizer after the other.
        #expect(
            mistakes {
                $0.train.momentum = 0.5
                $0.train.optimizer = .adam
            } == [])
        #expect(mistakes { $0.train.metrics = [.auc, .f1] } == [])
    }

    @Test("every property is checked, by its name")
    func mistake() {
        let cases: [((inout JobConfig) -> Void, String)] = [
            ({ $0.train.batch = 0 }, "train.batch must be a whole number ≥ 1, got 0"),
            ({ $0.train.learningRate = -1 }, "train.learningRate must be a number > 0, got -1.0"),
            ({ $0.train.learningRate = .nan }, "train.learningRate must be a number > 0, got \"nan\""),
            ({ $0.train.epochs = 0 }, "train.epochs must be a whole number ≥ 1, got 0"),
            ({ $0.train.steps = -3 }, "train.steps must be a whole number ≥ 1, got -3"),
            (
                { $0.train.l1RegularizationStrength = -1 },
                "train.l1RegularizationStrength must be a number ≥ 0, got -1.0"
            ),
            ({ $0.cluster.workers = 0 }, "cluster.workers must be a whole number ≥ 1, got 0"),
            ({ $0.cluster.servers = -1 }, "cluster.servers must be a whole number ≥ 1, got -1"),
            ({ $0.cluster.threadsPerNode = 0 }, "cluster.threadsPerNode must be a whole number ≥ 1, got 0"),
            (
                { $0.cluster.joinTimeout = .zero },
                "cluster.joinTimeout must be a duration > 0 such as 10, 10s, 500ms or 2m, got 0.0"
            ),
            ({ $0.cluster.wire = .topK(0.5) }, "cluster.wire must be float32, bfloat16, int8 or {top_k: 0.01}"),
            (
                { $0.cluster.consistency = .bounded(staleness: -1) },
                "cluster.consistency must be a whole number ≥ 0, got -1"
            ),
            (
                { $0.cluster.consistency = .synchronous(backup: -1) },
                "cluster.consistency must be a whole number ≥ 0, got -1"
            ),
            (
                { $0.cluster.consistency = .synchronous(backup: 2) },
                "cluster.consistency has 2 backup of 2 cluster.workers"
            ),
            ({ $0.model.hidden = [8, 0] }, "model.hidden must be a whole number ≥ 1, got 0 as item 2 of the list"),
            ({ $0.model.dropout = 1 }, "model.dropout must be a number ≥ 0 and < 1, got 1.0"),
            ({ $0.model.filters = [8] }, "model.filters belongs to model.kind cnn; this is mlp"),
            ({ $0.model.options["size"] = 3 }, "model.options has the unknown key 'model.size'"),
            (
                { $0.model.initializer = .normal(stddev: 0.1) },
                "model.initializer can't be \"normal(mean: 0.0, stddev: 0.1)\" (allowed: he_normal, "
            ),
            ({ $0.model.loss = .node("loss") }, "model.loss can't be \"loss\""),
            ({ $0.data.format = .csv }, "data.path is required for data.format csv"),
            ({ $0.data.path = "" }, "data.path must be a path, got \"\""),
            (
                { $0.data.labels = .index(-1) },
                "data.labels must be a column's name, its number from 0, or last, got -1"
            ),
            ({ $0.data.testFraction = 0.5 }, "data.testFraction belongs to data.format csv, npz, ratings"),
            ({ $0.checkpoint.everySteps = 5 }, "checkpoint.everySteps needs checkpoint.directory"),
            ({ $0.devices.worker = "gpu" }, "devices.worker must be a device such as /cpu:0 or /gpu:0, got \"gpu\""),
            ({ $0.devices.gpuMemory = 0 }, "devices.gpuMemory must be a number of bytes"),
            (
                { $0.cluster.tls.clientCA = "ca.pem" },
                "cluster.tls.clientCA has no effect without cluster.tls.certificate"
            ),
            (
                { $0.cluster.heartbeatTimeout = .milliseconds(1) },
                "cluster.heartbeatTimeout must be longer than cluster.heartbeatInterval"
            ),
            ({ $0.job = "" }, "job must be text, got \"\""),
        ]
        for (change, text) in cases {
            let found = mistakes(change)
            #expect(found.contains { $0.hasPrefix(text) }, "\(text): \(found)")
        }
    }

    @Test("all mistakes are told at once, and where they are")
    func all() {
        var config = JobConfig()
        config.train.batch = 0
        config.cluster.workers = 0
        config.train.learningRate = -1
        let error = #expect(throws: ConfigurationError.self) {
            try LocalCluster.train(config, job: MultilayerPerceptron())
        }
        #expect(
            error?.count == 3
                && error?.description.hasPrefix("JobConfig: 3 mistakes\n  train.learningRate must") == true)
        #expect(
            error?.mistakes.map(\.place)
                == ["train.learningRate", "train.batch", "cluster.workers"].map { .property($0) })
        #expect(throws: ConfigurationError.self) { try PreparedJob(config, MultilayerPerceptron()) }
        #expect(throws: ConfigurationError.self) {
            try Coordinator(
                config: config, job: MultilayerPerceptron(), listen: .init("inproc://never"), options: .init())
        }
    }

    @Test("a mistake of a configuration that is no file's has no line")
    func received() {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfig.received(yaml: "train:\n  batch: 0\n", modelKinds: [])
        }
        #expect(
            error?.description
                == "the coordinator's configuration: 1 mistake\n  train.batch must be a whole number ≥ 1, got 0")
    }

    @Test("every key's property is there")
    func properties() {
        for property in JobConfig.keyProperties {
            var value: Any = JobConfig()
            for name in property.split(separator: ".") where !["train.epochs", "train.steps"].contains(property) {
                // The optimizer's settings are properties of `train` too.
                let settings: Any = (value as? JobConfig.Train)?.optimizerSettings ?? ()
                let children = [value, settings].flatMap { Mirror(reflecting: $0).children }
                let child = children.first { $0.label == String(name) }
                #expect(child != nil, "\(property)")
                value = child?.value ?? ()
            }
        }
    }

    @Test("epochs and steps are set like any property, and each gives up the other")
    func length() {
        var config = JobConfig()
        config.train.epochs = 5
        #expect(config.train.length == .epochs(5))
        config.train.steps = 7
        #expect(config.train.length == .steps(7) && config.train.epochs == nil)
        config.train.epochs = nil
        #expect(config.train.steps == 7)
        config.train.steps = nil
        #expect(config.train.length == .epochs(1))
    }

    @Test("what is printed tells what it is, without secrets")
    func descriptions() {
        var config = JobConfig()
        config.job = "digits"
        config.train.epochs = 5
        config.cluster.token = "a secret of many bytes"
        #expect(
            "\(config)"
                == "job 'digits': mlp on embedded, adam at 0.001, batches of 64, 5 epochs; 1 server, 2 workers, async")
        let all =
            "\(config) \(config.cluster) \(NodeOptions(token: "a secret")) \(CoordinatorOptions(token: "a secret"))"
        #expect(!all.contains("secret"))
        #expect("\(JobConfig.Cluster.Consistency.synchronous(backup: 1))" == "{sync: {backup: 1}}")
    }
}
