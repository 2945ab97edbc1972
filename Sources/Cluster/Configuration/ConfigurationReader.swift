internal import Dataflow
internal import Training

/// Reads YAML into a `JobConfig` by the table `JobConfig.keys`, and lists every mistake.
struct ConfigurationReader {
    typealias Place = ConfigurationError.Mistake.Place

    private(set) var config = JobConfig()
    private(set) var mistakes = MistakeList()
    private let modelKinds: Set<String>
    /// The place that set each key last.
    private var places: [String: Place] = [:]
    /// Keys under `model` that are not in the table: allowed if `model.kind`, which may come later, is a program's own.
    private var options: [(name: String, value: YAMLValue, place: Place)] = []

    /// Whether the configuration was made in Swift: mistakes name properties, and have no lines.
    private var isOfSwift = false

    /// The folder for relative paths in the text being read, and the place of all its mistakes if it has no lines.
    private var baseDirectory = ""
    private var override: Place?

    init(modelKinds: Set<String>) {
        self.modelKinds = JobConfig.builtInModelKinds.union(modelKinds)
    }

    /// Checks each value of a configuration made in Swift by the rules of its key.
    ///
    /// Values that differ from the default count as given.
    mutating func read(_ given: JobConfig, baseDirectory: String) {
        isOfSwift = true
        let standard = JobConfig()
        config = given
        for key in JobConfig.keys {
            guard let value = key.write(given) else { continue }
            if value != key.write(standard) { places[key.path] = .property(key.property) }
            do throws(ValueError) {
                try key.read(YAMLValue(value), &config, baseDirectory)
            } catch {
                mistakes.add(.property(key.property), "\(key.property) \(error.text)")
                // As with a file, the checks of the whole do not report this value again.
                let value = key.write(standard).map { YAMLValue($0) } ?? .scalar("", isPlain: true)
                try? key.read(value, &config, baseDirectory)
            }
        }
        for (name, value) in given.model.options.sorted(by: { $0.key < $1.key }) {
            options.append((name, YAMLValue(value), .property("model.options")))
        }
        config.model.options = [:]
        refuseRivals(among: places)
    }

    /// Reads the text of a whole file.
    ///
    /// - Parameter hasLines: whether mistakes have lines; not for a text that no user has written.
    mutating func read(yaml: String, baseDirectory: String, hasLines: Bool = true) {
        self.baseDirectory = baseDirectory
        override = hasLines ? nil : .wholeFile
        let document = YAMLDocument(yaml, mistakes: &mistakes) { hasLines ? .line($0) : .wholeFile }
        if let root = document.root {
            read(root, at: "", place: override ?? .line(document.line))
        } else if mistakes.count == 0 {
            mistakes.add(.wholeFile, "the configuration is empty (allowed: \(Self.allowed(in: "")))")
        }
        refuseRivals(among: places)
    }

    /// Reads `key=value` texts; each replaces values read before.
    mutating func read(overrides: [String], baseDirectory: String) {
        self.baseDirectory = baseDirectory
        let ofFile = places
        places = [:]
        for text in overrides {
            let place = Place.override(text.count <= 80 ? text : text.prefix(79) + "…")
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                mistakes.add(place, "must be key=value, e.g. train.batch=128")
                continue
            }
            let before = mistakes.count
            let value = String(text[text.index(after: equals)...])
            let document = YAMLDocument(value, mistakes: &mistakes, isOverride: true) { _ in place }
            guard mistakes.count == before else { continue }
            override = place
            read(document.root ?? .scalar("", isPlain: true), at: String(text[..<equals]), place: place)
        }
        refuseRivals(among: places)
        // A key on the command line removes the key in the file that excludes it.
        if places["data.test_fraction"] != nil, config.data.testFraction != nil {
            giveUp("data.test_path", of: ofFile) { $0.data.testPath = nil }
        }
        if places["data.test_path"] != nil, config.data.testPath != nil {
            giveUp("data.test_fraction", of: ofFile) { $0.data.testFraction = nil }
        }
        places.merge(ofFile) { override, _ in override }
    }
}

