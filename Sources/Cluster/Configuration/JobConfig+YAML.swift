import Foundation

extension JobConfig {
    /// Reads and checks a job's YAML file and the overrides of the command line.
    ///
    /// - Parameters:
    ///   - path: the file, 1 MiB at most. Relative paths in it start at its folder.
    ///   - overrides: `--set` texts such as `train.batch=128`, with a YAML value; later ones win. Relative paths in them start
    ///     at the current folder.
    ///   - modelKinds: the program's own kinds of model. Unknown keys under `model` go to `model.options` for these.
    /// - Throws: `ConfigurationError` with every mistake at once.
    public static func load(
        path: String, overrides: [String] = [], modelKinds: Set<String> = []
    ) throws(ConfigurationError) -> JobConfig {
        func refuse(_ text: String) -> ConfigurationError {
            var list = MistakeList()
            list.add(.wholeFile, text)
            return list.error(name: path)!
        }
        guard let file = fopen(path, "rbe") else {
            throw refuse("the configuration cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: YAMLDocument.byteLimit + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        if ferror(file) != 0 { throw refuse("the configuration cannot be read: \(String(cString: strerror(errno)))") }
        if count > YAMLDocument.byteLimit { throw refuse("the configuration is larger than 1 MiB") }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw refuse("the configuration is not UTF-8 text")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return try parse(
            yaml: text, name: path, baseDirectory: folder, overrides: overrides, modelKinds: modelKinds)
    }

    /// Reads and checks YAML text: `load(path:overrides:modelKinds:)` without the file.
    ///
    /// - Parameters:
    ///   - name: the text's name in errors.
    ///   - baseDirectory: the folder for relative paths; nil: the current folder.
    public static func parse(
        yaml: String, name: String = "configuration", baseDirectory: String? = nil, overrides: [String] = [],
        modelKinds: Set<String> = []
    ) throws(ConfigurationError) -> JobConfig {
        let current = FileManager.default.currentDirectoryPath
        var reader = ConfigurationReader(modelKinds: modelKinds)
        reader.read(yaml: yaml, baseDirectory: baseDirectory ?? current)
        reader.read(overrides: overrides, baseDirectory: current)
        reader.finish()
        if let error = reader.mistakes.error(name: name) { throw error }
        return reader.config
    }

    /// Reads and checks the YAML from a coordinator. Mistakes have no lines, because no user has written it.
    package static func received(yaml: String, modelKinds: Set<String>) throws(ConfigurationError) -> JobConfig {
        var reader = ConfigurationReader(modelKinds: modelKinds)
        reader.read(yaml: yaml, baseDirectory: FileManager.default.currentDirectoryPath, hasLines: false)
        reader.finish()
        if let error = reader.mistakes.error(name: "the coordinator's configuration") { throw error }
        return reader.config
    }

    /// Checks a configuration made in Swift by the rules of the YAML.
    ///
    /// Everything that takes a configuration checks it anyway.
    /// - Parameter modelKinds: the program's own kinds of model.
    /// - Throws: `ConfigurationError` with every mistake at once, by properties.
    public func validate(modelKinds: Set<String> = []) throws(ConfigurationError) {
        _ = try checked(modelKinds: modelKinds)
    }

    /// The checked configuration, with the job's kind of model. Relative paths start at the current folder.
    package func checked(for job: any TrainingJob) throws(ConfigurationError) -> JobConfig {
        var config = self
        config.model.kind = type(of: job).kind
        return try config.checked(modelKinds: [config.model.kind])
    }

    private func checked(modelKinds: Set<String>) throws(ConfigurationError) -> JobConfig {
        var reader = ConfigurationReader(modelKinds: modelKinds)
        reader.read(self, baseDirectory: FileManager.default.currentDirectoryPath)
        reader.finish()
        if let error = reader.mistakes.error(name: "JobConfig") { throw error }
        return reader.config
    }

    /// The whole configuration as YAML, with defaults and absolute paths, without keys that have no effect in this job.
    ///
    /// `parse(yaml:)` of it, with the same model kinds, gives an equal value. It has `cluster.token`, if there is one.
    public func yaml() -> String {
        var lines: [String] = []
        var open: [String] = []
        for key in Self.keys {
            guard key.missingOwner(in: self) == nil, let value = key.write(self) else { continue }
            let parts = key.path.split(separator: ".").map(String.init)
            let sections = parts.dropLast()
            if sections.count < open.count || !sections.starts(with: open) { open = [] }
            if open.isEmpty, key.path == "data.format" { lines += optionLines() }
            for (depth, section) in sections.enumerated() where depth >= open.count {
                lines.append(String(repeating: "  ", count: depth) + section + ":")
            }
            open = Array(sections)
            lines.append(String(repeating: "  ", count: sections.count) + "\(parts.last!): \(value.yaml)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The lines of `model.options`, at the end of the section `model`.
    private func optionLines() -> [String] {
        model.options.sorted { $0.key < $1.key }.map { "  \(ConfigValue.scalar($0)): \($1.yaml)" }
    }
}
