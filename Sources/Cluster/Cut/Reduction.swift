internal import Dataflow

/// How a number that is computed of examples follows from the numbers of parts of these examples.
enum Reduction: Sendable {
    /// It depends on no example.
    case constant
    /// The mean of the parts' numbers, each by its share of the examples.
    case mean
    /// Their sum.
    case sum
    /// Neither, with the vertex that makes it so.
    case other(String)
    /// Not told by the graph: such as a gradient, which is what the loss is.
    case unknown
}

/// Finds out what numbers of a training graph are of their batch: means, sums, or neither.
final class Reductions {
    private let dependence: DataDependence
    private let shapes: BatchShapes
    private var found: [Node: Reduction] = [:]

    init(_ dependence: DataDependence, _ shapes: BatchShapes) {
        self.dependence = dependence
        self.shapes = shapes
    }

    func reduction(of node: Node) -> Reduction {
        if let known = found[node] { return known }
        let result = find(node)
        found[node] = result
        return result
    }

    private func find(_ node: Node) -> Reduction {
        let vertex = node.vertex
        guard dependence.values.contains(vertex.id) else {
            guard dependence.data.contains(vertex.id), node.constant == nil else { return .constant }
            if vertex.operation == Cast.self { return reduction(of: vertex.inputs[0]) }
            // A number of examples.
            return node.dtype == .int32 || node.dtype == .int64 ? .sum : .unknown
        }
        guard let first = vertex.inputs.first, !shapes.varies(node) else { return .unknown }
        switch vertex.operation.name {
        case "Mean": return shapes.varies(first) ? .mean : reduction(of: first)
        case "Sum": return shapes.varies(first) ? .sum : reduction(of: first)
        case "L2Loss": return shapes.varies(first) ? .sum : .other(vertex.name)
        case "Identity", "Reshape", "Squeeze", "ExpandDims", "Neg", "Cast", "StopGradient", "CheckNumerics":
            return reduction(of: first)
        case "Mul", "RealDiv", "Div", "DivNoNan": return product(vertex)
        case "Add", "AddV2", "Sub", "AddN": return sum(vertex)
        case "Switch", "RefSwitch": return reduction(of: first)
        case "Merge": return same(vertex.inputs.map(reduction), vertex.name)
        default: return other(vertex)
        }
    }

    /// What two ways to compute a number make of it, when only one is taken.
    private func same(_ ways: [Reduction], _ name: String) -> Reduction {
        ways.dropFirst().reduce(ways.first ?? .unknown) { a, b in
            switch (a, b) {
            case (.mean, .mean), (.sum, .sum), (.constant, .constant): a
            case (.unknown, _), (_, .unknown): .unknown
            case (.other, _): a
            case (_, .other): b
            default: .other(name)
            }
        }
    }

    /// Of numbers of a batch a root is no mean; nor is the largest of its examples' numbers.
    private func other(_ vertex: Vertex) -> Reduction {
        if vertex.inputs.contains(where: { shapes.varies($0) }) { return .other(vertex.name) }
        let values = vertex.inputs.indices.filter { dependence.values.contains(vertex.inputs[$0].vertex.id) }
        let isLinear = LinearOperations.isLinear(vertex, in: Set(values))
        for input in values.map({ vertex.inputs[$0] }) {
            switch reduction(of: input) {
            case .unknown: return .unknown
            case let known where isLinear && values.count == 1: return known
            case .other(let name): return .other(name)
            default: break
            }
        }
        return .other(vertex.name)
    }

    private func product(_ vertex: Vertex) -> Reduction {
        let (a, b) = (vertex.inputs[0], vertex.inputs[1])
        let isQuotient = vertex.operation != Mul.self
        func isPlain(_ node: Node) -> Bool { !dependence.values.contains(node.vertex.id) }
        guard isPlain(b) || isPlain(a) && !isQuotient else {
            // A quotient of two sums over the batch, such as a mean by weights.
            return shapes.varies(a) || shapes.varies(b) ? .unknown : .other(vertex.name)
        }
        let (value, factor) = isPlain(b) ? (a, b) : (b, a)
        let dependsOnCount = dependence.data.contains(factor.vertex.id)
        switch reduction(of: value) {
        case .sum where dependsOnCount: return .mean
        case .mean where dependsOnCount: return isQuotient ? .other(vertex.name) : .sum
        case let reduction: return reduction
        }
    }

    private func sum(_ vertex: Vertex) -> Reduction {
        var result = Reduction.constant
        for input in vertex.inputs {
            switch (result, reduction(of: input)) {
            case (_, .constant): if case .sum = result { result = .other(vertex.name) }
            case (.constant, let next): result = next
            case (.mean, .mean), (.sum, .sum): break
            case (.unknown, _), (_, .unknown): return .unknown
            case (_, .other(let name)), (.other(let name), _): return .other(name)
            default: result = .other(vertex.name)
            }
        }
        if case .sum = result, vertex.inputs.contains(where: { isConstant(reduction(of: $0)) }) {
            return .other(vertex.name)
        }
        return result
    }

    private func isConstant(_ reduction: Reduction) -> Bool { if case .constant = reduction { true } else { false } }

    /// Vertices of the forward pass that take a number of all examples, on which each example's output then depends: batch
    /// normalisation's means and variances.
    ///
    /// - Parameter forward: all that the loss needs, in the graph's order.
    func batchStatistics(_ forward: [Vertex]) -> [String] {
        var feeds: Set<Int> = []
        var found: [String] = []
        for vertex in forward.reversed() where dependence.values.contains(vertex.id) {
            let isLarge = vertex.outputs.indices.contains { shapes.varies(vertex.output($0)) }
            let isNormalization =
                vertex.operation.name.hasPrefix("FusedBatchNorm")
                && (try? vertex.attributes.bool("is_training")) == true
            let isOfPairs = vertex.outputs.indices.contains { shapes.isOfPairs(vertex.output($0)) }
            if isNormalization || isOfPairs
                || !isLarge && feeds.contains(vertex.id) && vertex.inputs.contains(where: { shapes.varies($0) })
            {
                found.append(vertex.name)
            }
            if isLarge || feeds.contains(vertex.id) { feeds.formUnion(vertex.inputs.map(\.vertex.id)) }
        }
        return found.reversed()
    }
}
