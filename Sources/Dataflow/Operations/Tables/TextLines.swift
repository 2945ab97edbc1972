#if canImport(Glibc)
    import Glibc
#endif

/// Text files that operations read, such as vocabularies.
enum TextLines {
    /// The lines of a file, as TensorFlow cuts it: at each line feed, carriage returns left out.
    /// - Throws: `GraphError` if the file cannot be read or is larger than 1 GiB.
    static func read(_ path: String) throws -> [[UInt8]] {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw GraphError("the name of the file is empty") }
        guard let file = fopen(path, "rbe") else {
            throw GraphError("cannot read the file \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var (lines, line, total): ([[UInt8]], [UInt8], Int) = ([], [], 0)
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            total += count
            guard total <= 1 << 30 else { throw GraphError("the file \(path) is larger than 1 GiB") }
            for byte in piece[..<count] {
                if byte == UInt8(ascii: "\n") {
                    lines.append(line)
                    line = []
                } else if byte != UInt8(ascii: "\r") {
                    line.append(byte)
                }
            }
        }
        guard ferror(file) == 0 else { throw GraphError("cannot read the file \(path)") }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
