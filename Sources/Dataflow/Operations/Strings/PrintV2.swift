#if canImport(Glibc)
    import Glibc
#endif

/// `PrintV2`: writes a text and `end` to `output_stream`: "stdout", "stderr", "log(info)", "log(warning)", "log(error)"
/// (which go to standard error, a line each) or "file://PATH", to whose end it is added where the session's options let it
/// write. What `tf.print` runs. Streams get no characters that a terminal obeys.
public enum PrintV2: StringOperation {
    public static let signature = Signature(
        ["input": "string"], to: [:],
        defaults: ["output_stream": .string("stderr"), "end": .string("\n")])

    private static let logs = ["log(info)", "log(warning)", "log(error)"]

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(0).isCompatible(with: []) else {
            throw GraphError("'input' must be a scalar, got the shape \(node.shape(0))")
        }
        let stream = try node.attributes.string("output_stream")
        guard ["stdout", "stderr"].contains(stream) || logs.contains(stream) || stream.hasPrefix("file://") else {
            throw GraphError(
                "'output_stream' must be stdout, stderr, \(logs.joined(separator: ", ")) or file://PATH, got '\(stream)'"
            )
        }
        return []
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let stream = try call.attributes.string("output_stream")
        let text = try call.bytes(0, "'input'") + Array(try call.attributes.string("end").utf8)
        if stream.hasPrefix("file://") {
            let path = String(stream.dropFirst(7))
            try call.functions.options.writable.check(path)
            let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
            guard file >= 0 else {
                throw GraphError(
                    "'\(path)' cannot be opened to print to: \(String(cString: strerror(errno)))", isOutput: true)
            }
            defer { close(file) }
            guard write(text, to: file) else {
                throw GraphError("'\(path)' cannot be written: \(String(cString: strerror(errno)))", isOutput: true)
            }
        } else {
            let isLog = logs.contains(stream)
            let shown = TerminalText.escaped(text)
            _ = write(
                isLog && shown.last != 0x0A ? shown + [0x0A] : shown,
                to: stream == "stdout" ? STDOUT_FILENO : STDERR_FILENO)
        }
        return []
    }

    /// Whether all bytes could be written.
    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let sent = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, bytes.count - done) }
            if sent < 0, errno == EINTR { continue }
            if sent <= 0 { return false }
            done += sent
        }
        return true
    }
}
