internal import Synchronization

/// A dataflow graph: vertices that operations stand in, sources, scopes, and the Variables it knows.
///
/// Building never throws: a mistake stays in the node that has it (and in all that is built over it) until `validate()`,
/// `Session(graph)` or a `run` throws it. A graph only grows; it may be read from any thread, and is built by one.
public final class Graph: Sendable {
    struct State {
        var vertices: [Vertex] = []
        /// What the next vertex is numbered. Loops leave room before them: see `LoopHistory`.
        var nextID = 0
        /// How often a vertex that was there already has changed.
        var revision = 0
        var byName: [String: Vertex] = [:]
        var nameCounts: [String: Int] = [:]
        var scope: [String] = []
        var devices: [DeviceName] = []
        var controls: [Vertex] = []
        /// Where the user's program called the function of the library that is building now.
        var location: SourceLocation?
        var variables: [Variable] = []
        var regularizers: [Node] = []
        var updates: [Node] = []
        var gradients: Set<Node> = []
        var firstError: GraphError?
        /// The body that is being built: operations go there.
        var body: Graph?
        /// What a body takes from the graph around it, with the parameters that stand for it.
        var captures: [(outer: Node, inner: Node)] = []
        /// Constants of the graph around a body, as the body knows them.
        var constants: [Node: Node] = [:]
        var functionNames: Set<String> = []
        /// The number that a function's name got last.
        var functionCounts: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// The seed of every random operation that has none of its own: TensorFlow's graph-level seed.
    public let seed: Int

    public init(seed: Int = 1) {
        self.seed = seed
        parent = nil
        functionName = nil
    }

    /// Of a function's body: the graph that the function is built in.
    let parent: Graph?
    /// Of a function's body: the function's name.
    package let functionName: String?

    /// The body of a function. What it uses of `parent` becomes one more parameter.
    package init(function name: String, seed: Int, parent: Graph? = nil) {
        self.seed = seed
        self.parent = parent
        functionName = name
        if let device = parent?.state.withLock({ $0.devices.last }) { state.withLock { $0.devices = [device] } }
    }

    /// What `device(_:)` asks for here; nil outside of one.
    var currentDevice: DeviceName? { state.withLock { $0.devices.last } }

    /// All vertices, in the order in which they were added: inputs before what uses them.
    public var vertices: [Vertex] { state.withLock { $0.vertices } }

    /// The Variables, in the order in which they were made.
    public var variables: [Variable] { state.withLock { $0.variables } }

    /// The Variables that `minimize` updates unless told otherwise.
    public var trainableVariables: [Variable] { variables.filter(\.isTrainable) }

    /// The vertex of this name, or nil.
    public func vertex(named name: String) -> Vertex? { state.withLock { $0.byName[name] } }

    /// The output "name:index" (or "name", which is output 0).
    /// - Throws: `GraphError` if the graph has none such.
    public func node(named name: String) throws -> Node {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        let index = parts.count == 2 ? Int(parts[1]) : 0
        guard parts.count <= 2, let index, index >= 0, let vertex = vertex(named: String(parts.first ?? "")),
            index < max(vertex.outputs.count, 1)
        else { throw GraphError("the graph has no output named '\(name)'") }
        return Node(vertex: vertex, output: index)
    }

    /// Throws the first mistake made while building.
    public func validate() throws {
        if let error = state.withLock({ $0.firstError }) { throw error }
    }

    // MARK: Scopes

    /// Operations built inside are named "name/…"; a name used twice becomes "name_1/…".
    public func scope<Result>(_ name: String, _ build: () throws -> Result) rethrows -> Result {
        if let body = openBody { return try body.scope(name, build) }
        state.withLock { $0.scope.append($0.unique(name)) }
        defer { state.withLock { _ = $0.scope.removeLast() } }
        return try build()
    }

    /// As `scope(_:_:)`, of a scope that has been open before: names go on where they were; TensorFlow's
    /// `tf.name_scope("encoder/")`.
    /// - Parameter fullName: with the scopes around it, "" for none.
    package func reentering<Result>(_ fullName: String, _ build: () throws -> Result) rethrows -> Result {
        if let body = openBody { return try body.reentering(fullName, build) }
        state.withLock { $0.scope.append(fullName) }
        defer { state.withLock { _ = $0.scope.removeLast() } }
        return try build()
    }

