import Messaging
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "an address is read and written the same",
        arguments: [
            ("inproc://a", Address.Transport.inproc, nil, true),
            ("ipc:///tmp/a b", .ipc, nil, true),
            ("tcp://127.0.0.1:5555", .tcp, 5555, true), ("tcp://localhost:0", .tcp, 0, true),
            ("tcp://[::1]:80", .tcp, 80, true), ("tcp://10.0.0.1:80", .tcp, 80, false),
            ("tcp://127.example.org:1", .tcp, 1, false), ("tcp://*:65535", .tcp, 65535, false),
            ("tls+tcp://ps0.example.org:443", .tls, 443, false), ("tcp://[fe80::1]:1", .tcp, 1, false),
        ] as [(String, Address.Transport, Int?, Bool)])
    func reads(text: String, transport: Address.Transport, port: Int?, isLoopback: Bool) throws {
        let address = try Address(text)
        #expect(address.description == text)
        #expect(address.transport == transport)
        #expect(address.port == port)
        #expect(address.isLoopback == isLoopback)
    }

    @Test(
        "a wrong address is refused with the reason and an example",
        arguments: [
            ("127.0.0.1:5555", "no transport"), ("http://a:1", "'http'"), ("inproc://", "name is missing"),
            ("ipc://relative", "not absolute"), ("tcp://127.0.0.1", "port is missing"), ("tcp://:5", "host is missing"),
            ("tcp://a:70000", "'70000' is not a port"), ("tcp://a:-1", "'-1' is not a port"),
            ("tcp://::1:80", "needs brackets"), ("tcp://[::1:80", "not closed"), ("tcp://a/b:80", "not a host name"),
            ("tcp://a b:80", "space"), ("inproc://a b", "space"), ("ipc:///a\tb", "control character"),
            ("ipc:///" + String(repeating: "x", count: 107), "108 bytes"),
            ("inproc://" + String(repeating: "x", count: 119), "119 bytes"),
        ])
    func refuses(text: String, reason: String) throws {
        let error = try #require(throws: MessagingError.self) { try Address(text) }
        #expect(error.code == .addressInvalid)
        #expect(error.description.hasPrefix("'\(text)' is not an address: "))
        #expect(error.description.contains(reason))
        #expect(error.description.contains("://"))
    }
}