extension ConfigurationReader {
    /// Reads the value of a dotted path: a section or a key.
    private mutating func read(_ value: YAMLValue, at path: String, place: Place) {
        if let key = Self.keys[path] {
            places[path] = place
            do throws(ValueError) {
                try key.read(value, &config, baseDirectory)
            } catch {
                mistakes.add(place, "\(path) \(error.text)")
            }
        } else if Self.children[path] != nil {
            read(section: value, at: path, place: place)
        } else {
            let (section, name) = Self.split(path)
            if section == "model" {
                options.append((name, value, place))
            } else {
                mistakes.add(place, Self.unknown(path))
            }
        }
    }

    private mutating func read(section value: YAMLValue, at path: String, place: Place) {
        guard case .map(let pairs) = value else {
            if value.resolved == .null, !path.isEmpty { return }
            let name = path.isEmpty ? "the configuration" : path
            return mistakes.add(
                place,
                "\(name) must be a section of keys, got \(value.excerpt) (allowed: \(Self.allowed(in: path)))")
        }
        for (name, value, line) in pairs {
            let place = override ?? .line(line)
            if name.isEmpty || name.contains(".") {
                mistakes.add(place, Self.unknown(Self.join(path, name)))
            } else {
                read(value, at: Self.join(path, name), place: place)
            }
        }
    }
}

extension ConfigurationReader {
    /// Checks the whole: the kind of model and its options, keys that need or exclude each other.
    mutating func finish() {
        defer { if isOfSwift { mistakes.nameProperties() } }
        let isRegistered = modelKinds.contains(config.model.kind)
        if !isRegistered, let place = places["model.kind"] {
            let value = YAMLValue.scalar(config.model.kind, isPlain: false)
            mistakes.add(place, "model.kind \(refusal(of: value, allowed: modelKinds.sorted()))")
        }
        for option in options {
            if isOfSwift, let mistake = Self.mistake(ofOption: option.name, option.value) {
                mistakes.add(option.place, mistake)
            } else if isRegistered, !JobConfig.builtInModelKinds.contains(config.model.kind) {
                config.model.options[option.name] = option.value.resolved
            } else {
                let unknown = Self.unknown("model." + option.name, kind: config.model.kind)
                mistakes.add(option.place, isOfSwift ? "model.options has the \(unknown)" : unknown)
            }
        }
        refuseKeysWithoutEffect()
        finishModel()
        finishData()
        finishConsistency()
        refuse(
            config.cluster.heartbeatTimeout <= config.cluster.heartbeatInterval,
            at: ["cluster.heartbeat_timeout", "cluster.heartbeat_interval"],
            because: "cluster.heartbeat_timeout must be longer than cluster.heartbeat_interval")
        refuse(
            config.cluster.token != nil && config.cluster.tokenFile != nil, at: ["cluster.token_file"],
            because: "cluster.token_file and cluster.token are both given; give one of them")
        let tls = config.cluster.tls
        refuse(
            (tls.certificate == nil) != (tls.key == nil), at: ["cluster.tls.certificate", "cluster.tls.key"],
            because: "cluster.tls needs certificate and key together")
        refuse(
            tls.clientCA != nil && tls.certificate == nil, at: ["cluster.tls.client_ca"],
            because: "cluster.tls.client_ca has no effect without cluster.tls.certificate and key")
        let isPlain = config.cluster.transport.map { $0 != .tls } ?? false
        refuse(
            tls != .init() && isPlain && !(config.cluster.address ?? "").hasPrefix("tls+tcp:"),
            at: ["certificate", "key", "ca", "client_ca", "server_name"].map { "cluster.tls.\($0)" },
            because: "cluster.tls belongs to cluster.transport tls+tcp; this is "
                + "\(config.cluster.transport?.rawValue ?? "")")
    }

    /// Checks the consistency against the number of workers.
    private mutating func finishConsistency() {
        let cluster = config.cluster
        refuse(
            cluster.consistency.backup >= cluster.workers, at: ["cluster.consistency", "cluster.workers"],
            because:
                "cluster.consistency has \(cluster.consistency.backup) backup of \(cluster.workers) cluster.workers; "
                + "a step needs the gradient of at least one worker")
        refuse(
            config.train.stalenessScaling && !cluster.consistency.allowsStaleness, at: ["train.staleness_scaling"],
            because: "train.staleness_scaling needs gradients that can be stale: cluster.consistency async, "
                + "{staleness: N} or {sync: {sparse: async}}")
    }

