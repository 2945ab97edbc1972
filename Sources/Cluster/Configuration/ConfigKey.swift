/// One key of the YAML: its dotted path, whose it is, how its value is read into a `JobConfig`, how it is written back.
struct ConfigKey: Sendable {
    let path: String
    /// The built-in kinds of model that have it; nil: all.
    var kinds: [String]?
    let read: @Sendable (YAMLValue, inout JobConfig, _ baseDirectory: String) throws(ValueError) -> Void
    /// The value to write, nil where the configuration holds none.
    let write: @Sendable (JobConfig) -> ConfigValue?

    /// A key that always has a value: the YAML's or the default.
    static func required<T>(
        _ path: String, _ place: any WritableKeyPath<JobConfig, T> & Sendable, _ format: ValueFormat<T>,
        of kinds: [String]? = nil
    ) -> ConfigKey {
        ConfigKey(
            path: path, kinds: kinds,
            read: { (value, config, base) throws(ValueError) in config[keyPath: place] = try format.read(value, base) },
            write: { format.write($0[keyPath: place]) })
    }

    /// A key that may be absent; an empty value takes it away.
    static func optional<T>(
        _ path: String, _ place: any WritableKeyPath<JobConfig, T?> & Sendable, _ format: ValueFormat<T>,
        of kinds: [String]? = nil
    ) -> ConfigKey {
        ConfigKey(
            path: path, kinds: kinds,
            read: { (value, config, base) throws(ValueError) in
                config[keyPath: place] = value.resolved == .null ? nil : try format.read(value, base)
            },
            write: { $0[keyPath: place].map(format.write) })
    }

    /// Whether models of this kind have it. A kind that a program registers may make of any key what it likes.
    func belongs(to kind: String) -> Bool {
        guard let kinds, JobConfig.builtInModelKinds.contains(kind) else { return true }
        return kinds.contains(kind)
    }
}
