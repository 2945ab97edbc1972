import Cluster
import Testing

/// The lines of the error that a text gives, without the heading.
func mistakes(in yaml: String, overrides: [String] = [], modelKinds: Set<String> = []) -> [String] {
    do throws(ConfigurationError) {
        _ = try JobConfig.parse(
            yaml: yaml, name: "job.yaml", baseDirectory: "/jobs", overrides: overrides, modelKinds: modelKinds)
        return []
    } catch {
        return error.description.split(separator: "\n").dropFirst().map { String($0.dropFirst(2)) }
    }
}

@Suite("Mistakes in a configuration")
struct ConfigurationMistakeTests {
    @Test(
        "a value of the wrong type or out of range is named with its line and what is wanted",
        arguments: [
            ("train: {batch: big}", "train.batch must be a whole number ≥ 1, got \"big\""),
            ("train: {batch: 0}", "train.batch must be a whole number ≥ 1, got 0"),
            ("train: {batch: 1.5}", "train.batch must be a whole number ≥ 1, got 1.5"),
            ("train: {batch: \"64\"}", "train.batch must be a whole number ≥ 1, got \"64\""),
            ("train: {batch: }", "train.batch must be a whole number ≥ 1, got nothing"),
            (
                "train: {batch: 9000000000}",
                "train.batch must be a whole number ≥ 1 and ≤ 1000000000, got 9000000000"
            ),
            (
                "train: {batch: 99999999999999999999999999}",
                "train.batch must be a whole number ≥ 1, got 99999999999999999999999999"
            ),
            ("train: {learning_rate: 0}", "train.learning_rate must be a number > 0, got 0"),
            ("train: {learning_rate: 1e999}", "train.learning_rate must be a number > 0, got \"1e999\""),
            ("train: {learning_rate: nan}", "train.learning_rate must be a number > 0, got \"nan\""),
            ("train: {learning_rate: [1, 2]}", "train.learning_rate must be a number > 0, got [1, 2]"),
            ("train: {shuffle: yes}", "train.shuffle must be true or false, got \"yes\""),
            ("train: {l2: -1}", "train.l2 must be a number ≥ 0, got -1"),
            ("model: {dropout: 1}", "model.dropout must be a number ≥ 0 and < 1, got 1"),
            ("model: {hidden: 128}", "model.hidden must be a list such as [256, 128], got 128"),
            (
                "model: {hidden: [1, 0]}",
                "model.hidden must be a whole number ≥ 1, got 0 as item 2 of the list"
            ),
            (
                "data: {format: csv, path: x, separator: ab}",
                "data.separator must be one ASCII character, tab, or ::, got \"ab\""
            ),
            (
                "data: {format: csv, path: x, separator: §}",
                "data.separator must be one ASCII character, tab, or ::, got \"\\U000000A7\""
            ),
            (
                "data: {format: csv, path: x, separator: '::'}",
                "data.separator can't be :: for data.format csv; ratings may have it"
            ),
            (
                "data: {format: csv, path: x, labels: -1}",
                "data.labels must be a column's name, its number from 0, or last, got -1"
            ),
            (
                "cluster: {join_timeout: 5 weeks}",
                "cluster.join_timeout must be a duration > 0 such as 10, 10s, 500ms or 2m, got \"5 weeks\""
            ),
            ("devices: {worker: cpu}", "devices.worker must be a device such as /cpu:0 or /gpu:0, got \"cpu\""),
            ("job: []", "job must be text, got []"),
            (
                "train: {optimizer: adamm}",
                "train.optimizer can't be \"adamm\"; did you mean 'adam'? "
                    + "(allowed: gradient_descent, momentum, nesterov, adagrad, rmsprop, adam, adamw, adadelta, ftrl, sgd)"
            ),
            (
                "cluster: {consistency: asink}",
                "cluster.consistency can't be \"asink\"; did you mean 'async'? "
                    + "(allowed: async, {async: {pipeline: true}}, sync, {sync: {backup: N, sparse: async}}, "
                    + "{staleness: N})"
            ),
            (
                "cluster: {consistency: {staleness: -1}}",
                "cluster.consistency must be a whole number ≥ 0, got -1 for 'staleness'"
            ),
            (
                "cluster: {consistency: {async: {pipelin: true}}}",
                "cluster.consistency can't be \"pipelin\"; did you mean 'pipeline'? (allowed: pipeline) in 'async'"
            ),
            (
                "cluster: {consistency: {async: {pipeline: 2}}}",
                "cluster.consistency must be true or false, got 2 for 'pipeline'"
            ),
            (
                "cluster: {consistency: {sync: {backups: 1}}}",
                "cluster.consistency can't be \"backups\"; did you mean 'backup'? (allowed: backup, sparse) in 'sync'"
            ),
            (
                "cluster: {consistency: {sync: {sparse: maybe}}}",
                "cluster.consistency can't be \"maybe\" (allowed: sync, async) for 'sparse'"
            ),
            (
                "cluster: {consistency: {sync: {backup: 2}}}",
                "cluster.consistency has 2 backup of 2 cluster.workers; a step needs the gradient of at least one worker"
            ),
            (
                "train: {staleness_scaling: true}\ncluster: {consistency: sync}",
                "train.staleness_scaling needs gradients that can be stale: cluster.consistency async, "
                    + "{staleness: N} or {sync: {sparse: async}}"
            ),
            ("cluster: {transport: udp}", "cluster.transport can't be \"udp\" (allowed: inproc, ipc, tcp, tls+tcp)"),
            (
                "model: {kind: mpl}",
                "model.kind can't be \"mpl\"; did you mean 'mlp'? (allowed: cnn, graph, lstm, mlp, wide_and_deep)"
            ),
            (
                "checkpoint: 3",
                "checkpoint must be a section of keys, got 3 (allowed: directory, every_steps, keep)"
            ),
        ])
    func wrongValue(yaml: String, mistake: String) {
        #expect(mistakes(in: yaml) == ["line 1: " + mistake])
    }

