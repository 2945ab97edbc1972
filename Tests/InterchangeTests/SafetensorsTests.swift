import Dataflow
import Interchange
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
    let folder = try! TemporaryFolder()

    static let tensors: [(name: String, tensor: Tensor)] = [
        ("layer/bias", Tensor([true, false, true])), ("layer/weights", Tensor([[1, 2], [3, 4.5]])),
        ("double", Tensor([0.1], dtype: .float64)), ("step", Tensor(7 as Int64)), ("ids", Tensor([-1, 2] as [Int32])),
        ("half", Tensor([BFloat16(1.5)])), ("bytes", Tensor([0, 255] as [UInt8])),
        ("empty", Tensor([Float](), sized: [0, 3])), ("quo\"te\\\n", Tensor(1 as Float)),
    ]

    private func file(header: String, data: Int = 0) -> [UInt8] {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        return length + Array(header.utf8) + [UInt8](repeating: 2, count: data)
    }

    @Test("every dtype reads back, with shape and metadata")
    func roundTrip() throws {
        let metadata = ["format": "tributary", "a \"b\"": "ü\n"]
        let path = folder.file("a.safetensors")
        let length = try Safetensors.write(Self.tensors, metadata: metadata, to: path)
        #expect(try contents(path).count == length)
        #expect(try contents(path) == Safetensors.encode(Self.tensors, metadata: metadata))
        let file = try SafetensorsFile(path)
        #expect(file.metadata == metadata)
        #expect(file.names == Self.tensors.map(\.name).sorted())
        for (name, tensor) in Self.tensors {
            #expect(try file.tensor(named: name) == tensor)
            #expect(file.dtype(named: name) == tensor.dtype)
            #expect(file.shape(named: name) == tensor.shape)
        }
        #expect(throws: FormatError(path: path, "holds no tensor no")) { try file.tensor(named: "no") }
    }

    @Test("the bytes are those of the specification")
    func layout() throws {
        let bytes = try Safetensors.encode([("b", Tensor([1, 2] as [UInt8])), ("a", Tensor(1 as Float))])
        let header =
            #"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        #expect(bytes == file(header: padded) + [0, 0, 0x80, 0x3F, 1, 2])
    }

    @Test("tensors are asked for one at a time; a failure leaves no file")
    func streaming() throws {
        struct Stop: Error {}
        let declarations = ["a", "b"].map { Safetensors.Declaration(name: $0, dtype: .float32, shape: [2]) }
        var asked: [String] = []
        #expect(throws: Stop.self) {
            try Safetensors.write(declarations, to: folder.file("a")) { name in
                asked.append(name)
                if name == "b" { throw Stop() }
                return Tensor([1, 2] as [Float])
            }
        }
        #expect(asked == ["a", "b"])
        #expect(try folder.names == [])
    }

    @Test("a name that is taken is refused")
    func names() throws {
        let one = Tensor(1 as Float)
        #expect(throws: FormatError.self) { try Safetensors.encode([("a", one), ("a", one)]) }
        #expect(throws: FormatError.self) { try Safetensors.encode([("__metadata__", one)]) }
    }

    @Test("a file cut anywhere is an error")
    func truncation() throws {
        let whole = try Safetensors.encode(Self.tensors)
        for length in 0..<whole.count {
            let path = try folder.write(whole.prefix(length), "cut")
            #expect(throws: FormatError.self) { try SafetensorsFile(path) }
        }
        let path = try folder.write(whole + [0], "long")
        #expect(throws: FormatError(path: path, "is corrupt: 1 bytes follow the last tensor")) {
            try SafetensorsFile(path)
        }
    }

    @Test(
        "a header that lies is found out",
        arguments: [
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "leaves a hole before it"),
            (
                #"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#,
                "overlaps another"
            ),
            (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "does not take 8 bytes"),
            (#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#, "does not take 0 bytes"),
            (#"{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}}"#, "does not take 8 bytes"),
            (#"{"a":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}"#, "has the shape [-2, -1]"),
            (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, "ends at byte 12 of 8"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "has the offsets [8, 0]"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, "has the offsets [-8, 0]"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "has the offsets [0]"),
            (#"{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}"#, "of the dtype F16"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}"#, "entry a is malformed"),
            (#"{"a":[]}"#, "entry a is malformed"), (#"{"__metadata__":{"a":1}}"#, "entry __metadata__ is malformed"),
            (#"{"a""#, "is no JSON object"), ("[]", "is no JSON object"),
        ])
    func lies(header: String, what: String) throws {
        let path = try folder.write(file(header: header, data: 8), "lie")
        let error = #expect(throws: FormatError.self) { try SafetensorsFile(path) }
        #expect(error?.description.contains(what) == true, "\(error?.description ?? "")")
    }

    @Test("a header length beyond the file takes no memory")
    func length() throws {
        let path = try folder.write([255, 255, 255, 255, 255, 255, 255, 255, 0x7B], "length")
        #expect(throws: FormatError.self) { try SafetensorsFile(path) }
    }

    @Test("a bool is true whatever its byte")
    func bools() throws {
        let path = try folder.write(
            file(header: #"{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#, data: 2), "b")
        #expect(try SafetensorsFile(path).tensor(named: "a") == Tensor([true, true]))
    }
}
