/// Names in one line, some of them where there are many.
package enum ShortList {
    package static func text(_ names: some Collection<String>) -> String {
        guard names.count > 12 else { return names.joined(separator: ", ") }
        return names.prefix(10).joined(separator: ", ") + ", and \(names.count - 10) more"
    }
}
