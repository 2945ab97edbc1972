internal import Training

extension JobConfig {
    /// Every key of the YAML, in the order in which `yaml()` writes them. A new key is a new line here.
    static let keys: [ConfigKey] =
        generalKeys + modelKeys + dataKeys + trainKeys + optimizerKeys + runKeys + clusterKeys + lastKeys

    /// The dotted paths of all keys.
    package static let keyPaths = keys.map(\.path)
    /// Their properties.
    package static let keyProperties = keys.map(\.property)

    private static let generalKeys: [ConfigKey] = [
        .required("job", \.job, .text),
        .required("seed", \.seed, .whole(atLeast: .min, atMost: .max)),
    ]

    private static let layered = KeyOwners.kinds(["mlp", "cnn", "lstm", "wide_and_deep"])
    private static let activated = KeyOwners.kinds(["mlp", "cnn", "wide_and_deep"])

    private static let modelKeys: [ConfigKey] = [
        .required("model.kind", \.model.kind, .text),
        .optional("model.image", \.model.image, .image, of: .kinds(["cnn"])),
        .required(
            "model.filters", \.model.filters, .list(of: .whole(atLeast: 1), example: "[32, 64]"), of: .kinds(["cnn"])),
        .required("model.kernel", \.model.kernel, .whole(atLeast: 1), of: .kinds(["cnn"])),
        .required("model.pool", \.model.pool, .whole(atLeast: 1), of: .kinds(["cnn"])),
        .required("model.batch_normalization", \.model.batchNormalization, .flag, of: .kinds(["cnn"])),
        .required("model.cell", \.model.cell, .choice(), of: .kinds(["lstm"])),
        .required("model.units", \.model.units, .whole(atLeast: 1), of: .kinds(["lstm"])),
        .required("model.layers", \.model.layers, .whole(atLeast: 1, atMost: 100), of: .kinds(["lstm"])),
        .optional("model.steps", \.model.steps, .whole(atLeast: 1), of: .kinds(["lstm"])),
        .required("model.embedding", \.model.embedding, .whole(atLeast: 1), of: .kinds(["wide_and_deep"])),
        .required("model.hidden", \.model.hidden, .list(of: .whole(atLeast: 1), example: "[256, 128]"), of: activated),
        .required("model.activation", \.model.activation, .choice(aliases: ["none": .linear]), of: activated),
        .optional("model.initializer", \.model.initializer, .initializer, of: layered),
        .required("model.dropout", \.model.dropout, share, of: layered),
        .required("model.precision", \.model.precision, .choice()),
        .optional("model.loss", \.model.loss, .loss),
        .optional("model.file", \.model.file, .path, of: .kinds(["graph"])),
        .optional("model.init", \.model.initialize, .text, of: .kinds(["graph"])),
        .optional("model.train", \.model.train, .text, of: .kinds(["graph"])),
        .required(
            "model.feeds", \.model.feeds, .table(of: .choice(), example: "{x: features, y: labels}"),
            of: .kinds(["graph"])),
        .required(
            "model.metrics", \.model.metrics, .table(of: .text, example: "{accuracy: \"accuracy:0\"}"),
            of: .kinds(["graph"])),
        .optional("model.predictions", \.model.predictions, .text, of: .kinds(["graph"])),
        .optional("model.outputs", \.model.outputs, .whole(atLeast: 1), of: layered),
    ]

    private static let dataKeys: [ConfigKey] = [
        .required("data.format", \.data.format, .choice()),
        .optional("data.path", \.data.path, .path),
        .required("data.scale", \.data.scale, .choice(), of: .formats(.embedded, .idx, .csv, .npz)),
        .required("data.labels", \.data.labels, .column, of: .formats(.csv)),
        .required(
            "data.categorical", \.data.categorical, .list(of: .column, example: "[user, item]"), of: .formats(.csv)),
        .required("data.ignore", \.data.ignore, .list(of: .column, example: "[id, 7]"), of: .formats(.csv)),
        .required("data.header", \.data.header, .choice(), of: .formats(.csv, .ratings)),
        .required("data.missing", \.data.missing, .choice(), of: .formats(.csv)),
        .optional("data.task", \.data.task, .choice()),
        .optional("data.test_path", \.data.testPath, .path, of: .formats(.csv, .npz, .ratings)),
        .optional(
            "data.test_fraction", \.data.testFraction, share, of: .formats(.csv, .npz, .ratings)),
        .optional("data.limit", \.data.limit, .whole(atLeast: 1)),
        .optional("data.separator", \.data.separator, .separator, of: .formats(.csv, .ratings)),
    ]

