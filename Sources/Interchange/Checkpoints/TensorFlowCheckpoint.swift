public import Dataflow
internal import Foundation
internal import Schemas
internal import SwiftProtobuf

/// A checkpoint of format V2, as `tf.train.Saver` writes it: `PREFIX.index` says what lies where in
/// `PREFIX.data-00000-of-00001`, …. Read on demand; several threads may read at once.
///
/// A partitioned Variable is one tensor under its own name. Checksums, sizes and offsets are checked; nothing that the
/// files say is trusted. Written by `TensorFlowCheckpointStore`.
public final class TensorFlowCheckpoint: Sendable {
    /// What stands before `.index` in the file's name.
    public let prefix: String
    /// The tensors' names, sorted.
    public let names: [String]

    let entries: [String: TFBundleEntryProto]
    /// The parts of partitioned Variables by `SliceKey`.
    let parts: [[UInt8]: TFBundleEntryProto]
    let shards: [InputFile]
    /// Bytes of all shards: no tensor has more.
    private let dataSize: Int
    private var index: String { prefix + ".index" }

    /// A part's place in the whole tensor.
    private typealias Box = (starts: [Int], lengths: [Int], key: [UInt8])

    /// Bytes of the largest index that is read.
    private static let indexLimit = 1 << 30

    /// Reads and checks the index.
    /// - Throws: `FormatError` naming the file that is missing, truncated or corrupt.
    public init(_ prefix: String) throws {
        let path = prefix + ".index"
        let table = try SortedTable(try Gzip.read(path, limit: Self.indexLimit), path: path)
        guard let first = table.entries.first, first.key.isEmpty else {
            throw FormatError(path: path, "is corrupt: it has no header")
        }
        let header: TFBundleHeaderProto = try Self.message(first.value, path: path, what: "the header")
        guard header.endianness == .little else {
            throw FormatError(path: path, "was written by a big-endian machine, which is not read")
        }
        guard header.version.minConsumer <= 1 else {
            throw FormatError(path: path, "asks for a reader of version \(header.version.minConsumer), this is 1")
        }
        guard (1...99_999).contains(header.numShards) else {
            throw FormatError(path: path, "is corrupt: it says that there are \(header.numShards) data files")
        }
        var entries: [String: TFBundleEntryProto] = [:]
        var parts: [[UInt8]: TFBundleEntryProto] = [:]
        for (key, value) in table.entries.dropFirst() {
            // Names begin with no zero byte, keys of parts do.
            if key.first == 0 {
                parts[key] = try Self.message(value, path: path, what: "a part of a Variable")
            } else if let name = String(validating: key, as: UTF8.self) {
                entries[name] = try Self.message(value, path: path, what: "'\(name)'")
            } else {
                throw FormatError(path: path, "is corrupt: a name in it is no UTF-8 text")
            }
        }
        self.prefix = prefix
        (self.entries, self.parts) = (entries, parts)
        names = entries.keys.sorted()
        shards = try (0..<header.numShards).map {
            try InputFile(path: prefix + String(format: ".data-%05d-of-%05d", $0, header.numShards))
        }
        dataSize = shards.reduce(0) { $0 + $1.size }
    }

    private static func message<Message: SwiftProtobuf.Message>(
        _ bytes: ArraySlice<UInt8>, path: String, what: String
    ) throws -> Message {
        do { return try Message(serializedBytes: Array(bytes)) } catch {
            throw FormatError(path: path, "is corrupt: \(what) cannot be read")
        }
    }

    /// A tensor's dtype and shape. Throws `FormatError` if there is none of this name, or its dtype is not known here.
    public func spec(named name: String) throws -> TensorSpec { try spec(entry(name), name) }

    private func entry(_ name: String) throws -> TFBundleEntryProto {
        guard let entry = entries[name] else { throw FormatError(path: index, "holds no tensor '\(name)'") }
        return entry
    }

    private func spec(_ entry: TFBundleEntryProto, _ name: String) throws -> TensorSpec {
        do {
            let spec = TensorSpec(try DType(entry.dtype), try Shape(entry.shape))
            guard spec.shape.isFullyDefined, ![.resource, .variant].contains(spec.dtype) else {
                throw GraphError("it is \(spec), which is not read")
            }
            return spec
        } catch { throw FormatError(path: index, "the tensor '\(name)': \(error)") }
    }

