internal import Foundation
internal import Schemas

/// Files that people give in place of a graph or a checkpoint.
enum ForeignFile {
    /// What the file is, in words, with what to do; nil if it is none of those known.
    static func description(_ bytes: [UInt8], path: String) -> String? {
        if bytes.isEmpty { return "is empty" }
        if let data = dataFile(path) {
            return "is a data file of a checkpoint, which has no graph: the graph is in \(data.prefix).meta if "
                + "tf.train.Saver wrote it; give the checkpoint as --checkpoint \(data.prefix)"
        }
        if let words = table(bytes, path: path) { return words }
        if isHDF5(bytes) {
            return "is an HDF5 file, as Keras writes (.h5), which is not read: load it in TensorFlow "
                + "(tf.keras.models.load_model), save it with model.export(\"folder\") or tf.saved_model.save, and "
                + "give that folder"
        }
        if bytes.starts(with: Array("PK\u{3}\u{4}".utf8)) { return archive(bytes) }
        if bytes.count >= 8, bytes[4..<8].elementsEqual(Array("TFL3".utf8)) {
            return "is a TensorFlow Lite model, which is not read: give the SavedModel or the GraphDef that it was "
                + "converted from"
        }
        if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) {
            return "is an array (.npy), not a graph: use --feed NAME=FILE"
        }
        if bytes.count > 8, bytes[8] == UInt8(ascii: "{"), bytes[4..<8].allSatisfy({ $0 == 0 }), bytes[3] < 16 {
            return "is a safetensors file, which holds tensors and no graph"
        }
        if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
            return "is a Python pickle (of PyTorch, perhaps), which is not read"
        }
        if isRecords(bytes) {
            return "is a TFRecord file (examples, or events for TensorBoard), which holds no graph to run"
        }
        return message(bytes) ?? text(bytes)
    }

    private static func isHDF5(_ bytes: [UInt8]) -> Bool {
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        // A block of the user's, of a power of two of bytes, may come first.
        return [0, 512, 1024, 2048].contains { $0 <= bytes.count && bytes[$0...].starts(with: signature) }
    }

    /// The prefix in "PREFIX.data-00000-of-00001".
    static func dataFile(_ path: String) -> (prefix: String, rest: Substring)? {
        guard let range = path.range(of: ".data-", options: .backwards) else { return nil }
        let rest = path[range.upperBound...]
        let parts = rest.components(separatedBy: "-of-")
        guard parts.count == 2, parts.allSatisfy({ $0.count == 5 && $0.allSatisfy(\.isNumber) }) else { return nil }
        return (String(path[..<range.lowerBound]), rest)
    }

    /// What a table is that a checkpoint of either format consists of.
    static func table(_ bytes: [UInt8], path: String) -> String? {
        guard SortedTable.hasMagic(bytes) else { return nil }
        guard let table = try? SortedTable(bytes, path: path), let header = table.entries.first, header.key.isEmpty
        else {
            return "is a table as checkpoints have, damaged or of another program"
        }
        // The header of format V1 is a message in a message, that of V2 begins with a number.
        if header.value.first == 0x0A { return version1 }
        let prefix = path.hasSuffix(".index") ? String(path.dropLast(6)) : path
        return "is the index of a checkpoint, which has no graph: the graph is in \(prefix).meta if tf.train.Saver "
            + "wrote it; give the checkpoint as --checkpoint \(prefix)"
    }

    static let version1 =
        "is a checkpoint of format V1, which is not read: in TensorFlow, restore it and save it again with "
        + "tf.compat.v1.train.Saver(write_version=tf.compat.v1.train.SaverDef.V2)"

    /// A zip archive, by the names in it.
    private static func archive(_ bytes: [UInt8]) -> String {
        func holds(_ name: String) -> Bool {
            let wanted = Data(name.utf8)
            return Data(bytes.prefix(1 << 16)).range(of: wanted) != nil
                || Data(bytes.suffix(1 << 16)).range(of: wanted) != nil
        }
        if holds("model.weights.h5") || (holds("config.json") && holds("metadata.json")) {
            return "is a Keras model (.keras), which is not read: load it in TensorFlow (tf.keras.models.load_model), "
                + "save it with model.export(\"folder\") or tf.saved_model.save, and give that folder"
        }
        if holds("data.pkl") { return "is a PyTorch file, which is not read: give a graph of TensorFlow" }
        if holds(".npy") { return "is an archive of arrays (.npz), which holds no graph" }
        if holds("saved_model.pb") { return "is a zip archive of a SavedModel: unpack it and give the folder" }
        return "is a zip archive, which holds no graph that is read"
    }

    /// The length of a record and its masked CRC-32C come first.
    private static func isRecords(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 16 else { return false }
        let crc = bytes.withUnsafeBytes { CRC32C.masked(UnsafeRawBufferPointer(rebasing: $0[0..<8])) }
        return bytes[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == crc
    }

    /// A message that begins with a number as SavedModel does, and goes on as that does not.
    private static func message(_ bytes: [UInt8]) -> String? {
        var scanner = FieldScanner(bytes, 0..<bytes.count)
        guard let first = scanner.next(), first.number == 1, !first.isMessage else { return nil }
        while let field = scanner.next() {
            switch (field.number, field.isMessage) {
            case (2, false): return "is the fingerprint of a SavedModel: give the model's folder"
            // ModelProto: the graph, and the sets of operators it uses.
            case (7, true), (8, true):
                return "is an ONNX model, which is not read: give the TensorFlow graph it was converted from"
            default: break
            }
        }
        return nil
    }

    /// Whether it is the file `checkpoint` of a folder, which names the newest one.
    static func isSavedNamesFile(_ bytes: [UInt8]) -> Bool {
        GraphFormat.isText(bytes)
            && String(decoding: bytes.prefix(64), as: UTF8.self).drop { $0.isWhitespace }
                .hasPrefix("model_checkpoint_path:")
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        guard GraphFormat.isText(bytes) else { return nil }
        let start = String(decoding: bytes.prefix(4096), as: UTF8.self).drop { $0.isWhitespace }
        if isSavedNamesFile(bytes) {
            return "names the checkpoints of a folder and holds no graph: give the .meta file of one of them"
        }
        if start.hasPrefix("{") || start.hasPrefix("[") { return "is JSON, which is no graph that is read" }
        if start.hasPrefix("version https://git-lfs") { return "is a pointer of Git LFS: fetch the file itself" }
        return nil
    }
}
