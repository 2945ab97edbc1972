extension JobConfig.Cluster {
    /// How workers and updates wait for each other.
    public enum Consistency: Sendable, Equatable {
        /// Every worker at its own pace: a server applies a push when it arrives.
        ///
        /// - Parameter isPipelined: a worker computes its next gradient while it pushes the last one, from values without that
        ///   update (Li et al. 2018, "Pipe-SGD"). It keeps the values twice.
        case asynchronous(isPipelined: Bool = false)
        /// Workers share each batch. The mean of their gradients, added in the order of ranks, is one update.
        ///
        /// - Parameters:
        ///   - backup: a step does not wait for this many gradients; late ones are dropped (Chen et al. 2016, "Revisiting
        ///     distributed synchronous SGD").
        ///   - asynchronousTables: embedding tables, Variables that are updated by rows, apply each worker's part when it
        ///     arrives.
        case synchronous(backup: Int = 0, asynchronousTables: Bool = false)
        /// Every worker at its own pace, but a worker waits while another is more than `staleness` steps behind it (Ho et al.
        /// 2013, "More effective distributed ML via a stale synchronous parallel parameter server").
        case bounded(staleness: Int)

        public static let async = Consistency.asynchronous()
        public static let sync = Consistency.synchronous()

        /// Whether each worker computes its part of every step.
        public var isSynchronous: Bool { if case .synchronous = self { true } else { false } }

        package var isAsynchronous: Bool { if case .asynchronous = self { true } else { false } }

        package var isPipelined: Bool { if case .asynchronous(true) = self { true } else { false } }

        package var isBounded: Bool { if case .bounded = self { true } else { false } }

        /// Whether a gradient may be computed from values that other workers have changed since.
        var allowsStaleness: Bool {
            switch self {
            case .asynchronous, .bounded: true
            case .synchronous(_, let asynchronousTables): asynchronousTables
            }
        }

        /// The number of gradients that a step does not wait for.
        package var backup: Int { if case .synchronous(let backup, _) = self { backup } else { 0 } }

        var hasAsynchronousTables: Bool { if case .synchronous(_, true) = self { true } else { false } }
    }
}

extension ValueFormat where T == JobConfig.Cluster.Consistency {
    /// `async`, `{async: {pipeline: true}}`, `sync`, `{sync: {backup: 1, sparse: async}}` or `{staleness: 4}`.
    static var consistency: Self {
        Self(
            read: { (value, base) throws(ValueError) in
                guard case .map(let pairs) = value else { return try word(value) }
                guard pairs.count == 1 else { throw ValueError(text: refusal(of: value, allowed: allowed)) }
                switch pairs[0].key {
                case "staleness":
                    return .bounded(staleness: try number("staleness", pairs[0].value, base))
                case "async": return try asynchronous(pairs[0].value, base)
                case "sync": return try synchronous(pairs[0].value, base)
                default: throw ValueError(text: refusal(of: value, allowed: allowed))
                }
            },
            write: { consistency in
                switch consistency {
                case .asynchronous(false): return .string("async")
                case .asynchronous(true): return .map(["async": .map(["pipeline": .bool(true)])])
                case .bounded(let staleness): return .map(["staleness": .int(staleness)])
                case .synchronous(let backup, let asynchronousTables):
                    var options: [String: ConfigValue] = [:]
                    if backup != 0 { options["backup"] = .int(backup) }
                    if asynchronousTables { options["sparse"] = .string("async") }
                    return options.isEmpty ? .string("sync") : .map(["sync": .map(options)])
                }
            })
    }

    private static var allowed: [String] {
        ["async", "{async: {pipeline: true}}", "sync", "{sync: {backup: N, sparse: async}}", "{staleness: N}"]
    }

    private static func word(_ value: YAMLValue) throws(ValueError) -> T {
        switch value.text {
        case "async": return .async
        case "sync": return .sync
        default: throw ValueError(text: refusal(of: value, allowed: allowed))
        }
    }

    private static func number(
        _ name: String, _ value: YAMLValue, _ base: String
    ) throws(ValueError) -> Int {
        do throws(ValueError) {
            return try ValueFormat<Int>.whole(atLeast: 0, atMost: 1_000_000).read(value, base)
        } catch {
            throw ValueError(text: "\(error.text) for '\(name)'")
        }
    }

    private static func asynchronous(_ value: YAMLValue, _ base: String) throws(ValueError) -> T {
        guard case .map(let pairs) = value else {
            throw ValueError(text: "must be a section such as {pipeline: true}, got \(value.excerpt) for 'async'")
        }
        var isPipelined = false
        for (name, item, _) in pairs {
            guard name == "pipeline" else {
                let key = YAMLValue.scalar(name, isPlain: false)
                throw ValueError(text: "\(refusal(of: key, allowed: ["pipeline"])) in 'async'")
            }
            do throws(ValueError) { isPipelined = try ValueFormat<Bool>.flag.read(item, base) } catch {
                throw ValueError(text: "\(error.text) for 'pipeline'")
            }
        }
        return .asynchronous(isPipelined: isPipelined)
    }

    private static func synchronous(_ value: YAMLValue, _ base: String) throws(ValueError) -> T {
        guard case .map(let pairs) = value else {
            throw ValueError(text: "must be a section such as {backup: 1}, got \(value.excerpt) for 'sync'")
        }
        var (backup, asynchronousTables) = (0, false)
        for (name, item, _) in pairs {
            switch name {
            case "backup": backup = try number(name, item, base)
            case "sparse":
                guard let text = item.text, ["sync", "async"].contains(text) else {
                    throw ValueError(text: "\(refusal(of: item, allowed: ["sync", "async"])) for 'sparse'")
                }
                asynchronousTables = text == "async"
            default:
                let key = YAMLValue.scalar(name, isPlain: false)
                throw ValueError(text: "\(refusal(of: key, allowed: ["backup", "sparse"])) in 'sync'")
            }
        }
        return .synchronous(backup: backup, asynchronousTables: asynchronousTables)
    }
}
