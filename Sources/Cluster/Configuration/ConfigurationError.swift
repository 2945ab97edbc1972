internal import Dataflow

/// All that is wrong with a job's configuration, in the order of its lines, or of its properties.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Mistake: Sendable, Equatable {
        public enum Place: Sendable, Equatable {
            case line(Int)
            /// The text of the `--set` that it stands in.
            case override(String)
            /// The property of a `JobConfig` that was made in Swift: "train.learningRate".
            case property(String)
            case wholeFile
        }
        public let place: Place
        public let text: String
    }

    /// The file, as the user named it; "JobConfig" for one that was made in Swift.
    public let name: String
    /// The mistakes: those with lines first; of very many, the first hundred.
    public let mistakes: [Mistake]
    /// How many there are in all.
    public let count: Int

    public var description: String {
        var lines = ["\(name): \(count) mistake\(count == 1 ? "" : "s")"]
        lines += mistakes.map { "  \($0)" }
        if count > mistakes.count { lines.append("  … and \(count - mistakes.count) more") }
        return lines.map(TerminalText.line).joined(separator: "\n")
    }
}

/// Collects mistakes; only the first hundred are worth their words.
struct MistakeList {
    private(set) var mistakes: [ConfigurationError.Mistake] = []
    private(set) var count = 0

    mutating func add(_ place: ConfigurationError.Mistake.Place, _ text: @autoclosure () -> String) {
        count += 1
        if mistakes.count < 100 { mistakes.append(.init(place: place, text: text())) }
    }

    /// Puts the names of properties in the place of those of keys.
    mutating func nameProperties() {
        let names = JobConfig.keys.filter { $0.property != $0.path }
        for i in mistakes.indices {
            var text = mistakes[i].text
            for key in names { text = text.replacing(key.path, with: key.property) }
            mistakes[i] = .init(place: mistakes[i].place, text: text)
        }
    }

    /// The error, nil where there is no mistake.
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
