extension JobConfig {
    /// Every key that the YAML may hold, in the order in which it is written. A new key is a new line here.
    static let keys: [ConfigKey] = generalKeys + modelKeys + dataKeys + trainKeys + clusterKeys + lastKeys

    private static let generalKeys: [ConfigKey] = [
        .required("job", \.job, .text),
        .required("seed", \.seed, .whole(atLeast: .min, atMost: .max)),
    ]

    private static let layered = ["mlp", "cnn", "lstm", "wide_and_deep"]
    private static let activated = ["mlp", "cnn", "wide_and_deep"]

    private static let modelKeys: [ConfigKey] = [
        .required("model.kind", \.model.kind, .text),
        .optional("model.image", \.model.image, .image, of: ["cnn"]),
        .required("model.filters", \.model.filters, .list(of: .whole(atLeast: 1), example: "[32, 64]"), of: ["cnn"]),
        .required("model.kernel", \.model.kernel, .whole(atLeast: 1), of: ["cnn"]),
        .required("model.pool", \.model.pool, .whole(atLeast: 1), of: ["cnn"]),
        .required("model.batch_normalization", \.model.batchNormalization, .flag, of: ["cnn"]),
        .required("model.cell", \.model.cell, .choice(), of: ["lstm"]),
        .required("model.units", \.model.units, .whole(atLeast: 1), of: ["lstm"]),
        .required("model.layers", \.model.layers, .whole(atLeast: 1, atMost: 100), of: ["lstm"]),
        .optional("model.steps", \.model.steps, .whole(atLeast: 1), of: ["lstm"]),
        .required("model.embedding", \.model.embedding, .whole(atLeast: 1), of: ["wide_and_deep"]),
        .required("model.hidden", \.model.hidden, .list(of: .whole(atLeast: 1), example: "[256, 128]"), of: activated),
        .required("model.activation", \.model.activation, .choice(), of: activated),
        .optional("model.initializer", \.model.initializer, .choice(), of: layered),
        .required("model.dropout", \.model.dropout, .number("≥ 0 and < 1") { $0 >= 0 && $0 < 1 }, of: layered),
        .required("model.precision", \.model.precision, .choice()),
        .optional("model.loss", \.model.loss, .loss),
        .optional("model.file", \.model.file, .path, of: ["graph"]),
        .optional("model.init", \.model.initialize, .text, of: ["graph"]),
        .optional("model.train", \.model.train, .text, of: ["graph"]),
        .required(
            "model.feeds", \.model.feeds, .table(of: .choice(), example: "{x: features, y: labels}"), of: ["graph"]),
        .required(
            "model.metrics", \.model.metrics, .table(of: .text, example: "{accuracy: \"accuracy:0\"}"), of: ["graph"]),
        .optional("model.predictions", \.model.predictions, .text, of: ["graph"]),
        .optional("model.outputs", \.model.outputs, .whole(atLeast: 1), of: layered),
    ]

    private static let dataKeys: [ConfigKey] = [
        .required("data.format", \.data.format, .choice()),
        .optional("data.path", \.data.path, .path),
        .required("data.scale", \.data.scale, .choice()),
        .required("data.labels", \.data.labels, .column),
        .required("data.categorical", \.data.categorical, .list(of: .column, example: "[user, item]")),
        .required("data.ignore", \.data.ignore, .list(of: .column, example: "[id, 7]")),
        .required("data.header", \.data.header, .choice()),
        .required("data.task", \.data.task, .choice()),
        .optional("data.test_path", \.data.testPath, .path),
        .required("data.test_fraction", \.data.testFraction, .number("≥ 0 and < 1") { $0 >= 0 && $0 < 1 }),
        .optional("data.limit", \.data.limit, .whole(atLeast: 1)),
        .required("data.separator", \.data.separator, .character),
    ]

