internal import Dispatch
internal import Foundation

/// Frees what is nng's away from nng's threads: freeing waits for callbacks, and a callback cannot wait for itself.
package final class Closing: Sendable {
    private let group = DispatchGroup()

    package init() {}

    /// nng 1.5 can lose the end of an operation whose connection breaks as it is made, and then waits for it for ever. So each
    /// has a thread of its own: one that hangs keeps nobody else.
    func later(_ body: @escaping @Sendable () -> Void) {
        group.enter()
        let thread = Thread { [group] in
            body()
            group.leave()
        }
        thread.stackSize = 256 << 10
        thread.start()
    }

    /// Waits until what was begun is freed, so that its addresses are free too; not for ever.
    func settle() { _ = group.wait(timeout: .now() + 1) }
}