    /// Reads a tensor.
    /// - Throws: `FormatError` if there is none of this name, it is of a dtype that is not known here, a file is truncated, or
    ///   the checksum does not fit.
    public func tensor(named name: String) throws -> Tensor {
        let entry = try entry(name)
        let spec = try spec(entry, name)
        let bytes = (spec.shape.elementCount ?? .max).multipliedReportingOverflow(by: spec.dtype.size)
        // A string takes a byte at least.
        guard !bytes.overflow, bytes.partialValue / (spec.dtype == .string ? 8 : 1) <= dataSize else {
            throw FormatError(
                path: index, "is corrupt: '\(name)' would be \(spec), the data files have \(dataSize) bytes")
        }
        if spec.dtype == .string { return try readStrings(entry, spec, name) }
        let tensor =
            entry.slices.isEmpty
            ? try read(entry, spec, name, bytes.partialValue) : try assemble(entry, spec, name, bytes.partialValue)
        return tensor
    }

    /// Reads a part of a tensor.
    /// - Throws: as the other; also if the tensor in the checkpoint has not the shape that the part is to be one of.
    func tensor(named name: String, part: CheckpointSlice) throws -> Tensor {
        let entry = try entry(name)
        let spec = try spec(entry, name)
        guard spec.shape == Shape(part.shape), spec.dtype != .string else {
            throw FormatError(
                path: index, "holds '\(name)' as \(spec), which has no part of a tensor of shape \(Shape(part.shape))")
        }
        // Mostly it was written so.
        let (key, own) = (SliceKey.encode(name, part.extents), part.partShape)
        if !part.isWhole, !entry.slices.isEmpty, let stored = parts[key], let count = own.elementCount {
            let bytes = count.multipliedReportingOverflow(by: spec.dtype.size)
            if try self.spec(stored, name) == TensorSpec(spec.dtype, own), !bytes.overflow,
                bytes.partialValue <= dataSize
            {
                return try read(stored, TensorSpec(spec.dtype, own), name, bytes.partialValue)
            }
        }
        return part.part(of: try tensor(named: name))
    }

    /// The lengths of strings, seven bits a byte; a checksum of these; the strings one after another.
    private func readStrings(_ entry: TFBundleEntryProto, _ spec: TensorSpec, _ name: String) throws -> Tensor {
        guard entry.slices.isEmpty else {
            throw FormatError(path: index, "holds '\(name)' in parts of strings, which are not read")
        }
        guard entry.size >= 4, entry.offset >= 0, shards.indices.contains(Int(entry.shardID)),
            let count = spec.shape.elementCount, count <= entry.size
        else { throw FormatError(path: index, "is corrupt: '\(name)' is \(spec), the entry says \(entry.size) bytes") }
        let shard = shards[Int(entry.shardID)]
        guard entry.offset <= shard.size, entry.size <= shard.size - Int(entry.offset) else {
            throw FormatError(path: shard.path, "is truncated: '\(name)' takes \(entry.size) bytes at \(entry.offset)")
        }
        let corrupt = FormatError(
            path: shard.path, "is corrupt: the strings of '\(name)' do not fit their lengths or checksums")
        let bytes = try shard.bytes(at: Int(entry.offset), count: Int(entry.size))
        var (rest, lengths): (ArraySlice<UInt8>, [Int]) = (bytes[...], [])
        for _ in 0..<count {
            var (length, shift) = (0, 0)
            while true {
                guard let byte = rest.popFirst(), shift < 56 else { throw corrupt }
                length |= Int(byte & 0x7F) << shift
                shift += 7
                if byte & 0x80 == 0 { break }
            }
            guard length <= bytes.count else { throw corrupt }
            lengths.append(length)
        }
        guard rest.count >= 4, lengths.reduce(4, +) == rest.count else { throw corrupt }
        guard StringBundle.checksum(lengths, rest.dropFirst(4)) == entry.crc32C else { throw corrupt }
        rest = rest.dropFirst(4)
        let strings = lengths.map { length -> [UInt8] in
            defer { rest = rest.dropFirst(length) }
            return Array(rest.prefix(length))
        }
        return Tensor(strings: strings, shape: spec.shape)
    }

