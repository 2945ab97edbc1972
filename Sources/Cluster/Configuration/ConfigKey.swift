/// One key of the YAML: its dotted path, whose it is, how its value is read into a `JobConfig`, how it is written back.
struct ConfigKey: Sendable {
    let path: String
    /// What the key needs of the job to take effect; all of it.
    let owners: [KeyOwners]
    let read: @Sendable (YAMLValue, inout JobConfig, _ baseDirectory: String) throws(ValueError) -> Void
    /// The value to write, nil where the configuration holds none.
    let write: @Sendable (JobConfig) -> ConfigValue?

    /// The property of `JobConfig` that holds its value: `train.learningRate` of `train.learning_rate`.
    var property: String {
        if let name = JobConfig.properties[path] { return name }
        let words = path.split(separator: "_")
        return words.dropFirst().reduce(String(words[0])) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    /// A key that always has a value: the YAML's or the default.
    static func required<T>(
        _ path: String, _ place: any WritableKeyPath<JobConfig, T> & Sendable, _ format: ValueFormat<T>,
        of owners: KeyOwners...
    ) -> ConfigKey {
        ConfigKey(
            path: path, owners: owners,
            read: { (value, config, base) throws(ValueError) in config[keyPath: place] = try format.read(value, base) },
            write: { format.write($0[keyPath: place]) })
    }

    /// A key that may be absent; an empty value takes it away.
    static func optional<T>(
        _ path: String, _ place: any WritableKeyPath<JobConfig, T?> & Sendable, _ format: ValueFormat<T>,
        of owners: KeyOwners...
    ) -> ConfigKey {
        ConfigKey(
            path: path, owners: owners,
            read: { (value, config, base) throws(ValueError) in
                config[keyPath: place] = value.resolved == .null ? nil : try format.read(value, base)
            },
            write: { $0[keyPath: place].map(format.write) })
    }

    /// What the job lacks for the key to take effect; nil: it does. A kind of model that a program registers may make of
    /// any key what it likes.
    func missingOwner(in config: JobConfig) -> KeyOwners? {
        let isBuiltIn = JobConfig.builtInModelKinds.contains(config.model.kind)
        return owners.first { !$0.isMet(by: config) && (isBuiltIn || $0.names.isEmpty) }
    }

    /// Whether a kind of model has the key.
    func belongs(to kind: String) -> Bool {
        !JobConfig.builtInModelKinds.contains(kind)
            || owners.allSatisfy { $0.selector != "model.kind" || $0.names.contains(kind) }
    }
}

/// What a key belongs to: some kinds of model, formats of data, optimizers or schedules.
struct KeyOwners: Sendable {
    /// The key that chooses among them.
    let selector: String
    /// Those that have the key; empty where any value of the selector does.
    let names: [String]
    /// The one that the job has chosen.
    let current: @Sendable (JobConfig) -> String

    static let directory = KeyOwners(selector: "checkpoint.directory", names: []) { $0.checkpoint.directory ?? "" }

    static func kinds(_ names: [String]) -> KeyOwners {
        KeyOwners(selector: "model.kind", names: names) { $0.model.kind }
    }

    static func formats(_ formats: JobConfig.Data.Format...) -> KeyOwners {
        KeyOwners(selector: "data.format", names: formats.map(\.rawValue)) { $0.data.format.rawValue }
    }

    static func optimizers(_ optimizers: JobConfig.Train.Optimizer...) -> KeyOwners {
        KeyOwners(selector: "train.optimizer", names: optimizers.map(\.rawValue)) { $0.train.optimizer.rawValue }
    }

    static func schedules(_ schedules: JobConfig.Train.Schedule...) -> KeyOwners {
        KeyOwners(selector: "train.schedule", names: schedules.map(\.rawValue)) { $0.train.schedule.rawValue }
    }

    func isMet(by config: JobConfig) -> Bool {
        let chosen = current(config)
        return names.isEmpty ? !chosen.isEmpty : names.contains(chosen)
    }

    /// Why `key` has no effect in a job that has chosen another.
    func refusal(of key: String, in config: JobConfig) -> String {
        if names.isEmpty { return "\(key) needs \(selector)" }
        let chosen = current(config)
        let why = Self.reasons["\(selector) \(chosen)"].map { ", " + $0 } ?? ""
        return "\(key) belongs to \(selector) \(names.joined(separator: ", ")); this is \(chosen)\(why)"
    }

    /// What a choice has in place of the keys of the others.
    private static let reasons = [
        "data.format embedded": "the digits that ship, with a test part of their own",
        "data.format idx": "whose files hold images and labels, and a test part of their own",
        "data.format npz": "whose arrays are x and y",
        "data.format ratings": "whose columns are user, item, rating and time, categories all but the rating",
        "model.kind graph": "whose train operation is TensorFlow's",
    ]
}
