internal import Synchronization

/// Counts how often bodies of functions are looked at to find the shapes of one vertex.
///
/// A function that calls the next one twice, with arguments of different shapes, and that one the next, would be looked at
/// 2ⁿ times.
final class ShapeWork: Sendable {
    static let limit = 20_000

    /// Thrown where the limit is passed.
    struct Exceeded: Error, CustomStringConvertible {
        var description: String {
            "the functions that it calls would be looked at more than \(ShapeWork.limit) times, with other shapes of "
                + "arguments each time; let functions call each other less, or with the same shapes"
        }
    }

    private let count = Atomic(0)

    func add() throws {
        if count.wrappingAdd(1, ordering: .relaxed).newValue > Self.limit { throw Exceeded() }
    }
}
