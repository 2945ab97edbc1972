internal import Glibc

/// The file of an ipc address.
enum SocketFile {
    /// Removes a file that a dead process left.
    ///
    /// nng must not meet any other file: after a failed attempt to listen it removes whatever is at the path, be it a
    /// socket that is listened on or no socket at all.
    ///
    /// - Throws: `addressInUse` if somebody listens there, or if the file is no socket.
    static func makeRoom(at address: Address) throws(MessagingError) {
        func inUse(_ detail: String) -> MessagingError {
            MessagingError(.addressInUse, .listen, address.description, "address in use; choose another path\(detail)")
        }
        var status = stat()
        guard lstat(address.host, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw inUse(" (a file that is no socket is there)") }

        // A datagram socket cannot connect to a stream socket, so that a server differs from a dead file without a
        // connection: nng 1.5 stops accepting on ipc after one that is closed at once.
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw MessagingError(
                .outOfResources, .listen, address.description, String(cString: strerror(errno)).lowercased())
        }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address.host.utf8) }
        let connected = withUnsafeBytes(of: &name) {
            connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        // A server answers EPROTOTYPE; only a refusal proves that nobody is there.
        guard connected != 0, errno == ECONNREFUSED else { throw inUse("") }
        unlink(address.host)
    }
}