    private static let trainKeys: [ConfigKey] = [
        .required("train.optimizer", \.train.optimizer, .choice(aliases: ["sgd": .gradientDescent])),
        .required("train.learning_rate", \.train.learningRate, .number("> 0") { $0 > 0 }),
        .required("train.schedule", \.train.schedule, .choice()),
        .optional("train.decay_steps", \.train.decaySteps, .whole(atLeast: 1)),
        .required("train.decay_rate", \.train.decayRate, .number("> 0 and ≤ 1") { $0 > 0 && $0 <= 1 }),
        .required("train.staircase", \.train.staircase, .flag),
        .required("train.end_learning_rate", \.train.endLearningRate, .number("≥ 0") { $0 >= 0 }),
        .required("train.momentum", \.train.momentum, .number("≥ 0 and < 1") { $0 >= 0 && $0 < 1 }),
        .required("train.decay", \.train.decay, .number("≥ 0 and < 1") { $0 >= 0 && $0 < 1 }),
        .required("train.beta1", \.train.beta1, .number("≥ 0 and < 1") { $0 >= 0 && $0 < 1 }),
        .required("train.beta2", \.train.beta2, .number("≥ 0 and < 1") { $0 >= 0 && $0 < 1 }),
        .optional("train.epsilon", \.train.epsilon, .number("> 0") { $0 > 0 }),
        .required("train.centered", \.train.centered, .flag),
        .required("train.weight_decay", \.train.weightDecay, .number("≥ 0") { $0 >= 0 }),
        .required("train.learning_rate_power", \.train.learningRatePower, .number("≤ 0") { $0 <= 0 }),
        .required("train.l1_regularization_strength", \.train.l1Strength, .number("≥ 0") { $0 >= 0 }),
        .required("train.l2_regularization_strength", \.train.l2Strength, .number("≥ 0") { $0 >= 0 }),
        .required("train.batch", \.train.batch, .whole(atLeast: 1)),
        .optional("train.epochs", \.train.epochsIfSet, .whole(atLeast: 1)),
        .optional("train.steps", \.train.stepsIfSet, .whole(atLeast: 1)),
        .required("train.l1", \.train.l1, .number("≥ 0") { $0 >= 0 }),
        .required("train.l2", \.train.l2, .number("≥ 0") { $0 >= 0 }),
        .optional("train.clip_norm", \.train.clipNorm, .number("> 0") { $0 > 0 }),
        .required("train.shuffle", \.train.shuffle, .flag),
        .required("train.on_nan", \.train.onNaN, .choice()),
        .required("train.staleness_scaling", \.train.stalenessScaling, .flag),
        .optional("train.evaluate_every_steps", \.train.evaluateEverySteps, .whole(atLeast: 1)),
    ]

    private static let clusterKeys: [ConfigKey] = [
        .required("cluster.servers", \.cluster.servers, .whole(atLeast: 1, atMost: 10_000)),
        .required("cluster.workers", \.cluster.workers, .whole(atLeast: 1, atMost: 10_000)),
        .required("cluster.consistency", \.cluster.consistency, .consistency),
        .optional("cluster.transport", \.cluster.transport, .choice()),
        .optional("cluster.address", \.cluster.address, .text),
        .optional("cluster.threads_per_node", \.cluster.threadsPerNode, .whole(atLeast: 1, atMost: 1024)),
        .required("cluster.join_timeout", \.cluster.joinTimeout, .duration),
        .required("cluster.heartbeat_interval", \.cluster.heartbeatInterval, .duration),
        .required("cluster.heartbeat_timeout", \.cluster.heartbeatTimeout, .duration),
        .required("cluster.stop_timeout", \.cluster.stopTimeout, .duration),
        .required("cluster.shared_memory", \.cluster.sharedMemory, .flag),
        .optional("cluster.server_memory", \.cluster.serverMemory, .bytes(atLeast: 1 << 20)),
        .required("cluster.wire", \.cluster.wire, .wire),
        .optional("cluster.token", \.cluster.token, .text),
        .optional("cluster.token_file", \.cluster.tokenFile, .path),
        .required("cluster.insecure", \.cluster.insecure, .flag),
        .optional("cluster.tls.certificate", \.cluster.tls.certificate, .path),
        .optional("cluster.tls.key", \.cluster.tls.key, .path),
        .optional("cluster.tls.ca", \.cluster.tls.ca, .path),
        .optional("cluster.tls.server_name", \.cluster.tls.serverName, .text),
    ]

    private static let lastKeys: [ConfigKey] = [
        .required("devices.soft_placement", \.devices.softPlacement, .flag),
        .required("devices.log_device_placement", \.devices.logDevicePlacement, .flag),
        .optional("devices.worker", \.devices.worker, .device),
        .required("devices.server", \.devices.server, .device),
        .optional("devices.worker_gpus", \.devices.workerGPUs, .choice()),
        .required("devices.opencl_cpu", \.devices.openCLCPU, .flag),
        .optional("devices.gpu_memory", \.devices.gpuMemory, .bytes),
        .required("devices.tf32", \.devices.allowsTF32, .flag),
        .optional("checkpoint.directory", \.checkpoint.directory, .path),
        .optional("checkpoint.every_steps", \.checkpoint.everySteps, .whole(atLeast: 1)),
        .required("checkpoint.keep", \.checkpoint.keep, .whole(atLeast: 1)),
    ]

    /// What other programs call these keys, for the hint only.
    static let otherNames: [String: String] = [
        "lr": "learning_rate", "rate": "learning_rate", "batch_size": "batch", "rho": "decay", "max_steps": "steps",
        "num_epochs": "epochs", "type": "kind", "gradient_clip": "clip_norm", "ps": "servers",
        "label": "labels", "dir": "directory", "file": "path", "normalize": "scale", "delimiter": "separator",
    ]
}

extension JobConfig.Train {
    /// The two spellings of `length`: setting one gives up the other; nil gives up nothing.
    fileprivate var epochsIfSet: Int? {
        get { epochs }
        set { if let newValue { length = .epochs(newValue) } }
    }
    fileprivate var stepsIfSet: Int? {
        get { steps }
        set { if let newValue { length = .steps(newValue) } }
    }
}
