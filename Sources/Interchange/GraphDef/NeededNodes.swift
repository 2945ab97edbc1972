internal import Dataflow
internal import Schemas
internal import SwiftProtobuf

/// The nodes of a file that a run needs: what its fetches stand on, back to the tensors that are fed.
///
/// What lies behind a fed tensor is not looked at. A node that is used only for fed tensors becomes a `Placeholder`,
/// whatever it was.
struct NeededNodes {
    /// In the file's order.
    private(set) var nodes: [TFNodeDef] = []
    /// By the names in `feeds`, what takes the tensor: "x" or "x:1", as a node here is called.
    private(set) var fed: [String: String] = [:]

    private let all: [TFNodeDef]
    private let positions: [String: Int]
    /// What runs with feeds need, and what those without do.
    private var found: Set<Int> = []
    private var foundWhole: Set<Int> = []
    /// The fed tensors, by node and output.
    private var cuts: [Int: Set<Int>] = [:]

    /// - Parameters:
    ///   - names: what is fetched or run, "a" or "a:1".
    ///   - unfed: what is run without feeds, such as an initialiser.
    ///   - feeds: what is fed, with the dtype of what comes if that is known.
    ///   - initializers: the nodes that give Variables their first values, by the Variables' nodes; nil: they are not needed.
    ///     "NAME/Assign" by default.
    /// - Throws: `GraphError` for a name that is not in the file.
    init(
        _ nodes: [TFNodeDef], for names: [String], unfed: [String] = [], feeds: [String: DType?],
        initializers: [String: String]?
    ) throws {
        all = nodes
        positions = Dictionary(zip(nodes.map(\.name), nodes.indices), uniquingKeysWith: { first, _ in first })
        for name in feeds.keys {
            let place = try place(name)
            cuts[place.node, default: []].insert(place.output)
        }
        var stack: [(position: Int, isWhole: Bool)] = try unfed.map { (try place($0).node, true) }
        for name in names {
            let place = try place(name)
            if cuts[place.node]?.contains(place.output) != true { stack.append((place.node, false)) }
        }
        while let (position, isWhole) = stack.popLast() {
            guard isWhole ? foundWhole.insert(position).inserted : found.insert(position).inserted else { continue }
            stack += nodes[position].input.compactMap { needed($0, isWhole: isWhole) }.map { ($0, isWhole) }
            if let initializers {
                let name = nodes[position].name
                if let assign = initializers[name].flatMap({ positions[$0] }) ?? positions[name + "/Assign"] {
                    stack.append((assign, true))
                }
            }
        }
        found.formUnion(foundWhole)
        try replaceFed(feeds)
    }

    private func place(_ name: String) throws -> (node: Int, output: Int) {
        let input = try NodeInput(name)
        guard let position = positions[String(input.name)], !input.isControl else {
            throw GraphError("the graph has no node named '\(name)'\(similar(to: String(input.name)))")
        }
        return (position, input.output)
    }

    /// A node whose name ends, or begins, alike.
    private func similar(to name: String) -> String {
        let last = name.split(separator: "/").last.map(String.init) ?? name
        let other = all.first { $0.name.hasSuffix("/\(last)") || $0.name.lowercased() == name.lowercased() }
        return other.map { "; there is '\($0.name)'" } ?? ""
    }

    /// The node that an input asks for; nil if a fed tensor stands in its place.
    private func needed(_ text: String, isWhole: Bool) -> Int? {
        // Inputs of another form, or that are missing, get their error later.
        guard let input = try? NodeInput(text), let position = positions[String(input.name)] else { return nil }
        guard let cut = cuts[position], !isWhole else { return position }
        // As in TensorFlow, waiting for a fed placeholder is waiting for what is fed; other nodes run.
        let isCut = input.isControl ? all[position].op.hasPrefix("Placeholder") : cut.contains(input.output)
        return isCut ? nil : position
    }

