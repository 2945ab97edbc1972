/// Numbers of bytes as people write and read them.
package enum ByteSize {
    /// The units, the largest binary one first; capitals or not is the same.
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1), ("", 1),
    ]

    /// What messages say that `parse` takes.
    package static let example = "a number of bytes such as 65536, 64MiB or 2GB"

    /// The bytes that `text` stands for: a whole number, perhaps with a unit behind it. nil if it is none, or is below 0 or
    /// above `Int.max`.
    package static func parse(_ text: String) -> Int? {
        let lower = text.lowercased()
        guard let unit = units.first(where: { lower.hasSuffix($0.name.lowercased()) }) else { return nil }
        var digits = lower.dropLast(unit.name.count)
        while digits.last == " " { digits.removeLast() }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits) else {
            return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// The bytes of an option of a command line.
    /// - Throws: `GraphError` for what is no number of bytes.
    package static func argument(_ text: String) throws -> Int {
        guard let bytes = parse(text) else { throw GraphError("must be \(example), got '\(text)'") }
        return bytes
    }

    /// Bytes in steps of 1024, with one digit behind the point: "1.5 MiB".
    package static func text(_ bytes: Int) -> String {
        for (unit, size) in units.prefix(4) where bytes >= size {
            let (whole, rest) = bytes.quotientAndRemainder(dividingBy: size)
            let tenth = rest / (size / 1024) * 10 / 1024
            return tenth == 0 ? "\(whole) \(unit)" : "\(whole).\(tenth) \(unit)"
        }
        return "\(bytes) bytes"
    }
}