    /// The scopes that are open, "outer/inner"; "" for none.
    package var openScope: String { (openBody ?? self).state.withLock { $0.scope.last ?? "" } }

    /// Operations built inside ask for this device; an inner scope fills in or overrides parts of the outer one.
    public func device<Result>(_ name: DeviceName, _ build: () throws -> Result) rethrows -> Result {
        if let body = openBody { return try body.device(name, build) }
        state.withLock { $0.devices.append(name.merged(over: $0.devices.last ?? DeviceName())) }
        defer { state.withLock { _ = $0.devices.removeLast() } }
        return try build()
    }

    /// As `device(_:_:)` with the name as text, such as "/cpu:0" or "/job:ps/task:1/device:CPU:0".
    /// A text that is no device name is a mistake of the graph, thrown by `validate()`.
    public func device<Result>(
        _ name: String, file: StaticString = #fileID, line: UInt = #line, _ build: () throws -> Result
    ) rethrows -> Result {
        let parsed: DeviceName
        do { parsed = try DeviceName(name) } catch {
            record(GraphError("\(error)").at("device", SourceLocation(file: file, line: line)))
            return try build()
        }
        return try device(parsed, build)
    }

    /// Operations built inside run after `vertices`: TensorFlow's `tf.control_dependencies`.
    public func controlDependencies<Result>(_ nodes: [Node], _ build: () throws -> Result) rethrows -> Result {
        if let body = openBody { return try body.controlDependencies(nodes, build) }
        let before = state.withLock { state in
            defer { state.controls += nodes.map(\.vertex) }
            return state.controls.count
        }
        defer { state.withLock { $0.controls.removeSubrange(before...) } }
        return try build()
    }

    /// Operations built inside wait for nothing that a scope outside names; TensorFlow's `tf.control_dependencies(None)`.
    /// For what is run by itself, such as the first values of Variables.
    package func withoutControlDependencies<Result>(_ build: () throws -> Result) rethrows -> Result {
        if let body = openBody { return try body.withoutControlDependencies(build) }
        let controls = state.withLock { state in
            defer { state.controls = [] }
            return state.controls
        }
        defer { state.withLock { $0.controls = controls } }
        return try build()
    }

    /// Gives all that is built inside this location: that of the user's call of a library function that is made of others.
    /// Mistakes are reported there. If such functions call each other, the outermost call's location counts.
    package func located<Result>(
        _ file: StaticString, _ line: UInt, _ build: () throws -> Result
    ) rethrows -> Result {
        guard root.location == nil else { return try build() }
        return try located(at: SourceLocation(file: file, line: line), build)
    }

    /// What is built inside lies there, wherever it is asked for: a copy lies where what it is copied from does.
    func located<Result>(at location: SourceLocation?, _ build: () throws -> Result) rethrows -> Result {
        let root = root
        let before = root.location
        root.state.withLock { $0.location = location }
        defer { root.state.withLock { $0.location = before } }
        return try build()
    }

    /// The graph that this body belongs to, or itself.
    package var root: Graph { parent?.root ?? self }

    private var location: SourceLocation? { state.withLock { $0.location } }

    // MARK: Growing

    /// Adds an operation; TensorFlow's `create_op`. Never throws: a mistake is recorded in the vertex.
    ///
    /// - Parameters:
    ///   - name: without the scope; made unique. The operation's name by default.
    ///   - exactName: used as it is, with its scopes, by importers.
    ///   - isLoopHead: the last input, a loop's, comes later by `closeLoop`.
    ///   - controls: vertices to run before, besides those of the scope.
    ///   - device: overrides the scope's.
    @discardableResult
    @inline(never)
    public func add(
        _ operation: any Operation.Type, _ inputs: [Node], _ attributes: Attributes = [:], name: String? = nil,
        exactName: String? = nil, isLoopHead: Bool = false, controls: [Vertex] = [], device: DeviceName? = nil,
        location: SourceLocation? = nil
    ) -> Vertex {
        (openBody ?? self).insert(
            operation, inputs, attributes, name: name, exactName: exactName, isLoopHead: isLoopHead,
            controls: controls, device: device, location: location)
    }

