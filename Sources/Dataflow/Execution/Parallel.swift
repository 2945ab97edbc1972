internal import COneDNN

/// Runs `body(part)` for each part on oneDNN's threads. Returns when all parts are done. `body` must not throw, and
/// must not allocate anything that another part uses.
@inline(never)
func parallel(_ parts: Int, _ body: (Int) -> Void) {
    if parts <= 1 { return body(0) }
    withoutActuallyEscaping(body) { body in
        var context = (parts: parts, body: body)
        withUnsafeMutablePointer(to: &context) { pointer in
            GOMP_parallel(
                {
                    // The runtime may give fewer threads than parts (OMP_THREAD_LIMIT, OMP_DYNAMIC).
                    let context = $0!.assumingMemoryBound(to: (parts: Int, body: (Int) -> Void).self).pointee
                    let threads = Int(omp_get_num_threads())
                    for part in stride(from: Int(omp_get_thread_num()), to: context.parts, by: threads) {
                        context.body(part)
                    }
                },
                pointer, UInt32(parts), 0)
        }
    }
}

/// How many of `threads` to use for `work` elements. A thread with less than some ten microseconds of work is not worth
/// waking.
func usefulThreads(_ threads: Int, work: Int) -> Int { min(threads, max(1, work / 65_536)) }
