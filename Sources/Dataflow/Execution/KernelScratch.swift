/// Memory that kernels compute in. A session runs one kernel at a time, so the kernels of all its plans share this
/// memory. Its size is what the most demanding kernel needs.
final class KernelScratch {
    fileprivate private(set) var storage: TensorStorage?
    /// Bytes that kernels have allocated for themselves since the session began.
    private(set) var ownBytes = 0

    fileprivate func reserve(_ bytes: Int) {
        guard bytes > storage?.byteCount ?? 0 else { return }
        storage = nil
        storage = TensorStorage(byteCount: bytes)
    }

    /// Counts memory that a kernel keeps for itself because its content lasts from run to run.
    func noteOwn(_ bytes: Int) { ownBytes += bytes }
}

/// Divides the scratch memory among the parts that one kernel needs at the same time.
struct ScratchLayout {
    private let scratch: KernelScratch
    private var bytes = 0

    init(_ binding: KernelBinding) { scratch = binding.scratch }

    /// A part for `count` elements.
    mutating func room<Scalar>(_ type: Scalar.Type, count: Int) -> Workspace<Scalar> {
        let offset = bytes
        bytes += (count * MemoryLayout<Scalar>.stride + 63) & ~63
        scratch.reserve(max(bytes, 64))
        return Workspace(scratch: scratch, offset: offset)
    }
}

/// A part of the scratch memory. It belongs to the kernel while that runs.
struct Workspace<Scalar> {
    fileprivate let scratch: KernelScratch
    fileprivate let offset: Int

    /// The address, which stays the same while a kernel runs.
    var pointer: UnsafeMutablePointer<Scalar> {
        guard let storage = scratch.storage else { preconditionFailure("scratch memory is there once room was made") }
        return (storage.pointer + offset).assumingMemoryBound(to: Scalar.self)
    }
}
