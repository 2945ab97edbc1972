internal import Training

/// One key of the YAML: its dotted path, what it belongs to, and how its value is read into a `JobConfig` and written.
struct ConfigKey: Sendable {
    let path: String
    /// What the job must have chosen for the key to have an effect; all of these.
    let owners: [KeyOwners]
    let read: @Sendable (YAMLValue, inout JobConfig, _ baseDirectory: String) throws(ValueError) -> Void
    /// The value to write; nil if the configuration has none.
    let write: @Sendable (JobConfig) -> ConfigValue?

    /// The property of `JobConfig` with its value: `train.learningRate` for `train.learning_rate`.
    var property: String {
        if let name = JobConfig.properties[path] { return name }
        let words = path.split(separator: "_")
        return words.dropFirst().reduce(String(words[0])) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    /// A key that always has a value: from the YAML or the default.
    static func required<T>(
        _ path: String, _ place: any WritableKeyPath<JobConfig, T> & Sendable, _ format: ValueFormat<T>,
        of owners: KeyOwners...
    ) -> ConfigKey {
        ConfigKey(path, \.self, place, format, of: owners)
    }

    /// A key that may have no value; an empty value removes it.
    static func optional<T>(
        _ path: String, _ place: any WritableKeyPath<JobConfig, T?> & Sendable, _ format: ValueFormat<T>,
        of owners: KeyOwners...
    ) -> ConfigKey {
        ConfigKey(path, \.self, place, format.optional, of: owners)
    }

    /// The key under `train` of a parameter of the optimizer or its schedule.
    init(_ parameter: OptimizerSettings.Parameter, of owners: KeyOwners...) {
        let path = "train.\(parameter.name)"
        switch parameter.place {
        case .number(let place, let bounds):
            self.init(path, \.train.optimizerSettings, place, .number(bounds), of: owners)
        case .optionalNumber(let place, let bounds):
            self.init(path, \.train.optimizerSettings, place, ValueFormat<Double>.number(bounds).optional, of: owners)
        case .optionalCount(let place):
            self.init(path, \.train.optimizerSettings, place, ValueFormat<Int>.whole(atLeast: 1).optional, of: owners)
        case .flag(let place): self.init(path, \.train.optimizerSettings, place, .flag, of: owners)
        }
    }

    private init<Section, T>(
        _ path: String, _ section: any WritableKeyPath<JobConfig, Section> & Sendable,
        _ place: any WritableKeyPath<Section, T> & Sendable, _ format: ValueFormat<T>, of owners: [KeyOwners]
    ) {
        self.path = path
        self.owners = owners
        read = { (value, config, base) throws(ValueError) in
            config[keyPath: section][keyPath: place] = try format.read(value, base)
        }
        write = {
            let value = format.write($0[keyPath: section][keyPath: place])
            // A literal nil could be `ConfigValue.null`.
            return value == .null ? ConfigValue?.none : value
        }
    }

    /// What the job has not chosen, so that the key has no effect; nil: the key has an effect. A program's own kind of model
    /// may use any key.
    func missingOwner(in config: JobConfig) -> KeyOwners? {
        let isBuiltIn = JobConfig.builtInModelKinds.contains(config.model.kind)
        return owners.first { !$0.isMet(by: config) && (isBuiltIn || $0.names.isEmpty) }
    }

    /// Whether a kind of model uses the key.
    func belongs(to kind: String) -> Bool {
        !JobConfig.builtInModelKinds.contains(kind)
            || owners.allSatisfy { $0.selector != "model.kind" || $0.names.contains(kind) }
    }
}

/// The kinds of model, formats of data, optimizers or schedules that use a key.
struct KeyOwners: Sendable {
    /// The key that chooses one of them.
    let selector: String
    /// The choices that use the key; empty if every choice does.
    let names: [String]
    /// The job's choice.
    let current: @Sendable (JobConfig) -> String

    static let directory = KeyOwners(selector: "checkpoint.directory", names: []) { $0.checkpoint.directory ?? "" }

    static func kinds(_ names: [String]) -> KeyOwners {
        KeyOwners(selector: "model.kind", names: names) { $0.model.kind }
    }

    static func formats(_ formats: JobConfig.Data.Format...) -> KeyOwners {
        KeyOwners(selector: "data.format", names: formats.map(\.rawValue)) { $0.data.format.rawValue }
    }

    static func optimizers(using parameter: OptimizerSettings.Parameter) -> KeyOwners {
        let names = OptimizerSettings.Name.allCases.filter { $0.uses(parameter) }.map(\.rawValue)
        return KeyOwners(selector: "train.optimizer", names: names) { $0.train.optimizer.rawValue }
    }

    static func schedules(using parameter: OptimizerSettings.Parameter) -> KeyOwners {
        let names = OptimizerSettings.Schedule.allCases.filter { $0.uses(parameter) }.map(\.rawValue)
        return KeyOwners(selector: "train.schedule", names: names) { $0.train.schedule.rawValue }
    }

    func isMet(by config: JobConfig) -> Bool {
        let chosen = current(config)
        return names.isEmpty ? !chosen.isEmpty : names.contains(chosen)
    }

    /// The error for `key` in a job that has chosen another.
    func refusal(of key: String, in config: JobConfig) -> String {
        if names.isEmpty { return "\(key) needs \(selector)" }
        let chosen = current(config)
        let why = Self.reasons["\(selector) \(chosen)"].map { ", " + $0 } ?? ""
        return "\(key) belongs to \(selector) \(names.joined(separator: ", ")); this is \(chosen)\(why)"
    }

    /// Why a choice does not need the keys of the others.
    private static let reasons = [
        "data.format embedded": "the digits that ship, with a test part of their own",
        "data.format idx": "whose files hold images and labels, and a test part of their own",
        "data.format npz": "whose arrays are x and y",
        "data.format ratings": "whose columns are user, item, rating and time, categories all but the rating",
        "model.kind graph": "whose train operation is TensorFlow's",
    ]
}
