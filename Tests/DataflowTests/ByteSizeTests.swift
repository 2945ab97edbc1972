import Dataflow
import Testing

@Suite("Numbers of bytes")
struct ByteSizeTests {
    @Test(
        "every unit is read, in any case, with spaces before it or not",
        arguments: [
            ("0", 0), ("65536", 65536), ("12B", 12), ("1KB", 1000), ("2 MB", 2_000_000), ("3GB", 3_000_000_000),
            ("1TB", 1_000_000_000_000), ("1KiB", 1024), ("64MiB", 64 << 20), ("64mib", 64 << 20), ("2  GiB", 2 << 30),
            ("4tib", 4 << 40),
        ])
    func units(text: String, bytes: Int) {
        #expect(ByteSize.parse(text) == bytes)
        #expect(throws: Never.self) { try ByteSize.argument(text) }
    }

    @Test(
        "what is no whole number of bytes is refused",
        arguments: ["", "MiB", "-1", "+1", "1.5GiB", "1 M iB", "1e3", "9223372036854775807KiB", "٣MiB", "7 bits", " 1"])
    func refused(text: String) {
        #expect(ByteSize.parse(text) == nil)
        let error = #expect(throws: GraphError.self) { try ByteSize.argument(text) }
        #expect(error.map { "\($0)".contains("must be a number of bytes such as 65536, 64MiB or 2GB") } == true)
    }

    @Test("bytes are written in the largest binary unit, cut after one digit")
    func text() {
        let cases = [
            (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (4 << 20, "4 MiB"),
            (Int(1.99 * Double(1 << 30)), "1.9 GiB"), (3 << 40, "3 TiB"), (Int.max, "8388607.9 TiB"),
        ]
        for (bytes, text) in cases { #expect(ByteSize.text(bytes) == text) }
    }
}