    /// As `add`, in this graph even if a body is being built.
    ///
    /// - Parameters:
    ///   - mistake: what is wrong with the vertex before it is looked at.
    ///   - id: a number that a loop left free before it, for what that loop is to start with; nil for the next one.
    @discardableResult
    func insert(
        _ operation: any Operation.Type, _ given: [Node], _ attributes: Attributes = [:], name: String? = nil,
        exactName: String? = nil, isLoopHead: Bool = false, controls: [Vertex] = [], device: DeviceName? = nil,
        location: SourceLocation? = nil, mistake: GraphError? = nil, id earlier: Int? = nil
    ) -> Vertex {
        let inputs = given.map(local)
        // What the library builds on its own account, such as a gradient's rows made whole, lies where its inputs do.
        let told = location?.isLibrary == true ? nil : location
        let location = root.location ?? told ?? given.lazy.compactMap(\.vertex.location).first
        let room = operation is any LoopOperation.Type ? LoopHistory.room : 0
        let (id, fullName, scopeControls, scopeDevice) = state.withLock { state in
            (
                earlier ?? state.nextID + room, exactName ?? state.fullName(name ?? operation.name),
                // What is put before a loop cannot wait for what came after it.
                earlier == nil ? state.controls : [], state.devices.last ?? DeviceName()
            )
        }
        var resolved = attributes
        var outputs: [TensorSpec] = []
        var constants: [Tensor?] = []
        var error =
            mistake?.at("\(operation.name) '\(fullName)'", location) ?? given.lazy.compactMap(\.vertex.error).first
            ?? (scopeControls + controls).lazy.compactMap(\.error).first
        if error == nil, let stranger = (scopeControls + controls).first(where: { $0.graph !== self }) {
            error = GraphError("it is to wait for '\(stranger.name)', which belongs to another graph")
                .at("\(operation.name) '\(fullName)'", location)
        }
        if error == nil {
            do throws(GraphError) {
                (resolved, outputs, constants) = try check(
                    operation, inputs, attributes, name: fullName, isLoopHead: isLoopHead)
            } catch let mistake {
                error = mistake.at("\(operation.name) '\(fullName)'", location)
            }
        }
        if error != nil {
            // Dtypes as far as they can be told, shapes unknown, so that building goes on.
            let known = try? operation.signature.resolve(attributes, inputs: inputs.map(\.dtype))
            let types = known.flatMap { try? operation.signature.outputTypes($0) }
            outputs = (types ?? operation.signature.outputs.map { _ in inputs.first?.dtype ?? .float32 })
                .map { TensorSpec($0, .unknown) }
        }
        let vertex = Vertex(
            graph: self, id: id, name: fullName, operation: operation, attributes: resolved, inputs: inputs,
            controls: scopeControls + controls, device: device ?? scopeDevice, outputs: outputs, constants: constants,
            error: error, location: location)
        state.withLock { state in
            if earlier == nil {
                require(state.nextID + room == id, "a graph is built by one thread")
                state.vertices.append(vertex)
                state.nextID = id + 1
            } else {
                state.vertices.insert(vertex, at: state.vertices.firstIndex { $0.id > id } ?? state.vertices.count)
            }
            state.byName[fullName] = vertex
            state.nameCounts[fullName, default: 0] += 1
            state.firstError = state.firstError ?? error
        }
        return vertex
    }

    /// Gives a loop's `Merge`, added with `isLoopHead`, what the loop carries round to it.
    /// - Throws: `GraphError` if the dtypes differ.
    package func closeLoop(_ merge: Vertex, from node: Node) throws {
        guard node.dtype == merge.outputs.first?.dtype else {
            throw GraphError(
                "the loop's \(node) does not fit its first value \(merge.inputs.first?.description ?? "")",
                node: merge.name, location: merge.location)
        }
        merge.loopInput = node
    }

