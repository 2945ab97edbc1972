internal import CProcess
internal import Foundation

/// Memory that two processes of one machine, or two parts of one process, both have.
///
/// One makes it and offers it; the other opens the offer, which it may have got from a stranger: that works only for
/// memory of exactly the offered size, of this user, whose size nobody can change any more and which begins with the
/// offer's key. It has no name in any file system, so nothing is left of it once the last process that has it has ended.
///
/// Who may read and write when is up to those who share it.
package final class SharedMemory: @unchecked Sendable {
    // Sendable because what is shared is only memory; its users agree on turns.

    /// What makes memory known to another process of this machine.
    package struct Offer: Sendable, Equatable {
        package var process: Int32
        package var descriptor: Int32
        /// Bytes, without the page in front that holds the key.
        package var count: Int
        package var key: UInt64

        package init(process: Int32, descriptor: Int32, count: Int, key: UInt64) {
            self.process = process
            self.descriptor = descriptor
            self.count = count
            self.key = key
        }
    }

    /// Why memory cannot be shared, as a clause.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The memory, which starts at a page.
    package let bytes: UnsafeMutableRawBufferPointer
    private let mapping: UnsafeMutableRawBufferPointer
    private let key: UInt64
    private var descriptor: Int32

    /// The key lies on a page of its own.
    private static let prefix = 4096
    /// The most bytes of one memory.
    package static let limit = 1 << 40

    /// Makes memory of zeros, all of it there.
    /// - Throws: ``Failure`` where there is not that much.
    package init(count: Int) throws(Failure) {
        // The system would hand out more than there is, and end some process later.
        let most = min(SharedMemory.limit, Int(clamping: ProcessInfo.processInfo.physicalMemory / 2))
        guard (1...most).contains(count) else {
            throw Failure(description: "\(count) bytes are more than half of this machine's memory")
        }
        let descriptor = tributary_memory_make(SharedMemory.prefix + count)
        guard descriptor >= 0 else { throw SharedMemory.failure(-descriptor, count) }
        mapping = try SharedMemory.map(descriptor, SharedMemory.prefix + count)
        bytes = UnsafeMutableRawBufferPointer(rebasing: mapping[SharedMemory.prefix...])
        key = UInt64.random(in: 1...(.max))
        mapping.storeBytes(of: key, as: UInt64.self)
        self.descriptor = descriptor
    }

    /// Opens what another process, or this one, offers.
    /// - Throws: ``Failure`` if it is on another machine, or is not what was offered.
    package init(_ offer: Offer) throws(Failure) {
        guard (1...SharedMemory.limit).contains(offer.count), offer.process > 0, offer.descriptor >= 0, offer.key != 0
        else { throw Failure(description: "the offer is none") }
        let descriptor = tributary_memory_open(offer.process, offer.descriptor, SharedMemory.prefix + offer.count)
        guard descriptor >= 0 else { throw SharedMemory.failure(-descriptor, offer.count) }
        mapping = try SharedMemory.map(descriptor, SharedMemory.prefix + offer.count)
        close(descriptor)
        self.descriptor = -1
        bytes = UnsafeMutableRawBufferPointer(rebasing: mapping[SharedMemory.prefix...])
        key = mapping.load(as: UInt64.self)
        guard key == offer.key else { throw Failure(description: "it is other memory than was offered") }
    }

    deinit {
        withdraw()
        munmap(mapping.baseAddress, mapping.count)
    }

    /// What to tell the other side, until ``withdraw()``.
    package var offer: Offer { Offer(process: getpid(), descriptor: descriptor, count: bytes.count, key: key) }

    /// From now on nobody can open it; who has it keeps it.
    package func withdraw() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// What a processor's caches may hold of memory.
    private static let cacheSize = 32 << 20

    /// Copies bytes to a place in the memory.
    ///
    /// - Parameter isPastCaches: whether they leave out the caches; nil: if the memory is larger than those.
    package func write(
        _ source: UnsafeRawBufferPointer, at place: UnsafeMutableRawPointer, isPastCaches: Bool? = nil
    ) {
        guard let start = source.baseAddress else { return }
        if isPastCaches ?? (bytes.count >= SharedMemory.cacheSize) {
            tributary_memory_stream(place, start, source.count)
        } else {
            place.copyMemory(from: start, byteCount: source.count)
        }
    }

    /// Maps all of it, its pages present, so that first uses do not stop for them.
    private static func map(_ descriptor: Int32, _ count: Int) throws(Failure) -> UnsafeMutableRawBufferPointer {
        let start = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED | Int32(MAP_POPULATE), descriptor, 0)
        guard let start, start != MAP_FAILED else {
            let number = errno
            close(descriptor)
            throw failure(number, count)
        }
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    private static func failure(_ number: Int32, _ count: Int) -> Failure {
        Failure(description: "\(count) bytes: \(String(cString: strerror(number)))")
    }
}
