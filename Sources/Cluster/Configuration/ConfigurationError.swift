internal import Dataflow
import RegexBuilder

/// All mistakes in a job's configuration, in the order of its lines or properties.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Mistake: Sendable, Equatable {
        public enum Place: Sendable, Equatable {
            case line(Int)
            /// The text of the `--set` with the mistake.
            case override(String)
            /// The property of a `JobConfig` made in Swift: "train.learningRate".
            case property(String)
            case wholeFile
        }
        public let place: Place
        public let text: String
    }

    /// The file's name, as the user gave it; "JobConfig" for a configuration made in Swift.
    public let name: String
    /// The first hundred mistakes: those with lines first.
    public let mistakes: [Mistake]
    /// The number of all mistakes.
    public let count: Int

    public var description: String {
        var lines = ["\(name): \(count) mistake\(count == 1 ? "" : "s")"]
        lines += mistakes.map { "  \($0)" }
        if count > mistakes.count { lines.append("  … and \(count - mistakes.count) more") }
        return lines.map(TerminalText.line).joined(separator: "\n")
    }
}

/// Collects mistakes; keeps the texts of the first hundred.
struct MistakeList {
    private(set) var mistakes: [ConfigurationError.Mistake] = []
    private(set) var count = 0

    mutating func add(_ place: ConfigurationError.Mistake.Place, _ text: @autoclosure () -> String) {
        count += 1
        if mistakes.count < 100 { mistakes.append(.init(place: place, text: text())) }
    }

    /// Replaces the names of keys by those of properties.
    mutating func nameProperties() {
        let names = JobConfig.keys.filter { $0.property != $0.path }
        for i in mistakes.indices {
            var text = mistakes[i].text
            for key in names {
                // "model.init" is not a part of "model.initializer".
                let path = Regex {
                    key.path
                    Anchor.wordBoundary
                }
                text = text.replacing(path.wordBoundaryKind(.simple), with: key.property)
            }
            mistakes[i] = .init(place: mistakes[i].place, text: text)
        }
    }

    /// The error; nil without mistakes.
    func error(name: String) -> ConfigurationError? {
        guard count > 0 else { return nil }
        func line(_ mistake: ConfigurationError.Mistake) -> Int {
            switch mistake.place {
            case .line(let line): line
            case .override: .max - 1
            case .property, .wholeFile: .max
            }
        }
        let sorted = mistakes.enumerated().sorted {
            (line($0.element), $0.offset) < (line($1.element), $1.offset)
        }
        return ConfigurationError(name: name, mistakes: sorted.map(\.element), count: count)
    }
}