    private static let trainKeys: [ConfigKey] = [
        .required("train.optimizer", \.train.optimizer, .choice(aliases: ["sgd": .gradientDescent]), of: layered),
        .required("train.learning_rate", \.train.learningRate, .number("> 0") { $0 > 0 }, of: layered),
        .required("train.schedule", \.train.schedule, .choice(), of: layered),
    ]

    /// The keys of the optimizer and the schedule, as Training lists them.
    private static let optimizerKeys =
        OptimizerSettings.scheduleParameters.map { ConfigKey($0, of: layered, .schedules(using: $0)) }
        + OptimizerSettings.parameters.map { ConfigKey($0, of: layered, .optimizers(using: $0)) }

    private static let runKeys: [ConfigKey] = [
        .required("train.batch", \.train.batch, .whole(atLeast: 1)),
        .optional("train.epochs", \.train.epochs, .whole(atLeast: 1)),
        .optional("train.steps", \.train.steps, .whole(atLeast: 1)),
        .required("train.l1", \.train.l1, .number("≥ 0") { $0 >= 0 }, of: layered),
        .required("train.l2", \.train.l2, .number("≥ 0") { $0 >= 0 }, of: layered),
        .optional("train.clip_norm", \.train.clipNorm, .number("> 0") { $0 > 0 }, of: layered),
        .required("train.shuffle", \.train.shuffle, .flag),
        .required("train.on_nan", \.train.onNaN, .choice()),
        .required("train.staleness_scaling", \.train.stalenessScaling, .flag),
        .optional("train.evaluate_every_steps", \.train.evaluateEverySteps, .whole(atLeast: 1)),
        .required("train.metrics", \.train.metrics, .list(of: .choice(), example: "[auc, log_loss]")),
    ]

    private static let share = ValueFormat<Double>.number("≥ 0 and < 1") { $0 >= 0 && $0 < 1 }

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
        .optional("cluster.tls.client_ca", \.cluster.tls.clientCA, .path),
        .optional("cluster.tls.server_name", \.cluster.tls.serverName, .text),
    ]

    private static let lastKeys: [ConfigKey] = [
        .required("devices.soft_placement", \.devices.softPlacement, .flag),
        .required("devices.log_device_placement", \.devices.logDevicePlacement, .flag),
        .optional("devices.worker", \.devices.worker, .device),
        .required("devices.server", \.devices.server, .device),
        .optional("devices.worker_gpus", \.devices.workerGPUs, .choice()),
        .required("devices.opencl_cpu", \.devices.openCLCPU, .flag),
        .optional("devices.gpu_memory", \.devices.gpuMemory, .bytes()),
        .required("devices.tf32", \.devices.allowsTF32, .flag),
        .optional("checkpoint.directory", \.checkpoint.directory, .path),
        .optional("checkpoint.every_steps", \.checkpoint.everySteps, .whole(atLeast: 1), of: .directory),
        .required("checkpoint.keep", \.checkpoint.keep, .whole(atLeast: 1), of: .directory),
    ]

    /// The properties whose names do not follow from their keys.
    static let properties: [String: String] = [
        "model.init": "model.initialize", "train.on_nan": "train.onNaN",
        "cluster.tls.client_ca": "cluster.tls.clientCA", "devices.worker_gpus": "devices.workerGPUs",
        "devices.opencl_cpu": "devices.openCLCPU", "devices.tf32": "devices.allowsTF32",
    ]

    /// Names of these keys in other programs, for the hint in an error.
    static let otherNames: [String: String] = [
        "lr": "learning_rate", "rate": "learning_rate", "batch_size": "batch", "rho": "decay", "max_steps": "steps",
        "num_epochs": "epochs", "type": "kind", "gradient_clip": "clip_norm", "ps": "servers",
        "label": "labels", "dir": "directory", "file": "path", "normalize": "scale", "delimiter": "separator",
        "sep": "separator", "target": "labels", "na_values": "missing", "impute": "missing",
    ]
}
