public import Dataflow

/// A file that `numpy.savez` or `savez_compressed` wrote: named arrays in a zip file. Read one by one, on demand.
public final class NpzFile: Sendable {
    private let archive: ZipArchive
    private let entries: [String: ZipArchive.Entry]
    /// The arrays' names, sorted.
    public let names: [String]
    public var path: String { archive.path }

    /// Reads the directory only. Throws `FormatError`.
    public init(_ path: String) throws {
        archive = try ZipArchive(path: path)
        var entries: [String: ZipArchive.Entry] = [:]
        for entry in archive.entries where entry.name.hasSuffix(".npy") {
            guard entries.updateValue(entry, forKey: String(entry.name.dropLast(4))) == nil else {
                throw FormatError(path: path, "is corrupt: it holds \(entry.name) twice")
            }
        }
        self.entries = entries
        names = entries.keys.sorted()
    }

    /// An array's dtype, as it will be read, and shape. Throws `FormatError` as `tensor(named:)`.
    public func spec(named name: String) throws -> TensorSpec {
        try Npy.spec(archive.read(entry(name)), name: "\(path)[\(name)]")
    }

    private func entry(_ name: String) throws -> ZipArchive.Entry {
        guard let entry = entries[name] else {
            throw FormatError(path: path, "holds no array \(name); it holds \(names.joined(separator: ", "))")
        }
        return entry
    }

    /// Reads one array. Throws `FormatError` if there is none of this name, or it is damaged.
    public func tensor(named name: String) throws -> Tensor {
        try Npy.decode(archive.read(entry(name)), name: "\(path)[\(name)]")
    }
}

/// Writes `.npz` files.
public enum Npz {
    /// Writes named arrays as `numpy.savez` does, uncompressed, whole or not at all.
    ///
    /// - Throws: `FormatError`; also for bfloat16, and for 4 GiB or more in all.
    public static func write(_ arrays: [(name: String, tensor: Tensor)], to path: String) throws {
        try AtomicFile.write(to: path) { file in
            var directory: [UInt8] = []
            for (name, tensor) in arrays {
                let array = try Npy.encode(tensor, name: path)
                let fileName = Array("\(name).npy".utf8)
                guard file.count + array.count < 0xFFFF_0000, arrays.count < 0xFFFF, fileName.count < 0xFFFF else {
                    throw FormatError(path: path, "cannot be written: more than 4 GiB or 65,534 arrays in an .npz")
                }
                // Version 2.0; flag 0x800: the name is UTF-8; stored; 1 January 1980.
                let common =
                    little(20, 2) + little(0x800, 2) + little(0, 2) + little(0, 2) + little(0x21, 2)
                    + little(Int(array.withUnsafeBytes { crc32(of: $0) }), 4) + little(array.count, 4)
                    + little(array.count, 4) + little(fileName.count, 2) + little(0, 2)
                directory +=
                    little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 2) + little(0, 2) + little(0, 2)
                directory += little(0, 4) + little(file.count, 4) + fileName
                try file.append(little(0x0403_4B50, 4) + common + fileName)
                try file.append(array)
            }
            let start = file.count
            try file.append(directory)
            try file.append(
                little(0x0605_4B50, 4) + little(0, 4) + little(arrays.count, 2) + little(arrays.count, 2)
                    + little(directory.count, 4) + little(start, 4) + little(0, 2))
        }
    }

    private static func little(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

extension NpzFile: CustomStringConvertible {
    public var description: String { "\(path): \(ShortList.text(names))" }
}
