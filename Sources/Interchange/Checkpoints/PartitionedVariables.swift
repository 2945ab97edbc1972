internal import Dataflow

/// The Variables that TensorFlow's partitioners cut: "W/part_0", "W/part_1", …, which a checkpoint has as one tensor "W".
struct PartitionedVariables {
    private struct Part {
        /// "W".
        let whole: String
        let number: Int
        /// nil: not known.
        let extents: [Int]?
    }

    private let parts: [String: Part]
    /// The extents of the parts of each whole in order; none if one is missing or of an unknown shape.
    private let extents: [String: [[Int]]]

    /// - Parameter variables: all of the graph, with their shapes.
    init(_ variables: [(name: String, shape: Shape)]) {
        var parts: [String: Part] = [:]
        for variable in variables {
            guard let slash = variable.name.lastIndex(of: "/"), slash != variable.name.startIndex else { continue }
            let last = variable.name[slash...].dropFirst()
            guard last.hasPrefix("part_"), let number = Int(last.dropFirst(5)), number >= 0 else { continue }
            parts[variable.name] = Part(
                whole: String(variable.name[..<slash]), number: number,
                extents: variable.shape.isFullyDefined ? variable.shape.knownExtents : nil)
        }
        self.parts = parts
        extents = Dictionary(grouping: parts.values, by: \.whole).mapValues { parts in
            let sorted = parts.sorted { $0.number < $1.number }
            guard sorted.map(\.number) == Array(0..<sorted.count) else { return [] }
            let extents = sorted.compactMap(\.extents)
            return extents.count == sorted.count ? extents : []
        }
    }

    /// The tensors that a part, or a slot of a part, may lie in, each with the part whose place it has; the likeliest first.
    ///
    /// TensorFlow takes a slot's name less as many letters as the part's name and a slash have, and puts it behind the
    /// whole's: "W/part_0/Momentum" lies in "W/Momentum". In a variable scope the slot's name has the scope twice, and what
    /// is left is odd: "net/net/w/part_0/Momentum", a slot of "net/w/part_0", lies in "net/w/t_0/Momentum"
    /// (tensorflow/python/training/slot_creator.py).
    func candidates(for variable: String) -> [(tensor: String, part: String)] {
        if let part = parts[variable] { return [(part.whole, variable)] }
        let words = variable.split(separator: "/", omittingEmptySubsequences: false)
        var found: [(tensor: String, part: String)] = []
        for end in words.indices.dropLast() where words[end].hasPrefix("part_") {
            for start in words.indices where start < end {
                let name = words[start...end].joined(separator: "/")
                guard let part = parts[name] else { continue }
                found.append((part.whole + "/" + variable.utf8Dropping(name.utf8.count + 1), name))
            }
        }
        return found
    }

    /// A part's place in a tensor of the shape `whole`, nil if the parts do not make it up. Of slots with fewer dimensions
    /// than their Variables, those count that they have.
    func place(of part: String, in whole: Shape) -> CheckpointSlice? {
        guard let number = parts[part]?.number, let name = parts[part]?.whole, let all = extents[name], !all.isEmpty,
            all[0].count >= whole.knownExtents.count
        else { return nil }
        let shape = whole.knownExtents
        let axis = shape.indices.first { axis in
            all.reduce(0) { $0 + $1[axis] } == shape[axis]
                && all.allSatisfy { part in shape.indices.allSatisfy { $0 == axis || part[$0] == shape[$0] } }
        }
        guard let axis else {
            // What is left of the dimensions may be the same in all parts.
            return shape.count < all[0].count && all.allSatisfy({ $0.starts(with: shape) })
                ? CheckpointSlice(whole: shape) : nil
        }
        let start = all[..<number].reduce(0) { $0 + $1[axis] }
        return CheckpointSlice(shape, axis: axis, start..<start + all[number][axis])
    }
}

extension String {
    /// The text without its first bytes, as Python's `[n:]` of a name, which is ASCII.
    fileprivate func utf8Dropping(_ count: Int) -> String { String(decoding: utf8.dropFirst(count), as: UTF8.self) }
}
