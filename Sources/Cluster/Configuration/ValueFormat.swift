internal import Dataflow
import Foundation
internal import Training

/// Why a value is refused, as the end of a sentence that begins with the key: "must be …, got …".
struct ValueError: Error {
    let text: String

    static func wanted(_ wanted: String, got value: YAMLValue) -> ValueError {
        ValueError(text: "must be \(wanted), got \(value.excerpt)")
    }
}

/// How one type of value is read from YAML, checked, and written back.
struct ValueFormat<T>: Sendable {
    let read: @Sendable (_ value: YAMLValue, _ baseDirectory: String) throws(ValueError) -> T
    let write: @Sendable (T) -> ConfigValue

    /// The same for a value that may be absent: nothing is nil.
    var optional: ValueFormat<T?> {
        ValueFormat<T?>(
            read: { (value, base) throws(ValueError) in value.resolved == .null ? nil : try read(value, base) },
            write: { $0.map(write) ?? .null })
    }
}

extension ValueFormat where T == String {
    /// Any scalar, as it is written: a job's name may be 7.
    static var text: Self { text("text") { !$0.isEmpty } }
    /// One ASCII character, `tab`, or `::`, which is for ratings.
    static var separator: Self {
        let plain = text("one ASCII character, tab, or ::") { text in
            let isCharacter = text.utf8.count == 1 && !"\"\r\n\0".utf8.contains(text.utf8.first ?? 0)
            return isCharacter || ["::", "tab", "\\t"].contains(text)
        }
        return Self(
            read: { (value, base) throws(ValueError) in
                let text = try plain.read(value, base)
                return text == "tab" || text == "\\t" ? "\t" : text
            },
            write: plain.write)
    }
    static var device: Self { text("a device such as /cpu:0 or /gpu:0") { $0.hasPrefix("/") && $0.count > 1 } }

    /// A file or folder. Relative paths start at the base directory; `~` is the user's home.
    static var path: Self {
        let plain = text("a path") { !$0.isEmpty }
        return Self(
            read: { (value, base) throws(ValueError) in
                let path = NSString(string: try plain.read(value, base)).expandingTildeInPath
                return URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: base, isDirectory: true))
                    .standardizedFileURL.path
            },
            write: plain.write)
    }

    private static func text(_ wanted: String, _ isValid: @escaping @Sendable (String) -> Bool) -> Self {
        Self(
            read: { (value, _) throws(ValueError) in
                guard let text = value.text, isValid(text) else { throw .wanted(wanted, got: value) }
                return text
            },
            write: { .string($0) })
    }
}

extension ValueFormat where T == Bool {
    static var flag: Self {
        Self(
            read: { (value, _) throws(ValueError) in
                guard case .bool(let flag) = value.resolved else { throw .wanted("true or false", got: value) }
                return flag
            },
            write: { .bool($0) })
    }
}

extension ValueFormat where T == Int {
    /// A number of bytes, or one with its unit: 64MiB, 2GB.
    static func bytes(atLeast low: Int = 1) -> Self {
        Self(
            read: { (value, _) throws(ValueError) in
                if let bytes = value.text.flatMap(ByteSize.parse), bytes >= low { return bytes }
                throw .wanted(ByteSize.example + (low > 1 ? ", at least \(ByteSize.text(low))" : ""), got: value)
            },
            write: { .int($0) })
    }

    static func whole(atLeast low: Int, atMost high: Int = 1_000_000_000) -> Self {
        Self(
            read: { (value, _) throws(ValueError) in
                let wanted = low == .min ? "a whole number" : "a whole number ≥ \(low)"
                if case .int(let number) = value.resolved, number >= low {
                    guard number <= high else { throw .wanted("\(wanted) and ≤ \(high)", got: value) }
                    return number
                }
                throw .wanted(wanted, got: value)
            },
            write: { .int($0) })
    }
}

extension ValueFormat where T == Double {
    static func number(_ bounds: OptimizerSettings.Bounds) -> Self { number(bounds.text, bounds.contains) }

    static func number(_ condition: String, _ isValid: @escaping @Sendable (Double) -> Bool) -> Self {
        Self(
            read: { (value, _) throws(ValueError) in
                guard let number = value.resolved.number, isValid(number) else {
                    throw .wanted("a number \(condition)", got: value)
                }
                return number
            },
            write: { .double($0) })
    }
}

extension ValueFormat where T == Duration {
    /// Seconds, or a number with a unit: 500ms, 10s, 2m, 1h. More than zero, at most 30 days.
    static var duration: Self {
        Self(
            read: { (value, _) throws(ValueError) in
                let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
                var seconds = value.resolved.number
                if seconds == nil, let text = value.text, let unit = units.first(where: { text.hasSuffix($0.0) }) {
                    let count = text.dropLast(unit.0.count).trimmingCharacters(in: .whitespaces)
                    seconds = ConfigValue(plain: count).number.map { $0 * unit.1 }
                }
                guard let seconds, seconds >= 1e-3, seconds <= 30 * 86_400 else {
                    throw .wanted("a duration > 0 such as 10, 10s, 500ms or 2m", got: value)
                }
                return .nanoseconds(Int64((seconds * 1e9).rounded()))
            },
            write: { .double(Double($0 / .nanoseconds(1)) / 1e9) })
    }
}

