import Dataflow
import Foundation
import Testing

/// Expects numbers that differ by at most `tolerance`.
func expectClose(
    _ got: Tensor, _ expected: [Double], _ tolerance: Double = 1e-6, at location: SourceLocation = #_sourceLocation
) {
    #expect(got.elementCount == expected.count, sourceLocation: location)
    for (a, b) in zip(got.doubles, expected) {
        #expect(Swift.abs(a - b) <= tolerance, "\(got) is not \(expected)", sourceLocation: location)
    }
}

typealias SourceLocation = Testing.SourceLocation

/// A folder of a test's own, gone with it.
final class Folder {
    let path = FileManager.default.temporaryDirectory.appending(path: "user-\(UUID())").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}
