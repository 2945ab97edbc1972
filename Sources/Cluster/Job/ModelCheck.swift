internal import Dataflow
internal import Training

/// Checks, before training, that the nodes of a `TrainingModel` belong together and fit the data.
struct ModelCheck {
    private let model: TrainingModel
    private let graph: Graph
    /// The nodes that every run feeds.
    private let fed: Set<Node>

    init(_ model: TrainingModel, _ graph: Graph) {
        self.model = model
        self.graph = graph
        fed = Set([model.features, model.labels] + [model.isTraining].compactMap { $0 })
    }

    /// - Throws: `GraphError` with the node and the line of the user's program that made it.
    func check(_ data: DataSplit) throws {
        try checkGraph()
        try checkFlag()
        let labels = model.labels == model.features ? nil : model.labels
        let (loss, open) = needs(model.loss, controls: true)
        if let placeholder = open.first {
            throw error(
                "the loss needs the placeholder \(quoted(placeholder)), which nothing feeds: features are \(quoted(model.features)), "
                    + "labels \(quoted(model.labels))", at: model.loss)
        }
        for (node, what) in [(model.features, "features"), (labels, "labels")] {
            guard let node, !loss.contains(node) else { continue }
            let way =
                what == "labels" ? "; for a model that learns without labels, give its features as labels, too" : ""
            let needed = loss.subtracting([model.isTraining].compactMap { $0 }).map(quoted).sorted()
            let instead = needed.isEmpty ? "" : ", but on \(needed.joined(separator: " and "))"
            throw error("the loss does not depend on the \(what), \(quoted(node))\(instead)\(way)", at: model.loss)
        }
        try checkTrain()
        for (name, node) in model.metrics.means.sorted(by: { $0.key < $1.key }) {
            try checkFed(node, "the metric '\(name)'")
        }
        try checkPredictions(labels)
        try checkFits(data, labels)
    }

    private func error(_ text: String, at node: Node) -> GraphError {
        GraphError(text, node: node.vertex.name, location: node.vertex.location)
    }

    private func quoted(_ node: Node) -> String { "'\(node.output == 0 ? node.vertex.name : node.name)'" }

    /// The fed nodes that `node` needs, and the other placeholders that it needs.
    private func needs(_ node: Node, controls: Bool) -> (fed: Set<Node>, open: [Node]) {
        var reached: Set<Node> = []
        var open: [Node] = []
        var seen: Set<Int> = []
        var stack: [Node] = [node]
        while let next = stack.popLast() {
            if fed.contains(next) {
                reached.insert(next)
                continue
            }
            let vertex = next.vertex
            guard seen.insert(vertex.id).inserted else { continue }
            if vertex.operation == Placeholder.self || vertex.operation == PlaceholderV2.self { open.append(next) }
            stack += vertex.inputs
            if let carried = vertex.loopInput { stack.append(carried) }
            if controls { stack += vertex.controls.map(\.node) }
        }
        return (reached, open.sorted { $0.vertex.id < $1.vertex.id })
    }

    private func checkFed(_ node: Node, _ what: String) throws {
        guard let placeholder = needs(node, controls: true).open.first else { return }
        throw error(
            "\(what) needs the placeholder \(quoted(placeholder)), which nothing feeds: features are \(quoted(model.features)), "
                + "labels \(quoted(model.labels))", at: node)
    }

    /// All nodes belong to the graph that `build` was given.
    private func checkGraph() throws {
        var nodes: [(what: String, node: Node)] = [
            ("features", model.features), ("labels", model.labels), ("loss", model.loss), ("train", model.train),
        ]
        nodes += model.predictions.map { [("predictions", $0)] } ?? []
        nodes += model.isTraining.map { [("isTraining", $0)] } ?? []
        nodes += model.metrics.means.sorted { $0.key < $1.key }.map { ("the metric '\($0.key)'", $0.value) }
        for (what, node) in nodes where node.graph !== graph {
            throw error(
                "\(what) is a node of another graph: build the whole model in the graph that `build` is given",
                at: node)
        }
    }

    private func checkFlag() throws {
        guard let flag = model.isTraining else { return }
        guard flag.dtype == .bool, flag.shape.rank ?? 0 == 0 else {
            throw error("isTraining must be a bool scalar, not \(flag.spec)", at: flag)
        }
        guard flag != model.features, flag != model.labels else {
            throw error(
                "isTraining is fed true while training; features and labels need placeholders of their own", at: flag)
        }
    }

