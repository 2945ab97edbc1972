internal import Dataflow
internal import Messaging

/// Where a worker's values and gradients lie: each Variable whole, then each pushed node. The session computes straight out
/// of and into this memory, and servers of this machine may share it.
///
/// A pipelined worker has two buffers for its values: it computes with those in one while answers bring the next ones to the
/// other, and turns from one to the other.
final class ExchangeMemory {
    private let base: UnsafeMutableRawPointer
    private let owner: AnyObject
    /// What servers may map; nil where there is none.
    let shared: SharedMemory?
    /// The Variables that servers send.
    private let variables: [Vertex]
    /// Where each Variable lies by its name, in bytes, in the first buffer and the second, if there is one.
    private let values: [[String: Int]]
    /// The buffer that the session computes with: 0 or 1.
    private(set) var buffer = 0
    /// All of a buffer's values.
    private let bufferBytes: Int
    /// By buffer, the memory of each Variable.
    private var storages: [[TensorStorage]] = []
    private let nodes: [Node: Int]
    private let cut: TrainingCut

    /// - Parameters:
    ///   - buffers: for values, 1 or 2.
    ///   - isShared: whether servers of this machine are to be offered it.
    ///   - onEvent: told if there is no memory to share.
    init(_ cut: TrainingCut, buffers: Int, isShared: Bool, onEvent: (String) -> Void) {
        self.cut = cut
        var end = 0
        func reserve(_ bytes: Int) -> Int {
            defer { end += (bytes + 63) & ~63 }
            return end
        }
        let variables = cut.writes.flatMap(\.readable)
        self.variables = variables
        values = (0..<buffers).map { _ in
            variables.reduce(into: [:]) { $0[$1.name] = reserve(ExchangeMemory.size($1.variableSpec!)) }
        }
        bufferBytes = end / buffers
        var nodes: [Node: Int] = [:]
        for write in cut.writes {
            // A node that goes to several Variables is computed once.
            for (key, node) in write.pushed.sorted(by: { $0.key < $1.key }) where nodes[node] == nil {
                nodes[node] = reserve(write.pushedBytes(key))
            }
        }
        self.nodes = nodes
        var shared: SharedMemory?
        if isShared {
            do { shared = try SharedMemory(count: max(end, 64)) } catch {
                onEvent("there is no memory to share with servers (\(error)): sockets carry the bytes")
            }
        }
        self.shared = shared
        if let shared {
            (base, owner) = (shared.bytes.baseAddress!, shared)
        } else {
            let storage = TensorStorage(byteCount: max(end, 64))
            (base, owner) = (storage.pointer, storage)
        }
        storages = values.map { offsets in
            variables.map { variable in
                TensorStorage(
                    pointer: base + offsets[variable.name]!, byteCount: ExchangeMemory.size(variable.variableSpec!),
                    owner: owner)
            }
        }
    }

    private static func size(_ spec: TensorSpec) -> Int { (spec.shape.elementCount ?? 0) * spec.dtype.size }

    /// Has the session keep the Variables here.
    func bind(_ session: Session) throws {
        for (variable, storage) in zip(variables, storages[buffer]) { try session.bind(variable, to: storage) }
    }

    /// Where what is pushed is to be computed.
    var destinations: [Node: Tensor] {
        var result: [Node: Tensor] = [:]
        for write in cut.writes {
            for (key, node) in write.pushed {
                let bytes = write.pushedBytes(key)
                result[node] = Tensor(
                    dtype: node.dtype, shape: [bytes / node.dtype.size],
                    storage: TensorStorage(pointer: base + nodes[node]!, byteCount: bytes, owner: owner))
            }
        }
        return result
    }

    /// Has the session compute with the values of the other buffer.
    func turn(_ session: Session) throws {
        buffer = 1 - buffer
        try bind(session)
    }

    /// Brings the values to the other buffer too.
    func copyToOtherBuffer() {
        (base + (1 - buffer) * bufferBytes).copyMemory(from: base + buffer * bufferBytes, byteCount: bufferBytes)
    }

    private func start(of block: Block, in buffer: Int) -> Int {
        values[buffer][block.variable]! + block.offset * block.dtype.size
    }

    private func start(of push: Shard.Push, _ shard: Shard) -> Int {
        nodes[cut.writes[shard.blocks[push.block].write].pushed[push.input]!]! + push.start
    }