    @Test(
        "an unknown key is named with the nearest right one",
        arguments: [
            (
                "checkpoint: {kep: 3}",
                "unknown key 'checkpoint.kep'; did you mean 'keep'? (allowed: directory, every_steps, keep)"
            ),
            (
                "devices: {wroker: /cpu:0}",
                "unknown key 'devices.wroker'; did you mean 'worker'? "
                    + "(allowed: soft_placement, log_device_placement, worker, server, worker_gpus, opencl_cpu, gpu_memory, tf32)"
            ),
            (
                "Train: {}",
                "unknown key 'Train'; did you mean 'train'? "
                    + "(allowed: job, seed, model, data, train, cluster, devices, checkpoint)"
            ),
            (
                "batch: 3",
                "unknown key 'batch'; did you mean 'train.batch'? "
                    + "(allowed: job, seed, model, data, train, cluster, devices, checkpoint)"
            ),
            (
                "checkpoint: {banana: 3}",
                "unknown key 'checkpoint.banana' (allowed: directory, every_steps, keep)"
            ),
            (
                "cluster: {tls: {cert: x}}",
                "unknown key 'cluster.tls.cert' (allowed: certificate, key, ca, client_ca, server_name)"
            ),
            (
                "model: {hiden: [3]}",
                "unknown key 'model.hiden'; did you mean 'hidden'? "
                    + "(allowed: kind, hidden, activation, initializer, dropout, precision, loss, outputs)"
            ),
        ])
    func unknownKey(yaml: String, mistake: String) {
        #expect(mistakes(in: yaml) == ["line 1: " + mistake])
    }

    @Test("what other programs call a key is understood as a hint")
    func otherNames() {
        #expect(mistakes(in: "train: {lr: 1}").first?.contains("did you mean 'learning_rate'?") == true)
        #expect(mistakes(in: "batch_size: 1").first?.contains("did you mean 'train.batch'?") == true)
    }

    @Test(
        "keys that need or exclude each other",
        arguments: [
            (
                "data:\n  format: idx",
                "line 2: data.path is required for data.format idx: write it under data, or give --set data.path=DIR"
            ),
            (
                "data:\n  path: x",
                "line 2: data.path needs a data.format that reads files (idx, csv, npz or ratings); embedded has its own data"
            ),
            (
                "train:\n  steps: 3\n  epochs: 1",
                "line 3: train.epochs and train.steps are both given; give one of them"
            ),
            (
                "cluster:\n  heartbeat_timeout: 100ms",
                "line 2: cluster.heartbeat_timeout must be longer than cluster.heartbeat_interval"
            ),
            (
                "cluster:\n  token: a\n  token_file: b",
                "line 3: cluster.token_file and cluster.token are both given; give one of them"
            ),
            ("cluster:\n  tls:\n    key: a", "line 3: cluster.tls needs certificate and key together"),
            (
                "cluster:\n  tls:\n    client_ca: a",
                "line 3: cluster.tls.client_ca has no effect without cluster.tls.certificate and key"
            ),
            (
                "cluster:\n  transport: tcp\n  tls: {ca: a}",
                "line 3: cluster.tls belongs to cluster.transport tls+tcp; this is tcp"
            ),
            ("checkpoint:\n  keep: 5", "line 2: checkpoint.keep needs checkpoint.directory"),
            (
                "data: {format: csv, path: x,\n  test_path: y,\n  test_fraction: 0.5}",
                "line 3: data.test_path and data.test_fraction are both given; give one of them"
            ),
            (
                "data: {format: csv, path: x, labels: y,\n  header: false}",
                "line 2: data.header false leaves the columns without names, but data.labels gives one; "
                    + "give a column's number from 0"
            ),
            (
                "data: {format: embedded,\n  task: regression}",
                "line 2: data.task can't be regression for data.format embedded, whose labels are the ten digits"
            ),
            ("checkpoint:\n  every_steps: 5", "line 2: checkpoint.every_steps needs checkpoint.directory"),
        ])
    func together(yaml: String, mistake: String) {
        #expect(mistakes(in: yaml) == [mistake])
    }

