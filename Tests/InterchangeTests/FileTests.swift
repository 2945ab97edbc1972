import Foundation
import Interchange
import Testing

@Suite("Files")
struct FileTests {
    /// "tributary\n" eight times, by gzip 1.12.
    static let zipped = "H4sIAAAAAAACAyspykwqLUksquQqoQoLAOlihnZQAAAA"
    static let plain = [UInt8](String(repeating: "tributary\n", count: 8).utf8)

    let folder = try! TemporaryFolder()

    @Test("a gzipped file and a plain one read the same")
    func reads() throws {
        let zipped = try bytes(ofBase64: Self.zipped)
        #expect(try Gzip.read(folder.write(zipped, "a.gz")) == Self.plain)
        #expect(try Gzip.read(folder.write(zipped + zipped, "b.gz")) == Self.plain + Self.plain)
        #expect(try Gzip.read(folder.write(Self.plain, "c")) == Self.plain)
        #expect(try Gzip.read(folder.write([], "d")) == [])
    }

    @Test("a gzipped file cut anywhere is an error that names it")
    func truncation() throws {
        let zipped = try bytes(ofBase64: Self.zipped)
        for length in 2..<zipped.count {
            let path = try folder.write(zipped.prefix(length), "cut.gz")
            #expect(throws: FormatError(path: path, "is truncated: the gzip stream ends early")) { try Gzip.read(path) }
        }
    }

    @Test("a flipped bit and bytes behind the end are errors")
    func corruption() throws {
        var zipped = try bytes(ofBase64: Self.zipped)
        let trailing = try folder.write(zipped + [1, 2, 3], "trailing.gz")
        #expect(throws: FormatError(path: trailing, "is corrupt: bytes that are no gzip follow the gzip stream")) {
            try Gzip.read(trailing)
        }
        zipped[zipped.count - 6] ^= 1
        let path = try folder.write(zipped, "flipped.gz")
        #expect(throws: FormatError(path: path, "is corrupt: incorrect data check")) { try Gzip.read(path) }
    }

    @Test("no more is inflated than is allowed")
    func limit() throws {
        let path = try folder.write(bytes(ofBase64: Self.zipped), "a.gz")
        #expect(try Gzip.read(path, limit: 80).count == 80)
        #expect(throws: FormatError(path: path, "is longer than the 79 bytes that are allowed")) {
            try Gzip.read(path, limit: 79)
        }
    }

    @Test("a missing file is named, with the system's reason")
    func missing() throws {
        let error = #expect(throws: FormatError.self) { try Gzip.read("/nowhere/data.gz") }
        #expect(error?.description == "/nowhere/data.gz: cannot be opened: No such file or directory (errno 2)")
        #expect(throws: FormatError.self) { try Gzip.read(folder.path) }
    }

    @Test("a file is replaced whole, and nothing else is left")
    func replaces() throws {
        let path = folder.file("a")
        try AtomicFile.write([1, 2, 3], to: path)
        let long = [UInt8](repeating: 7, count: 200_000)
        let count = try AtomicFile.write(to: path) { file in
            try file.append([1])
            try file.append(long)
            try file.append([2])
            return file.count
        }
        #expect(count == 200_002)
        #expect(try contents(path) == [1] + long + [2])
        #expect(try folder.names == ["a"])
    }

    @Test("on a full disk the old file stays and the temporary one goes", arguments: [10, 1 << 20])
    func fullDisk(length: Int) throws {
        let path = folder.file("a")
        try AtomicFile.write([1, 2, 3], to: path)
        let error = #expect(throws: FormatError.self) {
            try AtomicFile.write(to: path) { file in
                // Every further byte of the temporary file goes to a device that is full.
                let full = open("/dev/full", O_WRONLY)
                #expect(dup2(full, file.descriptor) == file.descriptor)
                close(full)
                try file.append([UInt8](repeating: 1, count: length))
            }
        }
        #expect(error?.description == "\(path): cannot be written: No space left on device (errno 28)")
        #expect(error?.systemCode == ENOSPC)
        #expect(try contents(path) == [1, 2, 3])
        #expect(try folder.names == ["a"])
    }

    @Test("what the writer throws leaves no file")
    func abandoned() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try AtomicFile.write(to: folder.file("a")) { file in
                try file.append([1])
                throw Stop()
            }
        }
        #expect(try folder.names == [])
        #expect(throws: FormatError.self) { try AtomicFile.write([1], to: "/nowhere/a") }
        #expect(throws: FormatError.self) { try AtomicFile.write([1], to: folder.path) }
    }
}
