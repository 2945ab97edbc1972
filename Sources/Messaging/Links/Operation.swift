internal import CNNG

/// An operation of nng's that is used again and again, one at a time, and what is done when it ends.
///
/// The receiver of the end is kept alive until ``free()``.
final class Operation: @unchecked Sendable {
    // Sendable because nng's object may be used by any thread, and `atEnd` changes only when nothing runs any more.
    let aio: OpaquePointer
    private var atEnd: (@Sendable (Operation) -> Void)?
    private let box: UnsafeMutablePointer<Unmanaged<Operation>?>

    /// - Parameter atEnd: called on a thread of nng's, which must not be kept.
    /// - Returns: nil without memory for it.
    init?(atEnd: @escaping @Sendable (Operation) -> Void) {
        // The callback needs `self`, which there is only with an `aio`.
        let box = UnsafeMutablePointer<Unmanaged<Operation>?>.allocate(capacity: 1)
        box.initialize(to: nil)
        var made: OpaquePointer?
        let result = nng_aio_alloc(
            &made,
            { context in
                let box = context!.assumingMemoryBound(to: Unmanaged<Operation>?.self)
                guard let operation = box.pointee?.takeUnretainedValue() else { return }
                operation.atEnd?(operation)
            }, box)
        guard result == 0, let made else {
            box.deallocate()
            return nil
        }
        aio = made
        self.box = box
        self.atEnd = atEnd
        box.pointee = Unmanaged.passUnretained(self)
    }

    var result: Int32 { nng_aio_result(aio) }

    /// Bytes that were sent or received.
    var count: Int { nng_aio_count(aio) }

    /// The stream that was made.
    var stream: OpaquePointer? { nng_aio_get_output(aio, 0).map { OpaquePointer($0) } }

    /// Ends what runs, waits until its receiver has heard, and frees it. Not to be called by the receiver.
    func free() {
        nng_aio_stop(aio)
        nng_aio_free(aio)
        box.deallocate()
        atEnd = nil
    }
}
