/// Memory that kernels compute in while they run. A session runs one kernel at a time, so that the kernels of all its plans
/// share it: it is as large as the one needs that needs most.
final class KernelScratch {
    fileprivate private(set) var storage: TensorStorage?
    /// Bytes that kernels have kept for themselves, each its own, since the session began.
    private(set) var ownBytes = 0

    fileprivate func reserve(_ bytes: Int) {
        guard bytes > storage?.byteCount ?? 0 else { return }
        storage = nil
        storage = TensorStorage(byteCount: bytes)
    }

    /// Notes memory that a kernel keeps for itself, for it holds from run to run.
    func noteOwn(_ bytes: Int) { ownBytes += bytes }
}

/// Divides the scratch memory among what one kernel needs at the same time.
struct ScratchLayout {
    private let scratch: KernelScratch
    private var bytes = 0

    init(_ binding: KernelBinding) { scratch = binding.scratch }

    /// Room for `count` elements.
    mutating func room<Scalar>(_ type: Scalar.Type, count: Int) -> Workspace<Scalar> {
        let offset = bytes
        bytes += (count * MemoryLayout<Scalar>.stride + 63) & ~63
        scratch.reserve(max(bytes, 64))
        return Workspace(scratch: scratch, offset: offset)
    }
}

/// Room for a kernel's numbers, which are its own while it runs.
struct Workspace<Scalar> {
    fileprivate let scratch: KernelScratch
    fileprivate let offset: Int

    /// Stays the same while a kernel runs.
    var pointer: UnsafeMutablePointer<Scalar> {
        guard let storage = scratch.storage else { preconditionFailure("scratch memory is there once room was made") }
        return (storage.pointer + offset).assumingMemoryBound(to: Scalar.self)
    }
}
