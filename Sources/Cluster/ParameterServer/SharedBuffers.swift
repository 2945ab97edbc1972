internal import Dataflow
internal import Messaging

/// Memory that a server shares with one worker for one shard.
final class SharedBuffer {
    private let memory: SharedMemory
    /// Where each block's values go, in each buffer that the worker has for them.
    private let values: [[UnsafeMutableRawPointer]]
    private let pushes: [Int]

    init(_ offer: SharedBufferOffer, memory: SharedMemory) {
        self.memory = memory
        let start = memory.bytes.baseAddress!
        values = offer.values.map { $0.map { start + $0 } }
        pushes = offer.pushes
    }

    /// Where each block's values go; nil if the worker has no such buffer.
    func values(inBuffer buffer: Int) -> [UnsafeMutableRawPointer]? {
        values.indices.contains(buffer) ? values[buffer] : nil
    }

    /// Writes values to one of those places.
    func write(_ values: UnsafeRawBufferPointer, at place: UnsafeMutableRawPointer) {
        memory.write(values, at: place)
    }

    /// What the worker has pushed, in parts of these sizes.
    func pushed(_ sizes: [Int]) -> PushedBytes {
        PushedBytes(memory.bytes.baseAddress!, at: Array(zip(pushes, sizes)), owner: memory, isShared: true)
    }
}

/// The memory that workers share with a server for one shard, and which requests about it are taken.
struct SharedBuffers {
    private var buffers: [WorkerIdentity: SharedBuffer] = [:]
    private var order = RequestOrder()

    /// Takes memory for what this worker pushes and gets from now on. A repeat changes nothing.
    ///
    /// - Parameter open: opens the memory.
    mutating func attach(
        _ offer: SharedBufferOffer, of worker: WorkerIdentity, sequence: UInt64,
        open: () throws(SharedMemory.Failure) -> SharedMemory
    ) throws(SharedMemory.Failure) {
        guard order.isNew(worker, sequence: sequence) else { return }
        buffers[worker] = SharedBuffer(offer, memory: try open())
        _ = order.attach(worker, sequence: sequence)
    }

    /// The memory that a request is about.
    ///
    /// - Throws: `ExchangeRefusal` if there is none, or the request is not its worker's newest.
    mutating func take(_ envelope: ExchangeEnvelope) throws(ExchangeRefusal) -> SharedBuffer {
        guard let buffer = self[envelope] else {
            throw ExchangeRefusal(
                "worker \(envelope.worker.worker) shares no such memory for shard \(envelope.shard)")
        }
        guard order.take(envelope.worker, sequence: envelope.sequence) else {
            throw ExchangeRefusal(
                "request \(envelope.sequence) is not worker \(envelope.worker.worker)'s newest")
        }
        return buffer
    }

    /// The memory that a message is about; nil if there is none.
    subscript(_ envelope: ExchangeEnvelope) -> SharedBuffer? {
        buffers[envelope.worker].flatMap { $0.values(inBuffer: envelope.buffer) == nil ? nil : $0 }
    }

    /// Lets go of the memory of a worker that has departed. Gradients that are held keep theirs.
    mutating func detach(_ worker: WorkerIdentity) {
        buffers[worker] = nil
        order.forget(worker)
    }
}
