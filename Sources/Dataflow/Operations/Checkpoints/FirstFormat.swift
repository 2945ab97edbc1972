/// The operations of a checkpoint's first format, V1, which TensorFlow itself gave up in 2016. They can be in a graph; to run
/// one throws.
protocol FirstCheckpointFormat: StringOperation {}

extension FirstCheckpointFormat {
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        throw GraphError(
            "checkpoints of format V1 are neither written nor read; build the graph with "
                + "tf.train.Saver(write_version=tf.train.SaverDef.V2)")
    }
}

/// `Save`: writes a checkpoint of format V1, which is refused.
public enum Save: FirstCheckpointFormat {
    public static let signature = Signature(
        ["filename": "string", "tensor_names": "string", "data": "list T"], to: [:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
}

/// `SaveSlices`: writes parts of tensors as a checkpoint of format V1, which is refused.
public enum SaveSlices: FirstCheckpointFormat {
    public static let signature = Signature(
        ["filename": "string", "tensor_names": "string", "shapes_and_slices": "string", "data": "list T"], to: [:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
}

/// `Restore`: a tensor of a checkpoint of format V1, which is refused.
public enum Restore: FirstCheckpointFormat {
    public static let signature = Signature(
        ["file_pattern": "string", "tensor_name": "string"], to: ["tensor": "dt"], types: ["dt": DType.any],
        defaults: ["preferred_shard": .int(-1)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [.unknown] }
}

/// `RestoreSlice`: a part of a tensor of a checkpoint of format V1, which is refused.
public enum RestoreSlice: FirstCheckpointFormat {
    public static let signature = Signature(
        ["file_pattern": "string", "tensor_name": "string", "shape_and_slice": "string"], to: ["tensor": "dt"],
        types: ["dt": DType.any], defaults: ["preferred_shard": .int(-1)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [.unknown] }
}