    private func check(
        _ operation: any Operation.Type, _ inputs: [Node], _ attributes: Attributes, name: String, isLoopHead: Bool
    ) throws(GraphError) -> (Attributes, [TensorSpec], [Tensor?]) {
        do {
            if parent != nil, operation.isVariable {
                throw GraphError("a Variable is made outside of the body that uses it")
            }
            if let stranger = inputs.first(where: { $0.graph !== self }) {
                if parent != nil, let variable = stranger.variable {
                    throw GraphError(
                        "a body takes the value of the Variable '\(variable.name)' and cannot change it; "
                            + "return the new value and assign it outside")
                }
                throw GraphError("the input \(stranger.name) belongs to another graph")
            }
            if vertex(named: name) != nil { throw GraphError("the graph has a node of this name already") }
            for (i, input) in inputs.enumerated() where input.vertex.outputs.isEmpty {
                throw GraphError("input \(i) is \(input.vertex.name), which has no outputs")
            }
            for (i, input) in inputs.enumerated() {
                if let mistake = input.mistake { throw GraphError("input \(i) is \(mistake.message)") }
            }
            for case .shape(let shape) in attributes.values.values {
                if let mistake = shape.mistake { throw mistake }
            }
            var specs = inputs.map(\.spec)
            if isLoopHead, let first = specs.first { specs.append(TensorSpec(first.dtype, .unknown)) }
            let resolved = try operation.signature.resolve(attributes, inputs: specs.map(\.dtype))
            let types = try operation.signature.outputTypes(resolved)
            for (i, input) in inputs.enumerated()
            where operation.signature.takesReference(i) && !input.isReference {
                throw GraphError("input \(i) must be a Variable's memory, got the value \(input.name)")
            }
            let context = ShapeContext(
                attributes: resolved, inputs: specs,
                constants: inputs.map(\.constant) + specs.dropFirst(inputs.count).map { _ in nil })
            var shapes = try operation.infer(context)
            // Its input is but a default: what is fed instead may have any shape that the attribute allows.
            if operation == PlaceholderWithDefault.self { shapes = [try resolved.shape("shape")] }
            require(
                shapes.count == types.count, "\(operation.name) infers \(shapes.count) of \(types.count) outputs")
            let folded = try operation.fold(context)
            return (resolved, zip(types, shapes).map { TensorSpec($0, $1) }, folded.map { $0.map { $0 } } ?? [])
        } catch let error as GraphError {
            throw error
        } catch {
            throw GraphError("\(error)")
        }
    }

    func record(_ error: GraphError) {
        if let body = openBody { return body.record(error) }
        var error = error
        if let location = root.location, error.location?.isLibrary != false { error.location = location }
        let mistake = error
        state.withLock { $0.firstError = $0.firstError ?? mistake }
    }

    /// Counts the changes of vertices that were there already: plans made before one are no longer right.
    var revision: Int { state.withLock { $0.revision } }

    /// Notes that a vertex that was there already has changed.
    func noteChange() { state.withLock { $0.revision += 1 } }

    func register(_ variable: Variable) { state.withLock { $0.variables.append(variable) } }

    /// Terms to add to a loss, such as L2 penalties that layers were given; scalars.
    public var regularizationLosses: [Node] { state.withLock { $0.regularizers } }

    /// Adds a scalar term for `regularizationLosses`.
    public func addRegularizationLoss(_ term: Node) { state.withLock { $0.regularizers.append(term) } }

    /// What a training step should run besides the optimizer's updates, such as those of moving averages that layers
    /// registered; TensorFlow's `tf.GraphKeys.UPDATE_OPS`.
    public var updateOperations: [Node] { state.withLock { $0.updates } }

    /// Adds an operation to `updateOperations`.
    public func addUpdateOperation(_ operation: Node) { state.withLock { $0.updates.append(operation) } }

    /// What `gradients` has given for its targets: where the derivatives of a loss end, and what is made of them begins.
    package var knownGradients: Set<Node> { state.withLock { $0.gradients } }

    func note(gradient: Node) { state.withLock { _ = $0.gradients.insert(gradient) } }