    /// Checks the keys that each format of data needs, and the models that it fits.
    private mutating func finishData() {
        let data = config.data
        if data.format != .embedded, data.path == nil {
            let what = data.format == .idx ? "DIR" : "FILE"
            refuse(
                true, at: ["data.path", "data.format"],
                because: "data.path is required for data.format \(data.format.rawValue)"
                    + (isOfSwift ? "" : ": write it under data, or give --set data.path=\(what)"))
        }
        refuse(
            data.format == .embedded && data.path != nil, at: ["data.path"],
            because: "data.path needs a data.format that reads files (idx, csv, npz or ratings); embedded has its own "
                + "data")
        refuse(
            data.format == .ratings && data.task == .classification, at: ["data.task"],
            because: "data.task can't be classification for data.format ratings, which is a regression")
        refuse(
            data.format == .embedded && data.task == .regression, at: ["data.task"],
            because: "data.task can't be regression for data.format embedded, whose labels are the ten digits")
        refuse(
            data.format == .csv && data.separator == "::", at: ["data.separator"],
            because: "data.separator can't be :: for data.format csv; ratings may have it")
        let columns = [
            ("data.labels", [data.labels]), ("data.categorical", data.categorical), ("data.ignore", data.ignore),
        ]
        let named = columns.first { $1.contains { if case .name = $0 { true } else { false } } }
        refuse(
            data.header == .absent && named != nil, at: ["data.header"],
            because: "data.header false leaves the columns without names, but \(named?.0 ?? "") gives one; "
                + "give a column's number from 0")
        refuse(
            config.model.kind == "wide_and_deep"
                && (data.format == .csv ? places["data.categorical"] == nil : data.format != .ratings),
            at: ["model.kind"],
            because: "model.kind wide_and_deep needs categories: data.format ratings, or csv with data.categorical")
        refuse(
            ["mlp", "cnn", "lstm"].contains(config.model.kind)
                && (data.format == .ratings || data.format == .csv && !data.categorical.isEmpty),
            at: ["model.kind", "data.categorical", "data.format"],
            because: "model.kind \(config.model.kind) takes no categories; wide_and_deep does")
    }

    /// Refuses keys that have no effect with the job's kind of model, format, optimizer or schedule.
    ///
    /// If the command line chooses another optimizer or schedule, the file may still have the keys of the old one: so one can
    /// try others. A program may do the same with its properties.
    private mutating func refuseKeysWithoutEffect() {
        for key in JobConfig.keys {
            guard let place = places[key.path], let owner = key.missingOwner(in: config) else { continue }
            if owner.selector.hasPrefix("train.") {
                switch (place, places[owner.selector]) {
                case (.line, .override), (.property, _): continue
                default: break
                }
            }
            mistakes.add(place, owner.refusal(of: key.path, in: config))
        }
    }

    /// Checks the keys of an imported graph.
    private mutating func finishModel() {
        let model = config.model
        guard model.kind == "graph" else {
            if case .node(let text)? = model.loss, JobConfig.builtInModelKinds.contains(model.kind) {
                let value = YAMLValue.scalar(text, isPlain: false)
                refuse(
                    true, at: ["model.loss"],
                    because: "model.loss \(refusal(of: value, allowed: JobConfig.Model.Loss.named.map(\.key)))")
            }
            return
        }
        var isNode = false
        if case .node? = model.loss { isNode = true }
        // A MetaGraphDef may have the missing names; the reader of the graph will know.
        let mayTell =
            (model.train == nil || model.loss == nil || model.feeds.count < 2)
            && model.file.map(ImportedNames.mayTell) ?? false
        let needed = [
            ("file", model.file == nil), ("train", model.train == nil && !mayTell),
            ("feeds", model.feeds.isEmpty && !mayTell),
        ]
        for (name, isMissing) in needed {
            refuse(isMissing, at: ["model.\(name)", "model.kind"], because: "model.\(name) is required for a graph")
        }
        refuse(
            !isNode && !(mayTell && model.loss == nil), at: ["model.loss", "model.kind"],
            because: "model.loss must name a node of the graph")
        for feed in [JobConfig.Model.Feed.features, .labels] {
            let count = model.feeds.values.count { $0 == feed }
            refuse(
                count > 1 || (count == 0 && !model.feeds.isEmpty && !mayTell), at: ["model.feeds"],
                because: "model.feeds must give \(feed.rawValue) to one placeholder")
        }
    }

