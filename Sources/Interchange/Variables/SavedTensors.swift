package import Dataflow

/// Named tensors in files that Variables are restored from, each read when asked for.
package protocol SavedTensors {
    /// What errors call it.
    var path: String { get }
    /// The tensors' names, sorted.
    var names: [String] { get }

    /// A tensor's dtype and shape. Throws if there is none of this name, or its dtype is not known here.
    func spec(named name: String) throws -> TensorSpec
    /// Whether only the number of a tensor's elements is known, and its shape is that of a vector.
    func isFlat(_ name: String) -> Bool
    /// Whether a tensor was written in parts, so that one of them is read without the others.
    func isInParts(_ name: String) -> Bool
    func tensor(named name: String) throws -> Tensor
    /// A part of a tensor.
    func tensor(named name: String, part: CheckpointSlice) throws -> Tensor
}

extension SavedTensors {
    package func isFlat(_ name: String) -> Bool { false }
    package func isInParts(_ name: String) -> Bool { false }
    package func tensor(named name: String, part: CheckpointSlice) throws -> Tensor {
        part.part(of: try tensor(named: name))
    }
}

extension TensorFlowCheckpoint: SavedTensors {
    package var path: String { prefix }
}

extension SafetensorsFile: SavedTensors {
    package func spec(named name: String) throws -> TensorSpec {
        guard let dtype = dtype(named: name), let shape = shape(named: name) else {
            throw FormatError(path: path, "holds no tensor \(name)")
        }
        return TensorSpec(dtype, shape)
    }
}

extension NpzFile: SavedTensors {}