    /// The full name that the next operation called `name` would get.
    package func fullName(_ name: String) -> String {
        if let body = openBody { return body.fullName(name) }
        return state.withLock { $0.peek($0.prefix + name) }
    }
}

// MARK: Bodies of functions

extension Graph {
    /// The innermost body that is being built inside of this graph, if any: operations go there.
    var openBody: Graph? {
        guard let body = state.withLock({ $0.body }) else { return nil }
        return body.openBody ?? body
    }

    /// Runs `build`; what it adds to this graph goes to `body`.
    func building<Result>(_ body: Graph, _ build: () -> Result) -> Result {
        state.withLock { $0.body = body }
        defer { state.withLock { $0.body = nil } }
        return build()
    }

    /// `name`, or a name like it that no vertex has.
    func unusedFullName(_ name: String) -> String { state.withLock { $0.peek(name) } }

    /// A function's name like `name` that no other has in this graph or around it.
    package func uniqueFunctionName(_ name: String) -> String {
        if let parent { return parent.uniqueFunctionName(name) }
        return state.withLock { state in
            freshName(name, number: &state.functionCounts[name, default: 1]) {
                !state.functionNames.insert($0).inserted
            }
        }
    }

    /// What this body takes from the graph around it, in the order in which it was first used.
    var captures: [(outer: Node, inner: Node)] { state.withLock { $0.captures } }

    var firstError: GraphError? { state.withLock { $0.firstError } }

    /// One more parameter of a function.
    package func parameter(_ spec: TensorSpec, name: String, location: SourceLocation? = nil) -> Node {
        let name = fullName(name)
        return insert(
            Placeholder.self, [], ["dtype": .type(spec.dtype), "shape": .shape(spec.shape)], exactName: name,
            location: location
        ).node
    }

    /// `node` as it is known in this graph: itself, or what stands for a node of the graph around this body: a parameter, or
    /// a constant where the value is known and small.
    func local(_ node: Node) -> Node {
        guard node.graph !== self, let parent else { return node }
        let outer = parent.local(node)
        guard outer.graph === parent, outer.vertex.error == nil else { return node }
        if let known = captures.first(where: { $0.outer == outer }) { return known.inner }
        if let known = state.withLock({ $0.constants[outer] }) { return known }
        // A Variable's memory stays what it is, so that the mistake can be told. What an update yields comes in as a value.
        if outer.variable != nil, outer.vertex.operation.writes.isEmpty { return outer }
        let name = "captured_" + outer.vertex.name.replacing("/", with: "_")
        if let value = outer.constant, value.elementCount <= 16 {
            let attributes: Attributes = ["dtype": .type(value.dtype), "value": .tensor(value)]
            let twin = insert(
                Const.self, [], attributes, exactName: state.withLock { $0.peek(name) },
                location: outer.vertex.location
            ).node
            state.withLock { $0.constants[outer] = twin }
            return twin
        }
        let inner = insert(
            Placeholder.self, [], ["dtype": .type(outer.dtype), "shape": .shape(outer.shape)],
            exactName: state.withLock { $0.peek(name) }, location: outer.vertex.location
        ).node
        state.withLock { $0.captures.append((outer, inner)) }
        return inner
    }
}

extension Graph.State {
    var prefix: String { scope.last.map { $0.isEmpty ? "" : $0 + "/" } ?? "" }

    /// The scope's full, unique name.
    mutating func unique(_ name: String) -> String {
        let full = peek(prefix + name)
        nameCounts[full, default: 0] += 1
        if full != prefix + name { nameCounts[prefix + name, default: 0] += 1 }
        return full
    }

    func fullName(_ name: String) -> String { peek(prefix + name) }

    /// `full`, or "full_1", "full_2", … if it is taken.
    func peek(_ full: String) -> String { freshName(full) { nameCounts[$0] != nil } }
}

extension Graph: CustomStringConvertible {
    /// How much is in it, and the first mistake if there is one.
    public var description: String {
        let (operations, variables) = (vertices.count, variables.count)
        let what = functionName.map { "the body of the function '\($0)'," } ?? "a graph"
        let mistake = firstError.map { "; its first mistake: \($0)" } ?? ""
        return "\(what) of \(operations) operation\(operations == 1 ? "" : "s") and "
            + "\(variables) Variable\(variables == 1 ? "" : "s")\(mistake)"
    }
}