    /// The offer of memory for a shard; nil where nothing is shared.
    func offer(_ shard: Shard) -> SharedBufferOffer? {
        shared.map { shared in
            SharedBufferOffer(
                memory: shared.offer,
                values: values.indices.map { buffer in shard.blocks.map { start(of: $0, in: buffer) } },
                pushes: shard.pushes.map { start(of: $0, shard) })
        }
    }

    /// The first of a shard's gradients that is not finite: its Variable, and what it holds.
    func notFiniteGradient(_ shard: Shard) -> NotFiniteNumbers? {
        for push in shard.pushes {
            let write = cut.writes[shard.blocks[push.block].write]
            let bytes = UnsafeRawBufferPointer(start: base + start(of: push, shard), count: push.bytes)
            if let value = Finiteness.first(in: bytes, write.pushed[push.input]!.dtype) {
                return NotFiniteNumbers(variable: write.variable.name, value: value)
            }
        }
        return nil
    }

    /// The first Variable whose values are not finite, of those that the session computes with.
    func notFiniteVariable() -> NotFiniteNumbers? {
        for variable in variables {
            guard let spec = variable.variableSpec, let start = values[buffer][variable.name] else { continue }
            let bytes = UnsafeRawBufferPointer(start: base + start, count: ExchangeMemory.size(spec))
            if let value = Finiteness.first(in: bytes, spec.dtype) {
                return NotFiniteNumbers(variable: variable.name, value: value)
            }
        }
        return nil
    }

    /// Copies a shard's gradients to where a push has them.
    func copyGradients(_ shard: Shard, to bytes: UnsafeMutableRawPointer) {
        for push in shard.pushes {
            (bytes + push.offset).copyMemory(from: base + start(of: push, shard), byteCount: push.bytes)
        }
    }

    /// Copies a shard's values from an answer to a buffer.
    func copyValues(_ shard: Shard, from bytes: UnsafeRawPointer, to buffer: Int) {
        for (block, offset) in zip(shard.blocks, shard.valueOffsets) {
            (base + start(of: block, in: buffer)).copyMemory(from: bytes + offset, byteCount: block.bytes)
        }
    }

    /// A shard's gradients as its server reads encoded ones: each behind its coding and size.
    func encodeGradients(_ shard: Shard, with encoder: inout GradientEncoder) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, push) in shard.pushes.enumerated() {
            let head = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: 8))
            let source = UnsafeRawBufferPointer(start: base + start(of: push, shard), count: push.bytes)
            var coding = GradientCoding.plain
            let write = cut.writes[shard.blocks[push.block].write]
            // What is pushed for rows tells which rows it is about: it goes as it is.
            if write.rows.isEmpty, write.pushed[push.input]!.dtype == .float32 {
                coding = encoder.encode(
                    .init(shard: shard.number, push: index), source.assumingMemoryBound(to: Float.self), to: &bytes)
            } else {
                bytes.append(contentsOf: source)
            }
            bytes.withUnsafeMutableBytes { bytes in
                bytes.storeBytes(of: coding.rawValue.littleEndian, toByteOffset: head, as: UInt32.self)
                bytes.storeBytes(
                    of: UInt32(bytes.count - head - 8).littleEndian, toByteOffset: head + 4, as: UInt32.self)
            }
        }
        return bytes
    }

    /// The bytes of a shard's values with float32 as bfloat16.
    func halfBytes(_ shard: Shard) -> Int { shard.blocks.reduce(0) { $0 + HalfValues.size($1.bytes, $1.dtype) } }

    /// Takes a shard's values, float32 as bfloat16, from an answer to a buffer.
    func readHalfValues(_ shard: Shard, from bytes: UnsafeRawPointer, to buffer: Int) {
        var offset = 0
        for block in shard.blocks {
            HalfValues.read(bytes + offset, block.dtype, bytes: block.bytes, to: base + start(of: block, in: buffer))
            offset += HalfValues.size(block.bytes, block.dtype)
        }
    }

    /// Makes all gradients zeros.
    func clearGradients() {
        for tensor in destinations.values {
            tensor.storage.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: tensor.byteCount)
        }
    }
}

/// Numbers that are not finite: the Variable that has them, and the first of them as "NaN", "inf" or "-inf".
struct NotFiniteNumbers {
    let variable: String
    let value: String
}