    private mutating func replaceFed(_ feeds: [String: DType?]) throws {
        var replaced: [Int: [Int: TFNodeDef]] = [:]
        for (name, dtype) in feeds.sorted(by: { $0.key < $1.key }) {
            let place = try place(name)
            guard !found.contains(place.node) else {
                fed[name] = name
                continue
            }
            let node = replaced[place.node]?[place.output] ?? placeholder(place.node, place.output, dtype)
            replaced[place.node, default: [:]][place.output] = node
            fed[name] = node.name
        }
        for i in all.indices {
            for (_, node) in replaced[i, default: [:]].sorted(by: { $0.key < $1.key }) { nodes.append(node) }
            guard found.contains(i) else { continue }
            var node = all[i]
            if !replaced.isEmpty {
                node.input = node.input.map { text in
                    guard let input = try? NodeInput(text), !input.isControl,
                        let position = positions[String(input.name)], let other = replaced[position]?[input.output]
                    else { return text }
                    return other.name
                }
                // Of a fed placeholder that has another name now.
                node.input.removeAll { text in
                    guard let input = try? NodeInput(text), input.isControl,
                        let position = positions[String(input.name)]
                    else { return false }
                    return !found.contains(position) && replaced[position]?[0] == nil
                }
            }
            nodes.append(node)
        }
    }

    private func placeholder(_ position: Int, _ output: Int, _ given: DType?) -> TFNodeDef {
        let old = all[position]
        var node = TFNodeDef()
        node.name = output == 0 ? old.name : unused("\(old.name)/output_\(output)")
        node.op = "Placeholder"
        node.device = old.device
        let dtype = FedTensor.dtype(old, output) ?? given?.proto ?? FedTensor.guess(old, output) ?? .dtFloat
        node.attr["dtype"] = .with { $0.type = dtype }
        let shape = FedTensor.shape(old, output)
        node.attr["shape"] = .with { $0.shape = shape ?? .with { $0.unknownRank = true } }
        return node
    }

    private func unused(_ name: String) -> String { freshName(name) { positions[$0] != nil } }
}

/// What a node of a file says of an output that is fed in its place.
enum FedTensor {
    /// The dtype, where the operation is known; nil if it does not tell.
    static func dtype(_ node: TFNodeDef, _ output: Int) -> TFDataType? {
        guard let signature = OperationCatalog.operation(named: node.op)?.signature else { return nil }
        var next = 0
        for argument in signature.outputs {
            if argument.isList {
                let types = node.attr[argument.type]?.list.type ?? []
                if output - next < types.count { return types[output - next] }
                next += types.count
                continue
            }
            let count = argument.count.map { min(max(node.attr[$0]?.i ?? 1, 0), 65536) } ?? 1
            next += Int(count)
            guard output < next else { continue }
            if let fixed = DType(rawValue: argument.type) { return fixed.proto }
            if case .type(let type)? = node.attr[argument.type]?.value { return value(type) }
            if case .type(let type)? = signature.defaults[argument.type] { return type.proto }
            return nil
        }
        return nil
    }

    /// The dtype by the attributes that operations usually have.
    static func guess(_ node: TFNodeDef, _ output: Int) -> TFDataType? {
        for name in ["output_types", "component_types", "Tout", "out_types", "dtypes", "Tparams"] {
            if let types = node.attr[name]?.list.type, output < types.count { return types[output] }
        }
        for name in ["dtype", "out_type", "output_type", "Tout", "DstT", "T"] {
            if case .type(let type)? = node.attr[name]?.value { return value(type) }
        }
        return nil
    }

    /// What is known of the shape.
    static func shape(_ node: TFNodeDef, _ output: Int) -> TFTensorShapeProto? {
        if node.op.hasPrefix("Placeholder"), case .shape(let shape)? = node.attr["shape"]?.value { return shape }
        for name in ["_output_shapes", "output_shapes"] {
            if let shapes = node.attr[name]?.list.shape, output < shapes.count { return shapes[output] }
        }
        return nil
    }

    /// Of a Variable's memory, the dtype of its value.
    private static func value(_ type: TFDataType) -> TFDataType {
        TFDataType(rawValue: type.rawValue > 100 ? type.rawValue - 100 : type.rawValue) ?? type
    }
}
