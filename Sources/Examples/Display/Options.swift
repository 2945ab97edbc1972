internal import Foundation

/// The value after "--name" on the command line, or nil. Any other word ends the program with what it understands.
public func option(_ name: String, of names: [String]) -> String? {
    let words = CommandLine.arguments.dropFirst()
    var found: [String: String] = [:]
    var rest = words
    while let word = rest.popFirst() {
        guard word.hasPrefix("--"), names.contains(String(word.dropFirst(2))), let value = rest.popFirst() else {
            let known = names.map { "--\($0) VALUE" }.joined(separator: ", ")
            FileHandle.standardError.write(Data("'\(word)' is not understood; the options are \(known)\n".utf8))
            exit(2)
        }
        found[String(word.dropFirst(2))] = value
    }
    return found[name]
}