    /// The train operation writes a Variable that the loss depends on.
    private func checkTrain() throws {
        try checkFed(model.train, "the train operation")
        let trained = TrainingCut.ancestors(of: [model.train.vertex], controls: true)
        let names = trained.reduce(into: Set<String>()) { $0.formUnion($1.variablesWrittenByCalls) }
        var written = Set(trained.flatMap(writes))
        for variable in graph.variables where names.contains(variable.name) {
            written.insert(variable.reference.vertex.id)
        }
        // The cut reports a train operation that writes nothing.
        guard !written.isEmpty else { return }
        let read = TrainingCut.ancestors(of: [model.loss.vertex], controls: true)
        let known = read.reduce(into: Set<String>()) { $0.formUnion($1.variablesKnownToCalls) }
        let isTrained =
            read.contains { written.contains($0.id) }
            || graph.variables.contains { known.contains($0.name) && written.contains($0.reference.vertex.id) }
        guard !isTrained else { return }
        let variables = graph.variables.filter { written.contains($0.reference.vertex.id) }.map { "'\($0.name)'" }
        let list = variables.prefix(3).joined(separator: ", ") + (variables.count > 3 ? ", …" : "")
        throw error(
            "the train operation changes no Variable that the loss depends on\(list.isEmpty ? "" : ", but \(list)"): is it made of another loss?",
            at: model.train)
    }

    /// The Variables that a vertex writes.
    private func writes(_ vertex: Vertex) -> [Int] {
        vertex.operation.writes.compactMap { input in
            vertex.inputs.indices.contains(input) ? vertex.inputs[input].variable?.id : nil
        }
    }

    /// Predictions do not need labels, and have a row for each example.
    private func checkPredictions(_ labels: Node?) throws {
        guard let predictions = model.predictions else { return }
        try checkFed(predictions, "the predictions")
        if let labels, needs(predictions, controls: false).fed.contains(labels) {
            throw error(
                "the predictions need the labels, \(quoted(labels)), which are not known when predicting",
                at: predictions)
        }
        guard predictions.shape.rank != 0 else {
            throw error("the predictions must have a row for each example, not \(predictions.spec)", at: predictions)
        }
    }

    /// The placeholders fit the dtypes and shapes of the data.
    private func checkFits(_ data: DataSplit, _ labels: Node?) throws {
        let set = data.training.count > 0 ? data.training : data.test
        guard set.count > 0 else { return }
        // A placeholder may fix the number of examples; `checkFixedBatch` checks that number.
        let fixed = [model.features, model.labels].compactMap { $0.shape.dimensions?.first ?? nil }.first { $0 > 0 }
        let count = fixed ?? 1
        let batch = try set.batch((0..<count).map { Int32($0 % set.count) })
        try checkFits(model.features, "features", batch.features, set.features)
        guard let labels else { return }
        let classes = max(data.training.classes, data.test.classes)
        if classes > 0, labels.shape.rank == 2, let columns = labels.shape[1], columns > 1, columns < classes {
            throw error(
                "the labels, \(quoted(labels)), have \(columns) columns, but the data has \(classes) classes",
                at: labels)
        }
        try checkFits(labels, "labels", batch.labels, set.labels)
    }

    private func checkFits(_ placeholder: Node, _ what: String, _ batch: Tensor, _ all: Tensor) throws {
        let spec = placeholder.spec
        let fitted = batch.fitted(to: spec)
        guard fitted.dtype == spec.dtype, spec.shape.merged(with: fitted.shape) != nil else {
            let example = Shape([nil] + batch.shape.knownExtents.dropFirst().map(Optional.some))
            throw error(
                "the \(what), \(quoted(placeholder)), take \(spec.dtype)\(spec.shape), but the data's \(what) are "
                    + "\(batch.dtype)\(example)", at: placeholder)
        }
        guard !spec.dtype.isFloating, spec.dtype != .bool, all.dtype.isFloating else { return }
        if let number = all.knownDoubles.first(where: { $0 != $0.rounded() }) {
            throw error(
                "the \(what), \(quoted(placeholder)), are \(spec.dtype), but the data's \(what) are numbers such as \(number): use float32",
                at: placeholder)
        }
    }
}
