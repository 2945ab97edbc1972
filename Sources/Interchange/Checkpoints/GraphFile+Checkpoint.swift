internal import Dataflow

extension GraphFile {
    /// Names that only one of a graph and a checkpoint has.
    public struct Unmatched: Sendable, Equatable {
        /// Variables of the graph that keep the values they have, if any.
        public let variables: [String]
        /// Tensors of the checkpoint that no Variable takes.
        public let tensors: [String]
    }

    /// Gives the graph's Variables the values that a checkpoint has for them: under the names by which the graph's own saver
    /// reads them, else under the Variables' names. The parts "NAME/part_0", … of a partitioned Variable take theirs of the
    /// tensor "NAME".
    ///
    /// - Throws: `FormatError` listing all Variables whose dtype or shape is not that of the checkpoint's tensor, and then none
    ///   has changed; also if the checkpoint cannot be read.
    @discardableResult
    public func restore(_ checkpoint: TensorFlowCheckpoint) throws -> Unmatched {
        let known = Set(checkpoint.names)
        var (matched, missing, taken): ([(Vertex, Restored)], [String], Set<String>) = ([], [], [])
        let variables = graph.vertices.filter { $0.operation.isVariable }
        let parts = PartitionedVariables(variables)
        let saved = savedNames.sources
        var mistakes: [String] = []
        for variable in variables {
            let whole = parts.whole[variable.name]
            let source = saved[variable.name].flatMap { known.contains($0.name) ? $0 : nil }
            let isNamed = known.contains(variable.name) && (source == nil || !prefersSavedNames)
            guard let name = isNamed ? variable.name : source?.name ?? whole, known.contains(name) else {
                missing.append(variable.name)
                continue
            }
            taken.insert(name)
            let spec = try checkpoint.spec(named: name)
            let own = variable.variableSpec ?? TensorSpec(.resource, .unknown)
            let places: [PartitionedVariables.Place]?
            if isNamed || source?.part.isEmpty == true {
                places = own.shape == spec.shape ? [] : nil
            } else if let source {
                places = PartitionedVariables.places(source.part, own.shape, in: spec.shape)
            } else {
                places = parts.place(of: variable, in: spec.shape).map { [$0] }
            }
            if own.dtype == spec.dtype, let places {
                matched.append((variable, Restored(name: name, places: places)))
            } else {
                mistakes.append("'\(variable.name)' is \(own) in the graph, '\(name)' \(spec) in the checkpoint")
            }
        }
        guard mistakes.isEmpty else {
            throw FormatError(
                path: checkpoint.prefix, "does not fit the graph: \(mistakes.sorted().joined(separator: "; "))")
        }
        // The parts of one tensor lie beside each other in the list: it is read once.
        var last: (name: String, tensor: Tensor)?
        for (variable, source) in matched.sorted(by: { ($0.1.name, $0.0.id) < ($1.1.name, $1.0.id) }) {
            let tensor = last?.name == source.name ? last!.tensor : try checkpoint.tensor(named: source.name)
            last = (source.name, tensor)
            try assign(source.places.reduce(tensor) { PartitionedVariables.cut($0, $1) }, to: variable)
        }
        return Unmatched(variables: missing.sorted(), tensors: known.subtracting(taken).sorted())
    }

    /// Where a Variable's value comes from.
    private struct Restored {
        let name: String
        /// What is cut out of the tensor, dimension by dimension.
        let places: [PartitionedVariables.Place]
    }
}

/// The parts of Variables that TensorFlow's partitioners cut: "NAME/part_0", "NAME/part_1", ….
struct PartitionedVariables {
    /// Indices `range` of dimension `axis`.
    struct Place {
        let axis: Int
        let range: Range<Int>
    }

    /// "NAME" by "NAME/part_1".
    let whole: [String: String]
    /// The parts of each in order; empty if one is missing or of an unknown shape.
    private let parts: [String: [(name: String, extents: [Int])]]

    init(_ variables: [Vertex]) {
        var whole: [String: String] = [:]
        var found: [String: [Int: (name: String, extents: [Int])]] = [:]
        for variable in variables {
            let pieces = variable.name.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count > 1, let last = pieces.last, last.hasPrefix("part_"), let number = Int(last.dropFirst(5))
            else { continue }
            let name = pieces.dropLast().joined(separator: "/")
            whole[variable.name] = name
            guard let shape = variable.variableSpec?.shape, shape.isFullyDefined else { continue }
            found[name, default: [:]][number] = (variable.name, shape.concrete)
        }
        self.whole = whole
        parts = found.mapValues { parts in
            let order = (0..<parts.count).compactMap { parts[$0] }
            return order.count == parts.count ? order : []
        }
    }

    /// The part's place in the whole, nil if the parts do not make up `shape`.
    func place(of part: Vertex, in shape: Shape) -> Place? {
        guard let name = whole[part.name], let parts = parts[name], !parts.isEmpty else { return nil }
        let extents = shape.concrete
        guard parts.allSatisfy({ $0.extents.count == extents.count }) else { return nil }
        let axis = extents.indices.first { axis in
            parts.reduce(0, { $0 + $1.extents[axis] }) == extents[axis]
                && parts.allSatisfy { part in
                    extents.indices.allSatisfy { $0 == axis || part.extents[$0] == extents[$0] }
                }
        }
        guard let axis, let index = parts.firstIndex(where: { $0.name == part.name }) else { return nil }
        let start = parts[..<index].reduce(0) { $0 + $1.extents[axis] }
        return Place(axis: axis, range: start..<start + parts[index].extents[axis])
    }

    /// What a saver's slice cuts out of a tensor of the shape `whole`; nil if that does not yield `part`.
    static func places(_ extents: [SavedNames.Source.Extent], _ part: Shape, in whole: Shape) -> [Place]? {
        let (from, to) = (whole.concrete, part.isFullyDefined ? part.concrete : [])
        guard extents.count == from.count, to.count == from.count else { return nil }
        var places: [Place] = []
        for axis in from.indices {
            let extent = extents[axis]
            guard extent.length >= 0 else {
                if to[axis] != from[axis] { return nil }
                continue
            }
            guard extent.start >= 0, extent.start <= from[axis], extent.length <= from[axis] - extent.start,
                extent.length == to[axis]
            else { return nil }
            places.append(Place(axis: axis, range: extent.start..<extent.start + extent.length))
        }
        return places
    }

    static func cut(_ tensor: Tensor, _ place: Place) -> Tensor {
        let extents = tensor.shape.concrete
        var wanted = extents
        wanted[place.axis] = place.range.count
        let inner = extents[(place.axis + 1)...].reduce(tensor.dtype.size, *)
        let outer = extents[..<place.axis].reduce(1, *)
        return Tensor(dtype: tensor.dtype, shape: Shape(wanted)) { bytes in
            tensor.withUnsafeBytes { source in
                let (row, step) = (place.range.count * inner, extents[place.axis] * inner)
                for i in 0..<outer where row > 0 {
                    let start = i * step + place.range.lowerBound * inner
                    UnsafeMutableRawBufferPointer(rebasing: bytes[(i * row)..<(i + 1) * row]).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: source[start..<start + row]))
                }
            }
        }
    }
}
