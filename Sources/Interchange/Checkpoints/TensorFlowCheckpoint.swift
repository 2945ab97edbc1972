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
        // A string takes a byte at least.
        guard let bytes = spec.byteCount, bytes / (spec.dtype == .string ? 8 : 1) <= dataSize else {
            throw FormatError(
                path: index, "is corrupt: '\(name)' would be \(spec), the data files have \(dataSize) bytes")
        }
        if spec.dtype == .string { return try readStrings(entry, spec, name) }
        guard entry.slices.isEmpty else { return try assemble(entry, spec, name, nil) }
        return try read(entry, spec, name, bytes)
    }

    /// Reads a part of a tensor. Of what was written in parts it reads only those that it needs.
    /// - Throws: as the other; also if the tensor in the checkpoint has not the shape that the part is to be one of.
    package func tensor(named name: String, part: CheckpointSlice) throws -> Tensor {
        let entry = try entry(name)
        let spec = try spec(entry, name)
        guard spec.shape == Shape(part.shape), spec.dtype != .string else {
            throw FormatError(
                path: index, "holds '\(name)' as \(spec), which has no part of a tensor of shape \(Shape(part.shape))")
        }
        guard entry.slices.isEmpty else { return try assemble(entry, spec, name, part) }
        return part.part(of: try tensor(named: name))
    }

    /// Whether a tensor was written in parts, as a partitioned Variable is.
    package func isInParts(_ name: String) -> Bool { entries[name]?.slices.isEmpty == false }

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
        return Tensor(strings: strings, sized: spec.shape)
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
        return try Tensor(dtype: spec.dtype, sized: spec.shape) { bytes in
            try shard.read(at: Int(entry.offset), into: bytes)
            guard CRC32C.masked(UnsafeRawBufferPointer(bytes)) == entry.crc32C else {
                throw FormatError(path: shard.path, "is corrupt: the checksum of '\(name)' does not fit")
            }
            // Any other byte than 0 and 1 is no Bool in Swift.
            if spec.dtype == .bool { for i in bytes.indices where bytes[i] > 1 { bytes[i] = 1 } }
        }
    }

    // MARK: Partitioned Variables

    /// What was written in parts: the whole, or a part that need not be one of those.
    private func assemble(
        _ entry: TFBundleEntryProto, _ spec: TensorSpec, _ name: String, _ wanted: CheckpointSlice?
    ) throws -> Tensor {
        let shape = wanted?.partShape ?? spec.shape
        let starts = wanted?.ranges.map { $0?.lowerBound ?? 0 } ?? spec.shape.knownExtents.map { _ in 0 }
        guard let bytes = TensorSpec(spec.dtype, shape).byteCount, bytes <= dataSize else {
            throw FormatError(
                path: index, "is corrupt: '\(name)' would be \(spec), the data files have \(dataSize) bytes")
        }
        let boxes = try entry.slices.map { try box($0, spec, name) }
        if let own = boxes.first(where: { $0.starts == starts && $0.lengths == shape.knownExtents }) {
            return try part(own, spec, name)
        }
        var (filled, covered) = (0, [Bool](repeating: false, count: bytes / spec.dtype.size))
        let tensor = Tensor.zeros(spec.dtype, sized: shape)
        for box in boxes {
            guard let overlap = Overlap(box, starts, shape.knownExtents) else { continue }
            filled += copy(try part(box, spec, name), overlap, into: tensor, &covered)
        }
        guard filled == covered.count else {
            throw FormatError(
                path: index, "is corrupt: the parts of '\(name)' fill \(filled) of \(covered.count) elements")
        }
        return tensor
    }

    private func part(_ box: Box, _ spec: TensorSpec, _ name: String) throws -> Tensor {
        let shape = Shape(box.lengths)
        guard let part = parts[box.key] else {
            throw FormatError(path: index, "is corrupt: it lacks the part \(box.starts) of '\(name)'")
        }
        guard try self.spec(part, name) == TensorSpec(spec.dtype, shape), let count = shape.elementCount else {
            throw FormatError(
                path: index, "is corrupt: a part of '\(name)' has another dtype or shape than its place")
        }
        return try read(part, TensorSpec(spec.dtype, shape), name, count * spec.dtype.size)
    }

    /// What a stored part and a wanted one have in common.
    private struct Overlap {
        /// Where it starts in the stored and in the wanted one.
        let from: [Int]
        let to: [Int]
        let lengths: [Int]

        /// nil: nothing.
        init?(_ box: Box, _ starts: [Int], _ extents: [Int]) {
            let lower = zip(box.starts, starts).map { max($0, $1) }
            let ends = zip(zip(box.starts, box.lengths), zip(starts, extents)).map { min($0.0 + $0.1, $1.0 + $1.1) }
            lengths = zip(lower, ends).map { $1 - $0 }
            guard lengths.allSatisfy({ $0 > 0 }) else { return nil }
            from = zip(lower, box.starts).map { $0 - $1 }
            to = zip(lower, starts).map { $0 - $1 }
        }
    }

    private func box(_ slice: TFTensorSliceProto, _ spec: TensorSpec, _ name: String) throws -> Box {
        let extents = spec.shape.knownExtents
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

    /// Copies row by row. Returns how many elements it is the first to fill.
    private func copy(_ part: Tensor, _ overlap: Overlap, into target: Tensor, _ covered: inout [Bool]) -> Int {
        let (size, lengths) = (target.dtype.size, overlap.lengths)
        let (source, strides) = (part.shape.strides, target.shape.strides)
        let row = lengths.last ?? 1
        var (filled, place) = (0, [Int](repeating: 0, count: max(lengths.count - 1, 0)))
        for _ in 0..<lengths.reduce(1, *) / row {
            var (from, to) = (overlap.from.last ?? 0, overlap.to.last ?? 0)
            for dimension in place.indices {
                from += (overlap.from[dimension] + place[dimension]) * source[dimension]
                to += (overlap.to[dimension] + place[dimension]) * strides[dimension]
            }
            part.withUnsafeBytes { bytes in
                (target.storage.pointer + to * size).copyMemory(
                    from: bytes.baseAddress! + from * size, byteCount: row * size)
            }
            for i in to..<to + row where !covered[i] {
                covered[i] = true
                filled += 1
            }
            for dimension in place.indices.reversed() {
                place[dimension] += 1
                if place[dimension] < lengths[dimension] { break }
                place[dimension] = 0
            }
        }
        return filled
    }
}
