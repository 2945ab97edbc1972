import Foundation

/// Something that reads what others wrote: makes damaged input number `n` and reads it.
protocol Subject {
    /// What came of one input, for the count of how deep they reach.
    associatedtype Depth: RawRepresentable & CaseIterable where Depth.RawValue == String

    /// - Returns: how far it came.
    /// - Throws: what is no proper refusal: the input is reported.
    func read(_ chance: inout Chance) throws -> Depth

    /// Takes the numbers of the fields that the last input has reached, by `Reach`.
    func takeReached() -> [Int]
}

extension Subject {
    func takeReached() -> [Int] { [] }
}

/// A broken promise: an error of another kind than is documented, or too much memory taken.
struct Finding: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
