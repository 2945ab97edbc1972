import Dataflow
import Synchronization
package import Testing

/// Checks, when all tests of a suite have run, that they have run the operations that the suite is to exercise.
package struct Exercises: SuiteTrait, TestScoping {
    private let suite: ExercisingSuite
    private let operations: Set<String>

    /// The suites that have this trait, wherever they are: the traits of all tests are made before the first test runs.
    package static var suites: Set<ExercisingSuite> { registered.withLock { $0 } }
    private static let registered = Mutex<Set<ExercisingSuite>>([])

    init(_ suite: ExercisingSuite, _ operations: Set<String>) {
        self.suite = suite
        self.operations = operations
        Self.registered.withLock { _ = $0.insert(suite) }
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let recorder = OperationRecorder()
        try await OperationRecorder.$current.withValue(recorder) { try await function() }
        let missing = operations.subtracting(recorder.names).sorted()
        if !missing.isEmpty {
            Issue.record("the tests of \(suite.rawValue), run as a whole, must run \(missing.joined(separator: ", "))")
        }
    }
}

extension Trait where Self == Exercises {
    /// The suite runs its operations, and `others`.
    package static func exercises(_ suite: ExercisingSuite, and others: Set<String> = []) -> Self {
        Exercises(suite, suite.operations.union(others))
    }
}