    private mutating func refuse(_ isWrong: Bool, at keys: [String], because text: String) {
        guard isWrong else { return }
        let standard: Place = isOfSwift ? .property(keys.first.flatMap { Self.keys[$0]?.property } ?? "") : .wholeFile
        mistakes.add(keys.compactMap { places[$0] }.first ?? standard, text)
    }

    /// The mistake in an option that a program sets for its own kind of model; nil if there is none.
    private static func mistake(ofOption name: String, _ value: YAMLValue) -> String? {
        if name.isEmpty || name.contains(".") {
            return
                "model.options can't have the name \(ConfigValue.quoted(name)): an option's name is not empty and has no dots"
        }
        if let key = keys["model.\(name)"] {
            return
                "model.options can't have \(name), which is a property of its own: set model.\(key.property.dropFirst(6))"
        }
        return value.hasOnlyNumbers ? nil : "model.options has a number under \(name) that is not finite"
    }

    /// Refuses two keys that exclude each other in one file or on one command line.
    private mutating func refuseRivals(among places: [String: Place]) {
        for (one, other) in [("train.epochs", "train.steps"), ("data.test_path", "data.test_fraction")] {
            guard let first = places[one], let second = places[other] else { continue }
            // An empty value removes a key.
            if one == "data.test_path", config.data.testPath == nil || config.data.testFraction == nil { continue }
            var later = second
            if case .line(let above) = second, case .line(let below) = first, below > above { later = first }
            mistakes.add(later, "\(one) and \(other) are both given; give one of them")
        }
    }

    /// Removes a key of the file that the command line does not give.
    private mutating func giveUp(_ key: String, of file: [String: Place], _ takeAway: (inout JobConfig) -> Void) {
        guard file[key] != nil, places[key] == nil else { return }
        takeAway(&config)
    }
}

extension ConfigurationReader {
    private static let keys = Dictionary(uniqueKeysWithValues: JobConfig.keys.map { ($0.path, $0) })

    /// The keys in each section, in the order of the table: "" → job, seed, model, …
    private static let children: [String: [String]] = {
        var children: [String: [String]] = [:]
        for key in JobConfig.keys {
            var section = ""
            for part in key.path.split(separator: ".").map(String.init) {
                if !children[section, default: []].contains(part) { children[section, default: []].append(part) }
                section = join(section, part)
            }
        }
        return children
    }()

    private static func join(_ section: String, _ name: String) -> String {
        section.isEmpty ? name : "\(section).\(name)"
    }

    /// The innermost known section of a path, and the rest.
    private static func split(_ path: String) -> (section: String, name: String) {
        var section = "", rest = Substring(path)
        while let dot = rest.firstIndex(of: "."), children[join(section, String(rest[..<dot]))] != nil {
            section = join(section, String(rest[..<dot]))
            rest = rest[rest.index(after: dot)...]
        }
        return (section, String(rest))
    }

    private static func allowed(in section: String) -> String {
        children[section, default: []].joined(separator: ", ")
    }

    /// - Parameter kind: the kind of model; nil: suggests keys of all kinds.
    private static func unknown(_ path: String, kind: String? = nil) -> String {
        let (section, name) = split(path)
        let siblings = children[section, default: []].filter { sibling in
            kind.map { keys[join(section, sibling)]?.belongs(to: $0) ?? true } ?? true
        }
        let other = JobConfig.otherNames[name]
        let elsewhere = JobConfig.keys.map(\.path).first { $0.hasSuffix(".\(other ?? name)") }
        let guess = other.flatMap { siblings.contains($0) ? $0 : nil } ?? nearest(to: name, in: siblings) ?? elsewhere
        let hint = guess.map { "; did you mean '\($0)'?" } ?? ""
        let shown = path.count <= 60 ? path : path.prefix(59) + "…"
        return "unknown key '\(shown)'\(hint) (allowed: \(siblings.joined(separator: ", ")))"
    }
}
