internal import Dataflow
internal import Foundation
internal import Interchange
internal import Messaging

/// One bundle on its server: a session that holds its blocks and applies pushes, and the ledger of what was applied.
final class BundleShard {
    let program: WireServerProgram.Bundle
    let number: Int
    private let graph: Graph
    private let session: Session
    private let train: Node
    private let placeholders: [(node: Node, offset: Int, bytes: Int)]
    private let blocks: [(vertex: Vertex, offset: Int, bytes: Int)]
    let valueBytes: Int
    let pushBytes: Int
    var ledger = PushLedger()
    var barrier: SynchronousBarrier?

    /// Updates applied.
    var updates: Int { ledger.updates }

    init(_ program: WireServerProgram.Bundle, options: SessionOptions) throws {
        self.program = program
        number = Int(program.number)
        let graph = try GraphDefinition.decode([UInt8](program.graph))
        self.graph = graph
        session = try Session(graph, options: options)
        train = try graph.node(named: program.train)
        placeholders = try program.pushes.map { (try graph.node(named: $0.placeholder), Int($0.offset), Int($0.bytes)) }
        blocks = try program.blocks.map { block in
            let vertex = try graph.node(named: block.names[0]).vertex
            return (
                vertex, Int(block.valueOffset),
                (vertex.variableSpec?.shape.elementCount ?? 0) * (vertex.variableSpec?.dtype.size ?? 0)
            )
        }
        valueBytes = Int(program.valueBytes)
        pushBytes = Int(program.pushBytes)
    }

    /// Gives the blocks, slots and replicas their first values: slices of whole Variables.
    func initialize(_ initial: [String: Tensor]) throws {
        for block in program.blocks {
            for (name, source) in zip(block.names, block.sources) {
                guard let whole = initial[source] else { throw GraphError("no first value for '\(source)'") }
                let vertex = try graph.node(named: name).vertex
                let shape = vertex.outputs[0].shape
                if block.count == block.total {
                    try assign(whole.reshaped(shape), to: vertex)
                } else {
                    let flat = whole.reshaped([whole.elementCount])
                    try assign(flat.rows(Int(block.offset)..<Int(block.offset + block.count)), to: vertex)
                }
            }
        }
        for name in program.replicas {
            guard let value = initial[name] else { throw GraphError("no first value for '\(name)'") }
            try assign(value, to: try graph.node(named: name).vertex)
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

    /// Goes on from a checkpoint: what its values hold.
    func resume(done: RangeSet<Int>) {
        ledger.updates = done.ranges.reduce(0) { $0 + $1.count }
        ledger.appliedBatches = done
    }

    /// Applies gradients that lie in a push's bytes after the header.
    func apply(_ gradients: UnsafeRawBufferPointer, owner: AnyObject) throws {
        var feeds: [Node: Tensor] = [:]
        for placeholder in placeholders {
            // Read-only: feeds are never written by a run.
            let start = UnsafeMutableRawPointer(mutating: gradients.baseAddress! + placeholder.offset)
            feeds[placeholder.node] = Tensor(
                dtype: placeholder.node.dtype, shape: placeholder.node.shape,
                storage: TensorStorage(pointer: start, byteCount: placeholder.bytes, owner: owner))
        }
        _ = try session.run([train], feeds: feeds)
    }

    /// Adds up gradients times their weights, in the given order, each input in its own dtype.
    func average(
        _ gradients: [(bytes: UnsafeRawBufferPointer, weight: Double)], into target: UnsafeMutableRawBufferPointer
    ) {
        for placeholder in placeholders {
            switch placeholder.node.dtype {
            case .float64: average(Double.self, placeholder, gradients, target)
            default: average(Float.self, placeholder, gradients, target)
            }
        }
    }

    private func average<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ place: (node: Node, offset: Int, bytes: Int),
        _ gradients: [(bytes: UnsafeRawBufferPointer, weight: Double)], _ target: UnsafeMutableRawBufferPointer
    ) {
        let count = place.bytes / MemoryLayout<Scalar>.stride
        let sum = (target.baseAddress! + place.offset).assumingMemoryBound(to: Scalar.self)
        for (i, gradient) in gradients.enumerated() {
            let source = (gradient.bytes.baseAddress! + place.offset).assumingMemoryBound(to: Scalar.self)
            let weight = Scalar(gradient.weight)
            if i == 0 {
                for j in 0..<count { sum[j] = source[j] * weight }
            } else {
                for j in 0..<count { sum[j] += source[j] * weight }
            }
        }
    }

    /// A message with the current values.
    func values(_ header: DataHeader) throws -> Message {
        var message = header.message(room: valueBytes)
        try message.withUnsafeMutableBytes { bytes in
            for block in blocks {
                try session.withVariable(block.vertex) { source in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[(DataHeader.size + block.offset)...])
                        .copyMemory(from: UnsafeRawBufferPointer(source))
                }
            }
        }
        return message
    }

    /// Copies of all Variables by name, for a checkpoint: (name in the checkpoint, value).
    func snapshot() throws -> [(name: String, value: Tensor)] {
        var result: [(name: String, value: Tensor)] = []
        func copy(_ name: String, _ label: String) throws {
            let vertex = try graph.node(named: name).vertex
            guard let spec = vertex.variableSpec else { throw GraphError("'\(name)' is no Variable") }
            try session.withVariable(vertex) { source in
                result.append(
                    (
                        label,
                        Tensor(dtype: spec.dtype, shape: spec.shape) {
                            $0.copyMemory(from: UnsafeRawBufferPointer(source))
                        }
                    ))
            }
        }
        for block in program.blocks {
            for (name, source) in zip(block.names, block.sources) {
                try copy(
                    name,
                    block.count == block.total ? source : "\(source)[\(block.offset)..<\(block.offset + block.count)]")
            }
        }
        for name in program.replicas { try copy(name, "\(name)@\(number)") }
        return result
    }
}
