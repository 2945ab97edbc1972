internal import Dataflow
internal import Interchange

/// The nodes for training an imported graph: from the configuration, else from the file.
///
/// A MetaGraphDef has the train operation in its collection `train_op`, the loss in `losses`, the initialiser in `init_op`
/// (used if a Variable has none of its own), and the predictions as the only output of its signature `serving_default`, or
/// of its only signature. The inputs are the placeholders that training needs, or the outputs of its iterator: the one that
/// the signature feeds gets the features, a bool scalar gets `is_training`, and the last one left gets the labels.
struct ImportedNames {
    let train: String
    let loss: String
    /// What each placeholder is fed, by its name.
    let feeds: [String: JobConfig.Model.Feed]
    let predictions: String?
    /// Operations that initialise Variables, besides each Variable's own.
    let initialize: [String]
    /// A line that lists the names found in the file; nil if there are none.
    let note: String?

    /// - Throws: `NodeError` with the keys that are neither in the configuration nor in the file.
    init(_ source: GraphSource, _ model: JobConfig.Model) throws {
        var taken: [String] = []
        var missing: [String] = []
        func only(_ key: String, in collection: String, _ given: String?) -> String? {
            if let given { return given }
            let nodes = source.collection(collection)
            if nodes.count == 1, let node = nodes.first {
                taken.append("\(key) \(node) (collection \(collection))")
                return node
            }
            let found = nodes.isEmpty ? "is not in the file" : "has \(nodes.joined(separator: ", "))"
            missing.append("model.\(key) is required: the collection \(collection) \(found)")
            return nil
        }
        var named: String?
        if case .node(let name)? = model.loss { named = name }
        let train = only("train", in: "train_op", model.train)
        let loss = only("loss", in: "losses", named)
        let roots = [train, loss].compactMap { $0 }
        if let given = model.initialize {
            initialize = [given]
        } else if try !source.uninitialized(neededFor: roots, fed: Array(model.feeds.keys)).isEmpty {
            initialize = source.readable(source.collection("init_op"))
            taken += initialize.map { "init \($0) (collection init_op)" }
        } else {
            initialize = []
        }
        let signature = source.kind == .graph ? nil : try? source.signature(nil)
        var predictions = model.predictions
        if predictions == nil, let outputs = signature?.outputs, outputs.count == 1, let node = outputs.first?.node,
            source.readable([node]) == [node]
        {
            predictions = node
            taken.append("predictions \(node) (signature)")
        }
        self.predictions = predictions
        var feeds = model.feeds
        if let train, let loss, !(feeds.values.contains(.features) && feeds.values.contains(.labels)) {
            let open = try source.placeholders(needed: [train, loss], fed: Array(feeds.keys))
            let found = ImportedNames.feeds(open, signature, feeds)
            for (name, feed) in found.sorted(by: { $0.key < $1.key }) where feeds[name] == nil {
                feeds[name] = feed
                taken.append("\(feed.rawValue) to \(name)")
            }
            let lacking = [JobConfig.Model.Feed.features, .labels].filter { !feeds.values.contains($0) }
            if !lacking.isEmpty {
                let list = open.map { "\($0.name) (\($0.dtype)\($0.shape))" }.joined(separator: ", ")
                missing.append(
                    "model.feeds must say what gets \(lacking.map(\.rawValue).joined(separator: " and ")); "
                        + "training needs the placeholders \(list.isEmpty ? "(none)" : list)")
            }
        }
        guard let train, let loss, missing.isEmpty else {
            throw NodeError(
                .configuration, "\(source.path) (\(source.kind.rawValue)): \(missing.joined(separator: "; "))")
        }
        self.train = train
        self.loss = loss
        self.feeds = feeds
        note = taken.isEmpty ? nil : "taken from \(source.path): \(taken.joined(separator: ", "))"
    }

    /// Whether a graph's file may have names that the configuration lacks.
    static func mayTell(_ path: String) -> Bool { GraphSource.tellsMore(path) }

    /// Guesses what placeholders are fed. A placeholder gets nothing if two would fit.
    private static func feeds(
        _ open: [GraphSource.OpenInput], _ signature: GraphSignature?, _ given: [String: JobConfig.Model.Feed]
    ) -> [String: JobConfig.Model.Feed] {
        var result: [String: JobConfig.Model.Feed] = [:]
        var rest = open
        func take(_ feed: JobConfig.Model.Feed, _ isMeant: (GraphSource.OpenInput) -> Bool) {
            guard !given.values.contains(feed), !result.values.contains(feed) else { return }
            let found = rest.filter(isMeant)
            guard found.count == 1, let input = found.first else { return }
            result[input.name] = feed
            rest.removeAll { $0.name == input.name }
        }
        take(.isTraining) { $0.dtype == .bool && $0.shape == [] }
        rest.removeAll { $0.hasDefault }
        let inputs = Set((signature?.inputs ?? []).map { String($0.node.prefix { $0 != ":" }) })
        take(.features) { inputs.contains($0.name) }
        take(.labels) { input in ["label", "target"].contains { input.name.lowercased().contains($0) } }
        take(.labels) { $0.name == "y" || $0.name.hasSuffix("/y") || $0.name == "y_" }
        take(.features) { input in
            ["feature", "image", "input"].contains { input.name.lowercased().contains($0) }
        }
        take(.features) { $0.name == "x" || $0.name.hasSuffix("/x") }
        // An iterator's outputs are the features, then the labels.
        let nodes = Set(rest.map { $0.name.prefix { $0 != ":" } })
        if rest.count == 2, nodes.count == 1, given.isEmpty {
            take(.features) { $0.name == rest[0].name }
            take(.labels) { _ in true }
        }
        // The last one left gets what is missing.
        if given.values.contains(.features) || result.values.contains(.features) { take(.labels) { _ in true } }
        if given.values.contains(.labels) || result.values.contains(.labels) { take(.features) { _ in true } }
        return result
    }
}
