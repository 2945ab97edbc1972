import Dataflow
import Foundation
import Interchange
import Testing

@Suite("Checksums and numbers in JSON")
struct ChecksumTests {
    @Test("the processor's instruction and the tables agree, at any length and in any pieces")
    func agreement() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 3) }
        bytes.withUnsafeBytes { all in
            // RFC 3720, appendix B.4.
            #expect(Array("123456789".utf8).withUnsafeBytes { CRC32C.checksum($0) } == 0xE306_9283)
            for count in [0, 1, 7, 8, 9, 63, 1000] {
                let part = UnsafeRawBufferPointer(rebasing: all[..<count])
                let whole = CRC32C.byTables(part)
                #expect(CRC32C.checksum(part) == whole)
                let (a, b) = (part[..<(count / 3)], part[(count / 3)...])
                let first = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: a))
                #expect(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: b), after: first) == whole)
            }
        }
    }

    @Test("a tensor that is not as it was written is not read")
    func tensors() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        let tensors = [
            (name: "w", tensor: Tensor([1.5, -2, 3] as [Float])),
            (name: "none", tensor: Tensor.zeros(.float32, sized: [0])),
            (name: "flags", tensor: Tensor([true, false])),
        ]
        let (count, header) = try Safetensors.writeChecked(tensors, metadata: ["a": "b"], to: path)
        let sound = try contents(path)
        #expect(sound.count == count)
        let file = try SafetensorsFile(path)
        #expect(file.hasChecksums && file.headerChecksum == header && file.metadata["a"] == "b")
        try file.verify()
        #expect(try file.tensor(named: "w").doubles == [1.5, -2, 3])
        let data = 8 + Int(sound[0]) + Int(sound[1]) << 8
        for place in data..<count {
            var damaged = sound
            damaged[place] ^= 2
            _ = try folder.write(damaged, "a.safetensors")
            let broken = try SafetensorsFile(path)
            let name = place < data + 12 ? "w" : "flags"
            #expect(throws: FormatError.self) { try broken.verify() }
            let error = #expect(throws: FormatError.self) { try broken.tensor(named: name) }
            #expect(error?.description.contains("the tensor \(name)") == true)
        }
        // Others' files have none.
        try Safetensors.write(tensors, to: path)
        let plain = try SafetensorsFile(path)
        #expect(!plain.hasChecksums)
        try plain.verify()
    }

    @Test("numbers that are not finite are null, and text that looks like them stays")
    func null() throws {
        struct Value: Codable {
            var a: Double
            var b: [Float?]
            var text = "NaN inf \"nan\" null"
        }
        let text = try JSONText.encode(Value(a: -.infinity, b: [.nan, 1, nil]))
        #expect(text == #"{"a":null,"b":[null,1,null],"text":"NaN inf \"nan\" null"}"#)
        #expect(try JSONText.encode(["x": Double.nan], isPretty: true) == "{\n  \"x\" : null\n}")
    }
}