    @Test("all mistakes are listed at once, in the order of their lines")
    func severalMistakes() {
        let yaml = """
            job: x
            train:
              learnin_rate: 0.1
              batch: big
              epochs: 3
              batch: 32
            cluster:
              workers: 0
            data: {format: idx, format: csv}
            colour: red
            """
        #expect(
            throws: ConfigurationError.self,
            performing: { _ = try JobConfig.parse(yaml: yaml, name: "job.yaml", overrides: ["train.steps=-1"]) })
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfig.parse(yaml: yaml, name: "job.yaml", overrides: ["train.steps=-1", "nothing"])
        }
        let keys =
            "optimizer, learning_rate, schedule, decay_steps, decay_rate, staircase, end_learning_rate, momentum, "
            + "decay, beta1, beta2, epsilon, centered, weight_decay, learning_rate_power, "
            + "l1_regularization_strength, l2_regularization_strength, batch, epochs, steps, l1, l2, "
        #expect(
            error?.description == """
                job.yaml: 9 mistakes
                  line 3: unknown key 'train.learnin_rate'; did you mean 'learning_rate'? (allowed: \(keys)\
                clip_norm, shuffle, on_nan, staleness_scaling, evaluate_every_steps, metrics)
                  line 4: train.batch must be a whole number ≥ 1, got "big"
                  line 6: duplicate key 'batch', first on line 4
                  line 8: cluster.workers must be a whole number ≥ 1, got 0
                  line 9: duplicate key 'format', first on line 9
                  line 9: data.path is required for data.format idx: write it under data, or give --set data.path=DIR
                  line 10: unknown key 'colour' (allowed: job, seed, model, data, train, cluster, devices, checkpoint)
                  --set train.steps=-1: train.steps must be a whole number ≥ 1, got -1
                  --set nothing: must be key=value, e.g. train.batch=128
                """)
    }

    @Test(
        "a second key is found in block and flow style, in quotes or not",
        arguments: [
            ("seed: 1\njob: a\nseed: 2", "line 3: duplicate key 'seed', first on line 1"),
            ("seed: 1\n\"seed\": 2", "line 2: duplicate key 'seed', first on line 1"),
            ("train:\n  l1: 1\n\n  # l1: x\n  'l1': 2\nseed: 1", "line 5: duplicate key 'l1', first on line 2"),
            ("cluster: {tls: {ca: x}, workers: 2,\n  tls: {}}", "line 2: duplicate key 'tls', first on line 1"),
            (
                "train: {\n  l1: 1, # l1: 0\n  l2: 0, clip_norm: 5, l1: 3}",
                "line 3: duplicate key 'l1', first on line 2"
            ),
            ("{seed: 1, seed: 2}", "line 1: duplicate key 'seed', first on line 1"),
        ])
    func duplicateKey(yaml: String, mistake: String) {
        #expect(mistakes(in: yaml) == [mistake])
    }

    @Test(
        "text that is not YAML is refused with line and column",
        arguments: [
            ("job: x\ntrain: {batch: 3\nseed: 1", "line 3: column 5: not YAML: "),
            ("job: x\n\tbatch: 3", "line 2: column 1: not YAML: "),
            ("job: \"x", "line 1: column 8: not YAML: "),
            ("a: *b", "line 1: column 4: not YAML: found undefined alias"),
            ("job: x\n---\njob: y", "line 2: column 1: not YAML: but found another document"),
            ("job: x\nseed: \u{0}", "line 2: not YAML: there is a NUL byte"),
            ("job: x\nseed: \u{1}", "line 2: not YAML: control characters are not allowed"),
            ("", "the configuration is empty (allowed: job, "),
            ("# nothing\n", "the configuration is empty (allowed: job, "),
            ("- job", "line 1: the configuration must be a section of keys, got [job] (allowed: job, "),
            ("just words", "line 1: the configuration must be a section of keys, got \"just words\" (allowed: "),
        ])
    func notYAML(yaml: String, beginning: String) {
        let found = mistakes(in: yaml)
        #expect(found.count == 1 && found[0].hasPrefix(beginning), "\(found)")
    }
}