extension ValueFormat where T: RawRepresentable<String> & CaseIterable & Sendable {
    /// A case of the type, by its raw value or an alias.
    static func choice(aliases: [String: T] = [:]) -> Self {
        Self(
            read: { (value, _) throws(ValueError) in
                let text = value.text ?? ""
                if let choice = T(rawValue: text) ?? aliases[text] { return choice }
                let allowed = T.allCases.map(\.rawValue) + aliases.keys.sorted()
                throw ValueError(text: refusal(of: value, allowed: allowed))
            },
            write: { .string($0.rawValue) })
    }
}

extension ValueFormat where T == [Int] {
    /// Height and width, or height, width and channels; always written with channels.
    static var image: Self {
        let extents = list(of: .whole(atLeast: 1, atMost: 1 << 16), example: "[28, 28, 1]")
        return Self(
            read: { (value, base) throws(ValueError) in
                let image = try extents.read(value, base)
                guard image.count == 2 || image.count == 3 else {
                    throw .wanted("height, width and channels such as [28, 28, 1]", got: value)
                }
                return image.count == 2 ? image + [1] : image
            },
            write: extents.write)
    }
}

extension ValueFormat where T == CSVReader.Column {
    /// `last`, a column's number from 0, or its name (in quotes if it is a number).
    static var column: Self {
        Self(
            read: { (value, _) throws(ValueError) in
                switch value.resolved {
                case .int(let index) where index >= 0: return .index(index)
                case .string("last"): return .last
                case .string(let name) where !name.isEmpty: return .name(name)
                default: throw .wanted("a column's name, its number from 0, or last", got: value)
                }
            },
            write: { column in
                switch column {
                case .last: .string("last")
                case .index(let index): .int(index)
                case .name(let name): .string(name)
                }
            })
    }
}

extension ValueFormat where T == Initializer {
    /// One of the initialisers that have a name.
    static var initializer: Self {
        Self(
            read: { (value, _) throws(ValueError) in
                if let named = T.named.first(where: { $0.key == value.text }) { return named.value }
                throw ValueError(text: refusal(of: value, allowed: T.named.map(\.key)))
            },
            write: { initializer in .string(T.named.first { $0.value == initializer }?.key ?? "\(initializer)") })
    }
}

extension ValueFormat where T == JobConfig.Model.Loss {
    /// A loss by its name, or the name of a node of an imported graph.
    static var loss: Self {
        Self(
            read: { (value, _) throws(ValueError) in
                guard let text = value.text, !text.isEmpty else { throw .wanted("a loss or a node's name", got: value) }
                return T.named.first { $0.key == text }?.value ?? .node(text)
            },
            write: { loss in
                if case .node(let name) = loss { return .string(name) }
                return .string(T.named.first { $0.value == loss }?.key ?? "")
            })
    }
}

extension ValueFormat where T == WireFormat {
    /// A format by its name, or `{top_k: 0.01}` for the largest hundredth of the numbers.
    static var wire: Self {
        let plain: [(String, WireFormat)] = [("float32", .float32), ("bfloat16", .bfloat16), ("int8", .int8)]
        let wanted = "float32, bfloat16, int8 or {top_k: 0.01}, a share of the numbers, at most 0.25"
        return Self(
            read: { (value, _) throws(ValueError) in
                if case .map(let pairs) = value {
                    guard pairs.count == 1, pairs[0].0 == "top_k", let part = pairs[0].1.resolved.number, part > 0,
                        part <= 0.25
                    else { throw .wanted(wanted, got: value) }
                    return .topK(part)
                }
                guard let format = plain.first(where: { $0.0 == value.text }) else { throw .wanted(wanted, got: value) }
                return format.1
            },
            write: { format in
                if case .topK(let part) = format { return .map(["top_k": .double(part)]) }
                return .string(plain.first { $0.1 == format }?.0 ?? "")
            })
    }
}

extension ValueFormat {
    /// A section whose keys are the user's own names.
    static func table<Element>(of element: ValueFormat<Element>, example: String) -> Self where T == [String: Element] {
        Self(
            read: { (value, base) throws(ValueError) in
                guard case .map(let pairs) = value else { throw .wanted("a section such as \(example)", got: value) }
                var table: [String: Element] = [:]
                for (name, item, _) in pairs {
                    do throws(ValueError) {
                        table[name] = try element.read(item, base)
                    } catch {
                        throw ValueError(text: "\(error.text) for '\(name)'")
                    }
                }
                return table
            },
            write: { .map($0.mapValues(element.write)) })
    }

    static func list<Element>(of element: ValueFormat<Element>, example: String) -> Self where T == [Element] {
        Self(
            read: { (value, base) throws(ValueError) in
                guard case .list(let items) = value else { throw .wanted("a list such as \(example)", got: value) }
                var elements: [Element] = []
                for (index, item) in items.enumerated() {
                    do throws(ValueError) {
                        elements.append(try element.read(item, base))
                    } catch {
                        throw ValueError(text: "\(error.text) as item \(index + 1) of the list")
                    }
                }
                return elements
            },
            write: { .list($0.map(element.write)) })
    }
}

/// "can't be X; did you mean 'Y'? (allowed: …)"
func refusal(of value: YAMLValue, allowed: [String]) -> String {
    let hint = value.text.flatMap { nearest(to: $0, in: allowed) }.map { "; did you mean '\($0)'?" } ?? ""
    return "can't be \(value.excerpt)\(hint) (allowed: \(allowed.joined(separator: ", ")))"
}