    private func read(_ entry: TFBundleEntryProto, _ spec: TensorSpec, _ name: String, _ count: Int) throws -> Tensor {
        guard entry.size == count, entry.offset >= 0, shards.indices.contains(Int(entry.shardID)) else {
            throw FormatError(
                path: index,
                "is corrupt: '\(name)' is \(spec), \(count) bytes; the entry says \(entry.size) at \(entry.offset)")
        }
        let shard = shards[Int(entry.shardID)]
        guard Int(entry.offset) <= shard.size - count else {
            throw FormatError(
                path: shard.path,
                "is truncated: '\(name)' takes \(count) bytes at \(entry.offset), it has \(shard.size)")
        }
        return try Tensor(dtype: spec.dtype, shape: spec.shape) { bytes in
            try shard.read(at: Int(entry.offset), into: bytes)
            guard CRC32C.masked(UnsafeRawBufferPointer(bytes)) == entry.crc32C else {
                throw FormatError(path: shard.path, "is corrupt: the checksum of '\(name)' does not fit")
            }
            // Any other byte than 0 and 1 is no Bool in Swift.
            if spec.dtype == .bool { for i in bytes.indices where bytes[i] > 1 { bytes[i] = 1 } }
        }
    }

    // MARK: Partitioned Variables

    /// The whole of what was written in parts.
    private func assemble(
        _ entry: TFBundleEntryProto, _ spec: TensorSpec, _ name: String, _ count: Int
    ) throws -> Tensor {
        let boxes = try entry.slices.map { try box($0, spec, name) }
        var (filled, covered) = (0, [Bool](repeating: false, count: count / spec.dtype.size))
        let tensor = Tensor.zeros(spec.dtype, spec.shape)
        for box in boxes {
            let shape = Shape(box.lengths)
            guard let part = parts[box.key] else {
                throw FormatError(path: index, "is corrupt: it lacks the part \(box.starts) of '\(name)'")
            }
            guard try self.spec(part, name) == TensorSpec(spec.dtype, shape), let size = shape.elementCount else {
                throw FormatError(
                    path: index, "is corrupt: a part of '\(name)' has another dtype or shape than its place")
            }
            let value = try read(part, TensorSpec(spec.dtype, shape), name, size * spec.dtype.size)
            filled += copy(value, box, into: tensor, &covered)
        }
        guard filled == covered.count else {
            throw FormatError(
                path: index, "is corrupt: the parts of '\(name)' fill \(filled) of its \(covered.count) elements")
        }
        return tensor
    }

    private func box(_ slice: TFTensorSliceProto, _ spec: TensorSpec, _ name: String) throws -> Box {
        let extents = spec.shape.concrete
        var (starts, lengths): ([Int], [Int]) = ([], [])
        // A dimension that is taken whole is written as such.
        var written: [(start: Int, length: Int)] = []
        for (extent, size) in zip(slice.extent, extents) {
            let (start, isWhole) = (Int(extent.start), extent.hasLength_p == nil)
            let length = isWhole ? size : Int(extent.length)
            guard start >= 0, start <= size, length >= 0, length <= size - start else { break }
            starts.append(start)
            lengths.append(length)
            written.append(isWhole ? (0, -1) : (start, length))
        }
        guard slice.extent.count == extents.count, lengths.count == extents.count else {
            throw FormatError(path: index, "is corrupt: a part of '\(name)' does not lie in \(spec.shape)")
        }
        return (starts, lengths, SliceKey.encode(name, written))
    }

    /// Copies a part row by row. Returns how many elements it is the first to fill.
    private func copy(_ part: Tensor, _ box: Box, into whole: Tensor, _ covered: inout [Bool]) -> Int {
        guard part.elementCount > 0 else { return 0 }
        let (size, strides) = (whole.dtype.size, whole.shape.strides)
        let row = box.lengths.last ?? 1
        var (filled, place) = (0, [Int](repeating: 0, count: max(box.lengths.count - 1, 0)))
        for number in 0..<part.elementCount / row {
            var start = box.starts.last ?? 0
            for dimension in place.indices { start += (box.starts[dimension] + place[dimension]) * strides[dimension] }
            part.withUnsafeBytes { bytes in
                (whole.storage.pointer + start * size).copyMemory(
                    from: bytes.baseAddress! + number * row * size, byteCount: row * size)
            }
            for i in start..<start + row where !covered[i] {
                covered[i] = true
                filled += 1
            }
            for dimension in place.indices.reversed() {
                place[dimension] += 1
                if place[dimension] < box.lengths[dimension] { break }
                place[dimension] = 0
            }
        }
        return filled
    }
}
