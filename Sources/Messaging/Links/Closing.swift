internal import Dispatch
internal import Foundation

/// Frees what is nng's away from nng's threads: freeing waits for callbacks, and a callback cannot wait for itself.
enum Closing {
    /// nng 1.5 can lose the end of an operation whose connection breaks as it is made, and then waits for it for ever: what
    /// hangs must not keep the rest.
    private static let queue = DispatchQueue(label: "tributary.closing", attributes: .concurrent)
    private static let group = DispatchGroup()

    static func later(_ body: @escaping @Sendable () -> Void) { queue.async(group: group, execute: body) }

    /// Waits until what was begun is freed, so that its addresses are free too; not for ever.
    static func settle() { _ = group.wait(timeout: .now() + 1) }
}
