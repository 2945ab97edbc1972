internal import CKernels

/// Room on the stack for calls within calls: functions of a graph call functions, whose depth is the graph's to choose.
package enum CallStack {
    /// Bytes that one level needs, kernels and oneDNN included.
    private static let needed = 256 << 10
    /// Bytes of a stack that is added. The system gives memory only for what is used of it.
    private static let added = 8 << 20

    /// Runs `body` here, or, where this thread's stack is nearly used up, on another thread whose end is waited for.
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
            throw GraphError("there is no memory for a stack of \(added) bytes, which calls within calls need")
        }
        return try result.get()
    }
}
