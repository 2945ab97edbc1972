/// `SaveV2`: writes tensors as a checkpoint, each under its name; what `tf.train.Saver.save` runs.
///
/// `shape_and_slices` has an empty text for each whole tensor, or says which part of a larger one it is.
public enum SaveV2: StringOperation {
    public static let signature = Signature(
        ["prefix": "string", "tensor_names": "string", "shape_and_slices": "string", "tensors": "list dtypes"], to: [:])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = node.inputs.count - 3
        for i in 1...2 {
            guard node.shape(i).isCompatible(with: [count]) else {
                throw GraphError(
                    "'\(signature.inputs[i].name)' must have a text for each of \(count) tensors, got the shape \(node.shape(i))"
                )
            }
        }
        return []
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (prefix, keys) = try (call.text(0, "the prefix"), call.checkpointKeys())
        guard keys.count == call.inputs.count - 3 else {
            throw GraphError("there are \(keys.count) names for \(call.inputs.count - 3) tensors")
        }
        var parts: [CheckpointPart] = []
        for (key, tensor) in zip(keys, call.inputs.dropFirst(3)) {
            guard ![.resource, .variant].contains(tensor.dtype) else {
                throw GraphError("'\(key.name)' is a \(tensor.dtype), which cannot be saved")
            }
            if let slice = key.slice, slice.partShape != tensor.shape {
                throw GraphError(
                    "'\(key.name)' has the shape \(tensor.shape), its place says that it is \(slice.partShape)")
            }
            parts.append(CheckpointPart(key, tensor))
        }
        try call.checkpoints(isOutput: true) { try $0.write(parts, to: prefix) }
        return []
    }
}

/// `RestoreV2`: tensors of a checkpoint by their names; what `tf.train.Saver.restore` runs.
public enum RestoreV2: StringOperation {
    public static let signature = Signature(
        ["prefix": "string", "tensor_names": "string", "shape_and_slices": "string"], to: ["tensors": "list dtypes"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let dtypes = try node.attributes.types("dtypes")
        for i in 1...2 {
            guard node.shape(i).isCompatible(with: [dtypes.count]) else {
                throw GraphError(
                    "'\(signature.inputs[i].name)' must have a text for each of \(dtypes.count) tensors, got the shape \(node.shape(i))"
                )
            }
        }
        // The files say what the shapes are.
        return dtypes.map { _ in .unknown }
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (prefix, keys) = try (call.text(0, "the prefix"), call.checkpointKeys())
        let dtypes = try call.attributes.types("dtypes")
        guard keys.count == dtypes.count else {
            throw GraphError("there are \(keys.count) names for \(dtypes.count) tensors")
        }
        let tensors = try call.checkpoints { try $0.read(keys, from: prefix) }
        for (key, (tensor, dtype)) in zip(keys, zip(tensors, dtypes)) where tensor.dtype != dtype {
            throw GraphError("'\(key.name)' is \(tensor.dtype) in the checkpoint '\(prefix)', \(dtype) is asked for")
        }
        return tensors
    }
}

/// `MergeV2Checkpoints`: makes one checkpoint of those that shards have written.
public enum MergeV2Checkpoints: StringOperation {
    public static let signature = Signature(
        ["checkpoint_prefixes": "string", "destination_prefix": "string"], to: [:],
        defaults: ["delete_old_dirs": .bool(true), "allow_missing_files": .bool(false)])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(0).rank ?? 1 == 1 else {
            throw GraphError("'checkpoint_prefixes' must be a vector, got the shape \(node.shape(0))")
        }
        return []
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let prefix = try call.text(1, "the prefix")
        let (deletes, allows) = try (
            call.attributes.bool("delete_old_dirs"), call.attributes.bool("allow_missing_files")
        )
        let parts = call.inputs[0].knownTexts
        try call.checkpoints(isOutput: true) {
            try $0.merge(parts, into: prefix, deletingFolders: deletes, allowingMissing: allows)
        }
        return []
    }
}

extension DynamicCall {
    /// What inputs 1 and 2 name: tensors, and their parts.
    fileprivate func checkpointKeys() throws -> [CheckpointKey] {
        let (names, slices) = (inputs[1].knownTexts, inputs[2].knownTexts)
        guard names.count == slices.count else {
            throw GraphError("there are \(names.count) names and \(slices.count) places of parts")
        }
        return try zip(names, slices).map { name, slice in
            guard !name.isEmpty else { throw GraphError("a tensor in a checkpoint must have a name") }
            return CheckpointKey(name, slice: slice.isEmpty ? nil : try CheckpointSlice(slice))
        }
    }

    /// What the session's checkpoint store does.
    ///
    /// - Parameter isOutput: whether it writes.
    fileprivate func checkpoints<Result>(
        isOutput: Bool = false, _ body: (any CheckpointStore) throws -> Result
    ) throws -> Result {
        guard let store = functions.options.checkpoints else {
            throw GraphError("this session has nowhere to keep checkpoints: give SessionOptions a CheckpointStore")
        }
        do { return try body(store) } catch let error as GraphError { throw error } catch {
            throw GraphError("\(error)", isOutput: isOutput)
        }
    }
}
