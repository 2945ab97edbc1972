import Dataflow
import Interchange
import Testing

@Suite("NumPy's files")
struct NumpyTests {
    let folder = try! TemporaryFolder()

    @Test("what NumPy saved is read", arguments: NumpyFixtures.arrays.indices)
    func reads(index: Int) throws {
        let (saved, shape, values, dtype, base64) = NumpyFixtures.arrays[index]
        let tensor = try Npy.decode(bytes(ofBase64: base64), name: saved)
        #expect(tensor.dtype == dtype)
        #expect(tensor.shape == Shape(shape))
        #expect(try tensor.doubles.map { Float($0) } == values.map { Float($0) })
    }

    @Test("a dtype that is not ours is named", arguments: NumpyFixtures.refused.indices)
    func refuses(index: Int) throws {
        let (dtype, base64) = NumpyFixtures.refused[index]
        let error = #expect(throws: FormatError.self) { try Npy.decode(bytes(ofBase64: base64), name: "a.npy") }
        #expect(error?.description.contains(dtype) == true)
    }

    @Test("texts come through, those of code points too")
    func texts() throws {
        let tensor = Tensor(texts: ["a", "", "é€"], sized: [3, 1])
        let read = try Npy.decode(Npy.encode(tensor), name: "texts")
        #expect(try read.shape == [3, 1] && read.texts == ["a", "", "é€"])
        // np.array(["ab"])
        let saved = """
            k05VTVBZAQB2AHsnZGVzY3InOiAnPFUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsKSwgfSAgICAg\
            ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphAAAAYgAAAA==
            """
        #expect(try Npy.decode(bytes(ofBase64: saved), name: "<U2").texts == ["ab"])
    }

    @Test("a file cut anywhere, or too long, is an error", arguments: [0, 13])
    func truncation(index: Int) throws {
        let whole = try bytes(ofBase64: NumpyFixtures.arrays[index].base64)
        for length in 0..<whole.count {
            #expect(throws: FormatError.self) { try Npy.decode(Array(whole.prefix(length)), name: "cut") }
        }
        #expect(throws: FormatError.self) { try Npy.decode(whole + [0], name: "long") }
    }

    @Test("a flipped header byte never traps")
    func headers() throws {
        let whole = try bytes(ofBase64: NumpyFixtures.arrays[0].base64)
        for at in 0..<128 {
            for value: UInt8 in [0, 0x27, 0x28, 0x29, 0x2C, 0x39, 0x7D, 0xFF] {
                var changed = whole
                changed[at] = value
                _ = try? Npy.decode(changed, name: "changed")
            }
        }
    }

    @Test(
        "a shape beyond all memory takes none",
        arguments: ["(9223372036854775807, 9)", "(4611686018427387904,)", "(99999999999999999999,)", "(-1,)"])
    func huge(shape: String) throws {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
        let bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
        #expect(throws: FormatError.self) { try Npy.decode(bytes, name: "huge") }
    }

    @Test("what is written is what NumPy writes, byte for byte", arguments: [0, 1, 2, 3, 4, 5, 14, 15])
    func writes(index: Int) throws {
        let fixture = try bytes(ofBase64: NumpyFixtures.arrays[index].base64)
        let tensor = try Npy.decode(fixture, name: "fixture")
        #expect(try Npy.encode(tensor) == fixture)
        try Npy.write(tensor, to: folder.file("a.npy"))
        #expect(try Npy.read(folder.file("a.npy")) == tensor)
    }

    @Test("NumPy has no bfloat16")
    func bfloat16() throws {
        #expect(throws: FormatError.self) { try Npy.encode(Tensor([BFloat16(1)])) }
    }

    @Test("archives of NumPy are read", arguments: [NumpyFixtures.stored, NumpyFixtures.deflated])
    func archives(base64: String) throws {
        let file = try NpzFile(folder.write(bytes(ofBase64: base64), "a.npz"))
        #expect(file.names == ["x", "y"])
        #expect(try file.tensor(named: "x") == Tensor([[1, 2], [3, 4]], dtype: .uint8))
        #expect(try file.tensor(named: "y") == Tensor([0, 1] as [Int64]))
        let error = #expect(throws: FormatError.self) { try file.tensor(named: "z") }
        #expect(error?.what == "holds no array z; it holds x, y")
    }

    @Test(
        "an archive cut or damaged anywhere is an error or reads the same",
        arguments: [NumpyFixtures.stored, NumpyFixtures.deflated])
    func damage(base64: String) throws {
        let whole = try bytes(ofBase64: base64)
        func read(_ bytes: [UInt8]) throws -> [Tensor] {
            let file = try NpzFile(folder.write(bytes, "damaged.npz"))
            return try [file.tensor(named: "x"), file.tensor(named: "y")]
        }
        let right = try read(whole)
        for length in 0..<whole.count { #expect(throws: FormatError.self) { try read(Array(whole.prefix(length))) } }
        for at in whole.indices {
            for value: UInt8 in [0x00, 0x7F, 0xFF] where whole[at] != value {
                var changed = whole
                changed[at] = value
                if let tensors = try? read(changed) { #expect(tensors == right, "byte \(at) as \(value)") }
            }
        }
    }

    @Test("an archive that is written reads back")
    func writesArchive() throws {
        let arrays: [(name: String, tensor: Tensor)] = [
            ("x", Tensor([[1, 2], [3, 4]], dtype: .float32)), ("y", Tensor([true, false])),
            ("größe", Tensor(5 as Int64)),
        ]
        try Npz.write(arrays, to: folder.file("a.npz"))
        let file = try NpzFile(folder.file("a.npz"))
        #expect(file.names == ["größe", "x", "y"])
        for (name, tensor) in arrays { #expect(try file.tensor(named: name) == tensor) }
    }
}
