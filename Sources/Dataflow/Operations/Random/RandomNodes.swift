extension Graph {
    /// Uniform numbers from [min, max), new ones in each run; TensorFlow's `tf.random.uniform`.
    ///
    /// - Parameters:
    ///   - shape: the extents, an int vector; or a fully defined `Shape`.
    ///   - dtype: float32 or float64.
    ///   - seed: TensorFlow's operation seed. Left out, it follows from the operation's name, so that a graph built again
    ///     draws the same numbers.
    public func randomUniform(
        shape: any Operand, min: Double = 0, max: Double = 1, dtype: DType = .float32, seed: Int? = nil,
        name: String = "random_uniform", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        random(RandomUniform.self, shape, (scale: max - min, offset: min), dtype, seed, name, file, line)
    }

    /// Uniform numbers from [min, max) of a fully defined shape.
    public func randomUniform(
        shape: Shape, min: Double = 0, max: Double = 1, dtype: DType = .float32, seed: Int? = nil,
        name: String = "random_uniform", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        random(RandomUniform.self, shape, (scale: max - min, offset: min), dtype, seed, name, file, line)
    }

    /// Normal numbers, new ones in each run; TensorFlow's `tf.random.normal`. The parameters as in `randomUniform`.
    public func randomNormal(
        shape: any Operand, mean: Double = 0, stddev: Double = 1, dtype: DType = .float32, seed: Int? = nil,
        name: String = "random_normal", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        random(RandomStandardNormal.self, shape, (scale: stddev, offset: mean), dtype, seed, name, file, line)
    }

    /// Normal numbers of a fully defined shape.
    public func randomNormal(
        shape: Shape, mean: Double = 0, stddev: Double = 1, dtype: DType = .float32, seed: Int? = nil,
        name: String = "random_normal", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        random(RandomStandardNormal.self, shape, (scale: stddev, offset: mean), dtype, seed, name, file, line)
    }

    /// Normal numbers; those beyond two standard deviations are drawn again. TensorFlow's
    /// `tf.random.truncated_normal`. The parameters as in `randomUniform`.
    public func truncatedNormal(
        shape: any Operand, mean: Double = 0, stddev: Double = 1, dtype: DType = .float32, seed: Int? = nil,
        name: String = "truncated_normal", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        random(TruncatedNormal.self, shape, (scale: stddev, offset: mean), dtype, seed, name, file, line)
    }

    /// Truncated normal numbers of a fully defined shape.
    public func truncatedNormal(
        shape: Shape, mean: Double = 0, stddev: Double = 1, dtype: DType = .float32, seed: Int? = nil,
        name: String = "truncated_normal", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        random(TruncatedNormal.self, shape, (scale: stddev, offset: mean), dtype, seed, name, file, line)
    }

    private func random(
        _ operation: any Operation.Type, _ shape: Shape, _ map: (scale: Double, offset: Double), _ dtype: DType,
        _ seed: Int?, _ name: String, _ file: StaticString, _ line: UInt
    ) -> Node {
        if !shape.isFullyDefined {
            record(
                GraphError("random numbers need a fully defined shape, got \(shape); give shape(x) of a node instead")
                    .at(name, SourceLocation(file: file, line: line)))
        }
        let extents = Tensor.small((shape.dimensions ?? []).map { $0 ?? 0 })
        return random(operation, constant(extents, file: file, line: line), map, dtype, seed, name, file, line)
    }

    private func random(
        _ operation: any Operation.Type, _ shape: any Operand, _ map: (scale: Double, offset: Double), _ dtype: DType,
        _ seed: Int?, _ name: String, _ file: StaticString, _ line: UInt
    ) -> Node {
        scope(name) {
            var attributes = seedAttributes(operation, seed)
            attributes.values["dtype"] = .type(dtype)
            var result = apply(operation, [shape], attributes, nil, file, line)
            guard DType.floats.contains(dtype) else { return result }
            if map.scale != 1 { result = result * map.scale }
            if map.offset != 0 { result = result + map.offset }
            return result
        }
    }

    /// The graph's seed, and the operation's: `seed`, or one that follows from the name that it will get.
    func seedAttributes(_ operation: any Operation.Type, _ seed: Int?, name: String? = nil) -> Attributes {
        // Bodies of functions may have operations of the same names.
        let place = (openBody ?? self).functionName.map { $0 + "/" } ?? ""
        let seed2 = seed ?? Graph.hash(place + fullName(name ?? operation.name))
        // Both 0 would mean in TensorFlow: seeds that differ from run to run.
        return ["seed": .int(self.seed), "seed2": .int(self.seed == 0 && seed2 == 0 ? 0x7FFF_FFFF : seed2)]
    }

    /// FNV-1a of a name in 31 bits, never 0.
    private static func hash(_ name: String) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return Swift.max(Int((hash ^ hash >> 32) & 0x7FFF_FFFF), 1)
    }
}
