package import Dataflow
internal import Foundation
internal import Interchange
internal import Messaging

/// One shard's values on its server: a session that holds its blocks and applies pushes.
package final class ShardStore {
    let program: WireServerProgram.Shard
    let number: Int
    /// Its blocks, by which it is known in another run.
    let blockNames: String
    private let graph: Graph
    private let session: Session
    private let train: Node
    private let placeholders: [Placeholder]
    private let blocks: [(vertex: Vertex, offset: Int, bytes: Int)]
    let valueBytes: Int
    let pushBytes: Int
    /// Updates that the values have.
    private var updates: Int
    /// Whether an update has changed a floating number of what workers read.
    private(set) var hasChanged = false
    /// What a checkpoint calls those of its values that were not finite to begin with.
    private(set) var infinite: Set<String> = []
    /// What stands for a pushed gradient in the graph, and where it lies in a push.
    private struct Placeholder {
        let node: Node
        let offset: Int
        let bytes: Int
        let weighting: WireServerProgram.Weighting

        /// By what a worker's part is multiplied.
        func weight(_ share: Double) -> Double {
            switch weighting {
            case .sum: 1
            case .squares: share * share
            default: share
            }
        }

        /// Its numbers, if they are float32.
        var floats: Int { node.dtype == .float32 ? bytes / 4 : 0 }
    }

    /// Where gradients are decoded that come in another form than they are computed with.
    private lazy var decoded = TensorStorage(byteCount: pushBytes)

    /// - Parameter updates: that its first values have.
    /// - Throws: `GraphError` for a broken graph, `NodeError` for a program whose sizes and places do not fit its graph.
    package init(
        _ program: WireServerProgram.Shard, updates: Int = 0, options: SessionOptions
    ) throws {
        self.program = program
        number = Int(program.number)
        blockNames = ShardStore.blockNames(program)
        self.updates = updates
        let graph = try GraphDefinition.decode([UInt8](program.graph))
        self.graph = graph
        session = try Session(graph, options: options)
        train = try graph.node(named: program.train)
        placeholders = try program.pushes.map { push in
            Placeholder(
                node: try graph.node(named: push.placeholder), offset: Int(push.offset), bytes: Int(push.bytes),
                weighting: push.weighting)
        }
        blocks = try program.blocks.map { block in
            let vertex = try graph.node(named: block.names.first ?? "").vertex
            guard let spec = vertex.variableSpec else { throw GraphError("'\(vertex.name)' is no Variable") }
            return (vertex, Int(block.valueOffset), ShardStore.size(spec))
        }
        valueBytes = try ShardStore.extent(
            Int(program.valueBytes), of: blocks.map { ($0.offset, $0.bytes, $0.bytes) }, number)
        pushBytes = try ShardStore.extent(
            Int(program.pushBytes),
            of: placeholders.map { ($0.offset, $0.bytes, ShardStore.size($0.node.spec)) }, number)
    }

    /// The blocks of a shard, by which it is known in another run.
    static func blockNames(_ program: WireServerProgram.Shard) -> String {
        program.blocks.map { $0.label($0.variable) }.joined(separator: " ")
    }

    private static func size(_ spec: TensorSpec) -> Int {
        let (bytes, overflow) = (spec.shape.elementCount ?? 0).multipliedReportingOverflow(by: spec.dtype.size)
        return overflow ? .max : bytes
    }

    /// The size of a message, after a check that its parts have the sizes that the graph says and lie in it one after the
    /// other.
    private static func extent(
        _ total: Int, of parts: [(offset: Int, bytes: Int, expected: Int)], _ number: Int
    ) throws -> Int {
        var end = 0
        for part in parts {
            guard part.bytes == part.expected, part.offset == end, part.bytes < 1 << 40 else {
                throw NodeError(.refused, "the program of shard \(number) does not fit its graph")
            }
            end = (part.offset + part.bytes + 15) & ~15
        }
        guard total == end else { throw NodeError(.refused, "the program of shard \(number) does not fit its graph") }
        return total
    }

    /// Gives the blocks, slots and replicas their first values: slices of whole Variables.
    package func initialize(_ initial: [String: Tensor]) throws {
        for block in program.blocks {
            for (name, source) in zip(block.names, block.sources) {
                guard let whole = initial[source] else { throw GraphError("no first value for '\(source)'") }
                let vertex = try graph.node(named: name).vertex
                // All of a Variable, or a range of its elements in a row.
                if block.count == block.total {
                    try assign(whole, to: vertex)
                } else {
                    guard block.offset >= 0, block.count >= 0, block.offset <= Int64(whole.elementCount),
                        block.count <= Int64(whole.elementCount) - block.offset
                    else { throw NodeError(.refused, "'\(source)' has no elements from \(block.offset) on") }
                    let flat = whole.viewed(as: [whole.elementCount])
                    try assign(flat.viewed(rows: Int(block.offset)..<Int(block.offset + block.count)), to: vertex)
                }
            }
        }
        for name in program.replicas {
            guard let value = initial[name] else { throw GraphError("no first value for '\(name)'") }
            try assign(value, to: try graph.node(named: name).vertex)
        }
        try forEachValue { label, spec, bytes in
            if !Finiteness.holds(bytes, spec.dtype) { infinite.insert(label) }
        }
    }

    func assign(_ value: Tensor, to vertex: Vertex) throws {
        try session.withVariable(vertex, initialize: true) { bytes in
            guard value.byteCount == bytes.count else {
                throw GraphError("'\(vertex.name)' has \(bytes.count) bytes, got \(value.byteCount)")
            }
            value.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    // MARK: Shared memory

    /// Reads an offer of memory; nil if it does not fit the shard.
    func offer(_ bytes: UnsafeRawBufferPointer) -> SharedBufferOffer? {
        SharedBufferOffer(bytes, valueSizes: blocks.map(\.bytes), pushSizes: placeholders.map(\.bytes))
    }

    // MARK: Updates

    /// The gradients of a push, after it was checked that they are all there; nil if they are not.
    ///
    /// - Parameters:
    ///   - owner: of the payload's bytes.
    ///   - buffer: the shared memory that they lie in; nil if they are in the payload.
    func pushed(
        _ payload: UnsafeRawBufferPointer, isEncoded: Bool, owner: AnyObject, _ buffer: SharedBuffer?
    ) -> PushedBytes? {
        if let buffer { return payload.isEmpty ? buffer.pushed(placeholders.map(\.bytes)) : nil }
        if isEncoded {
            return PushedBytes(encoded: payload, sizes: placeholders.map { ($0.bytes, $0.floats) }, owner: owner)
        }
        guard payload.count == pushBytes, let start = payload.baseAddress else { return nil }
        return PushedBytes(start, at: placeholders.map { ($0.offset, $0.bytes) }, owner: owner)
    }

    /// Applies gradients.
    func apply(_ gradients: PushedBytes) throws {
        try apply { push, placeholder in
            numbers(of: gradients, push, placeholder)
        }
    }

    /// Applies the sum of gradients times their weights, added in the given order, each input in its own dtype. What is no
    /// floating number is taken from the first: it is the same for all.
    ///
    /// - Parameter sum: memory of the size of a push.
    func apply(_ gradients: [(bytes: PushedBytes, weight: Double)], sum: UnsafeMutableRawPointer) throws {
        try apply { push, placeholder in
            let target = sum + placeholder.offset
            switch placeholder.node.dtype {
            case .float64: average(Double.self, push, gradients, target)
            case .float32: average(Float.self, push, gradients, target)
            case .bfloat16: averageHalves(push, gradients, target)
            case .int32 where placeholder.weighting == .sum: add(Int32.self, push, gradients, target)
            case .int64 where placeholder.weighting == .sum: add(Int64.self, push, gradients, target)
            default: return numbers(of: gradients[0].bytes, push, placeholder)
            }
            return UnsafeRawPointer(target)
        }
    }

    /// What is pushed for a placeholder: where it is, or decoded. The next call for the placeholder may write over it.
    private func numbers(of gradients: PushedBytes, _ push: Int, _ placeholder: Placeholder) -> UnsafeRawPointer {
        gradients.numbers(
            push, at: decoded.pointer + placeholder.offset, placeholder.node.dtype, floats: placeholder.floats)
    }

    private func apply(_ numbers: (Int, Placeholder) -> UnsafeRawPointer) throws {
        var feeds = Feeds()
        for (i, placeholder) in placeholders.enumerated() {
            // Read-only: feeds are never written by a run.
            let start = UnsafeMutableRawPointer(mutating: numbers(i, placeholder))
            feeds[placeholder.node] = Tensor(
                dtype: placeholder.node.dtype, shape: placeholder.node.shape,
                storage: TensorStorage(pointer: start, byteCount: placeholder.bytes, owner: self))
        }
        // What servers draw depends on the step alone, so that a job that goes on draws what comes next.
        session.setRandomStep(updates)
        updates += 1
        // Until one has: later ones cost nothing.
        let before = hasChanged ? [] : try floatingValues()
        _ = try session.run([train], feeds: feeds)
        if !hasChanged { hasChanged = try floatingValues() != before }
    }

    private func floatingValues() throws -> [[UInt8]] {
        try blocks.filter { $0.vertex.variableSpec?.dtype.isFloating ?? false }.map { block in
            try session.withVariable(block.vertex) { [UInt8](UnsafeRawBufferPointer($0)) }
        }
    }

    /// Adds up whole numbers, such as counts of examples.
    private func add<Scalar: NumericScalar & FixedWidthInteger>(
        _ type: Scalar.Type, _ push: Int, _ gradients: [(bytes: PushedBytes, weight: Double)],
        _ target: UnsafeMutableRawPointer
    ) {
        let place = placeholders[push]
        let sum = target.assumingMemoryBound(to: Scalar.self)
        for (i, gradient) in gradients.enumerated() {
            let source = numbers(of: gradient.bytes, push, place).assumingMemoryBound(to: Scalar.self)
            for j in 0..<place.bytes / MemoryLayout<Scalar>.stride { sum[j] = (i == 0 ? 0 : sum[j]) &+ source[j] }
        }
    }

    /// As `average` of bfloat16, added up as float32.
    private func averageHalves(
        _ push: Int, _ gradients: [(bytes: PushedBytes, weight: Double)], _ target: UnsafeMutableRawPointer
    ) {
        let place = placeholders[push]
        var sums = [Float](repeating: 0, count: place.bytes / 2)
        for gradient in gradients {
            let source = numbers(of: gradient.bytes, push, place).assumingMemoryBound(to: BFloat16.self)
            let weight = Float(place.weight(gradient.weight))
            for i in sums.indices { sums[i] += source[i].float * weight }
        }
        let target = target.assumingMemoryBound(to: BFloat16.self)
        for i in sums.indices { target[i] = BFloat16(sums[i]) }
    }

    private func average<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ push: Int, _ gradients: [(bytes: PushedBytes, weight: Double)],
        _ target: UnsafeMutableRawPointer
    ) {
        let place = placeholders[push]
        let count = place.bytes / MemoryLayout<Scalar>.stride
        let sum = target.assumingMemoryBound(to: Scalar.self)
        for (i, gradient) in gradients.enumerated() {
            let source = numbers(of: gradient.bytes, push, place).assumingMemoryBound(to: Scalar.self)
            let weight = Scalar(place.weight(gradient.weight))
            if i == 0 {
                for j in 0..<count { sum[j] = source[j] * weight }
            } else {
                for j in 0..<count { sum[j] += source[j] * weight }
            }
        }
    }

    /// An answer with the current values: in it, or in the memory that its worker shares.
    ///
    /// - Parameter used: the request's message, if nobody needs it any more.
    func values(
        _ reply: ExchangeReply, for request: ExchangeEnvelope, _ buffer: SharedBuffer?, reusing used: ReceivedBytes?
    ) throws -> Message {
        var envelope = request.answering
        if request.isShared, let buffer, let places = buffer.values(inBuffer: request.buffer) {
            envelope.isShared = true
            for (block, place) in zip(blocks, places) {
                try session.withVariable(block.vertex) { buffer.write(UnsafeRawBufferPointer($0), at: place) }
            }
            return ExchangeCodec.message(reply, envelope)
        }
        if request.hasHalfValues { return try halfValues(reply, envelope) }
        var message = ExchangeCodec.message(reply, envelope, room: valueBytes, reusing: used?.release())
        try message.withUnsafeMutableBytes { bytes in
            for block in blocks {
                try session.withVariable(block.vertex) { source in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[(ExchangeCodec.headerSize + block.offset)...])
                        .copyMemory(from: UnsafeRawBufferPointer(source))
                }
            }
        }
        return message
    }

    /// Values without gaps between the blocks, float32 as bfloat16.
    private func halfValues(_ reply: ExchangeReply, _ envelope: ExchangeEnvelope) throws -> Message {
        var envelope = envelope
        envelope.hasHalfValues = true
        var message = ExchangeCodec.message(
            reply, envelope, room: blocks.reduce(0) { $0 + HalfValues.size($1.bytes, $1.vertex.variableSpec?.dtype) })
        try message.withUnsafeMutableBytes { bytes in
            var offset = ExchangeCodec.headerSize
            for block in blocks {
                try session.withVariable(block.vertex) { source in
                    let dtype = block.vertex.variableSpec?.dtype
                    HalfValues.write(UnsafeRawBufferPointer(source), dtype, to: bytes.baseAddress! + offset)
                    offset += HalfValues.size(block.bytes, dtype)
                }
            }
        }
        return message
    }

    // MARK: Checkpoints

    /// A copy of the values for a checkpoint.
    func values(atStep step: Int, _ state: ShardState) throws -> ShardValues {
        ShardValues(
            shard: number, step: step,
            snapshot: ShardSnapshot(
                blocks: blockNames, applied: state.appliedBatches(atStep: step), absent: state.closing?.absent ?? []),
            values: try snapshot(), infinite: infinite)
    }

    /// Copies of all Variables by name, for a checkpoint: (name in the checkpoint, value).
    private func snapshot() throws -> [(name: String, value: Tensor)] {
        var result: [(name: String, value: Tensor)] = []
        try forEachValue { label, spec, source in
            result.append((label, Tensor(dtype: spec.dtype, sized: spec.shape) { $0.copyMemory(from: source) }))
        }
        return result
    }

    /// All Variables, by what a checkpoint calls them.
    private func forEachValue(_ body: (String, TensorSpec, UnsafeRawBufferPointer) -> Void) throws {
        func visit(_ name: String, _ label: String) throws {
            let vertex = try graph.node(named: name).vertex
            guard let spec = vertex.variableSpec else { throw GraphError("'\(name)' is no Variable") }
            try session.withVariable(vertex) { body(label, spec, UnsafeRawBufferPointer($0)) }
        }
        for block in program.blocks {
            for (name, source) in zip(block.names, block.sources) { try visit(name, block.label(source)) }
        }
        for name in program.replicas { try visit(name, "\(name)@\(number)") }
    }
}

extension WireServerProgram.Block {
    fileprivate func label(_ base: String) -> String {
        Block.label(base, offset: Int(offset), count: Int(count), total: Int(total))
    }
}
