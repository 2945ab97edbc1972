internal import CKernels

/// Makes room on the stack when functions of a graph call functions. The graph decides how deep.
package enum CallStack {
    /// Bytes that one call needs, kernels and oneDNN included.
    private static let needed = 256 << 10
    /// Bytes of an added stack. The system provides memory only for the part that is used.
    private static let added = 8 << 20

    /// Runs `body`. If this thread's stack is nearly full, it runs on another thread, and this one waits.
    ///
    /// - Throws: what `body` throws; `GraphError` if there is no memory for another stack.
    package static func extended<Result>(_ body: () throws -> Result) throws -> Result {
        let left = tributary_stack_left()
        if left < 0 || left > needed { return try body() }
        var result: Swift.Result<Result, any Error>?
        let error = withoutActuallyEscaping({ result = Swift.Result { try body() } }) { work -> Int32 in
            var work: () -> Void = work
            return withUnsafeMutablePointer(to: &work) { work in
                tributary_call_on_stack(added, { $0?.assumingMemoryBound(to: (() -> Void).self).pointee() }, work)
            }
        }
        guard error == 0, let result else {
            throw GraphError("there is no memory for a stack of \(added) bytes, which its nested calls need")
        }
        return try result.get()
    }
}
