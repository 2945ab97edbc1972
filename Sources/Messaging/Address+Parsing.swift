extension Address {
    /// Reads an address.
    ///
    /// - Throws: ``MessagingError`` with code `addressInvalid` that says what is wrong and shows a right one.
    public init(_ text: String) throws(MessagingError) {
        guard let mark = text.firstRange(of: "://") else {
            throw .invalidAddress(
                text, "it has no transport; write inproc://NAME, ipc:///PATH, tcp://HOST:PORT or tls+tcp://HOST:PORT")
        }
        let scheme = String(text[..<mark.lowerBound])
        guard let transport = Transport(rawValue: scheme) else {
            let known = Transport.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidAddress(text, "there is no transport '\(scheme)'; there are \(known)")
        }
        let rest = String(text[mark.upperBound...])
        if let wrong = Self.fault(in: rest, transport) {
            throw .invalidAddress(text, "\(wrong), for example \(transport.example)")
        }
        do {
            switch transport {
            case .inproc: self.init(transport: transport, host: try Self.name(rest), port: nil)
            case .ipc: self.init(transport: transport, host: try Self.path(rest), port: nil)
            case .tcp, .tls:
                let (host, port) = try Self.hostAndPort(rest)
                self.init(transport: transport, host: host, port: port)
            }
        } catch {
            throw .invalidAddress(text, "\(error.text), for example \(transport.example)")
        }
    }

    private struct Fault: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private static func fault(in rest: String, _ transport: Transport) -> String? {
        // A file's name may have spaces.
        let mayHaveSpaces = transport == .ipc
        let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f || mayHaveSpaces && $0 == 0x20 }
        return isPlain ? nil : "it contains a \(mayHaveSpaces ? "" : "space or a ")control character"
    }

    private static func name(_ rest: String) throws(Fault) -> String {
        guard !rest.isEmpty else { throw Fault("the name is missing") }
        // NNG_MAXADDRLEN is 128 with the scheme and the closing zero.
        guard rest.utf8.count <= 118 else { throw Fault("the name has \(rest.utf8.count) bytes, at most 118 fit") }
        return rest
    }

    private static func path(_ rest: String) throws(Fault) -> String {
        guard !rest.isEmpty else { throw Fault("the path is missing") }
        guard rest.hasPrefix("/") else { throw Fault("the path is not absolute: it needs a third slash") }
        // sockaddr_un holds 108 bytes, one of them the closing zero.
        guard rest.utf8.count <= 107 else {
            throw Fault(
                "the path has \(rest.utf8.count) bytes, a socket's path at most 107; choose a shorter directory")
        }
        return rest
    }

    private static func hostAndPort(_ rest: String) throws(Fault) -> (String, Int) {
        let host: Substring
        let tail: Substring
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else {
                throw Fault("the bracket of the IPv6 address is not closed")
            }
            host = rest[rest.index(after: rest.startIndex)..<end]
            tail = rest[rest.index(after: end)...]
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else {
                throw Fault("[\(host)] is not an IPv6 address")
            }
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = rest[..<end]
            tail = rest[end...]
            guard !tail.dropFirst().contains(":") else {
                throw Fault("an IPv6 address needs brackets, as in [::1]:5555")
            }
            guard !host.isEmpty else { throw Fault("the host is missing") }
            let isName = host.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == 0x2d || byte == 0x2e || byte == 0x5f
            }
            guard host == "*" || isName else { throw Fault("'\(host)' is not a host name") }
        }
        guard tail.hasPrefix(":"), tail.count > 1 else { throw Fault("the port is missing") }
        let digits = tail.dropFirst()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else {
            throw Fault("'\(digits)' is not a port (0 to 65535)")
        }
        return (String(host), Int(port))
    }
}
