internal import Synchronization

/// Records which operations the runs of sessions execute, for tests.
package final class OperationRecorder: Sendable {
    /// The recorder of the sessions whose options are made in this task.
    @TaskLocal package static var current: OperationRecorder?

    private let recorded = Mutex<Set<String>>([])

    package init() {}

    /// TensorFlow's names of the operations that have run.
    package var names: Set<String> { recorded.withLock { $0 } }

    func note(_ names: Set<String>) { recorded.withLock { $0.formUnion(names) } }
}
