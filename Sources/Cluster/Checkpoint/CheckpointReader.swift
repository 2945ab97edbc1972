package import Dataflow
internal import Interchange

/// Reads Variables out of a checkpoint that any number of servers wrote, cut in any way.
package final class CheckpointReader: Sendable {
    package let manifest: Manifest
    private let directory: String
    /// Parts of each Variable: elements and where they are.
    private let parts: [String: [(range: Range<Int>?, file: SafetensorsFile, name: String)]]
    private let files: [SafetensorsFile]

    /// Reads and checks the files' headers.
    ///
    /// - Throws: `FormatError` naming a file that is missing or broken, `NodeError` for one that is another than the
    ///   manifest's.
    package init(_ manifest: Manifest, directory: String) throws {
        self.manifest = manifest
        self.directory = directory
        var files: [SafetensorsFile] = []
        var parts: [String: [(range: Range<Int>?, file: SafetensorsFile, name: String)]] = [:]
        for file in manifest.files {
            let opened = try SafetensorsFile("\(directory)/\(file.name)")
            if let header = file.header {
                guard opened.headerChecksum == header else {
                    throw NodeError(
                        .badData, "\(opened.path) is damaged: its header is not the one that the manifest was made for")
                }
                guard opened.hasChecksums else {
                    throw NodeError(.badData, "\(opened.path) is damaged: a tensor of it has no checksum")
                }
            }
            files.append(opened)
            for name in opened.names {
                let (variable, range) = CheckpointReader.parse(name)
                parts[variable, default: []].append((range, opened, name))
            }
        }
        (self.files, self.parts) = (files, parts)
    }

    /// Reads all of it. Throws `FormatError` for a tensor that is not as it was written.
    package func verify() throws { for file in files { try file.verify() } }

    /// "w[10..<20]" → ("w", 10..<20); "beta1_power@3", shard 3's copy of a replica → ("beta1_power", nil).
    static func parse(_ name: String) -> (variable: String, range: Range<Int>?) {
        if name.hasSuffix("]"), let open = name.lastIndex(of: "[") {
            let bounds = name[name.index(after: open)...].dropLast().split(separator: "..<").compactMap { Int($0) }
            if bounds.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1] {
                return (String(name[..<open]), bounds[0]..<bounds[1])
            }
        }
        if let at = name.lastIndex(of: "@"), Int(name[name.index(after: at)...]) != nil {
            return (String(name[..<at]), nil)
        }
        return (name, nil)
    }

    package var variables: [String] { parts.keys.sorted() }

    /// A Variable's dtype and shape: that of a vector, if it was cut. Nil if the checkpoint lacks it.
    package func spec(named name: String) -> (spec: TensorSpec, isCut: Bool)? {
        guard let found = parts[name], let first = found.first, let dtype = first.file.dtype(named: first.name) else {
            return nil
        }
        let ends = found.compactMap(\.range?.upperBound)
        guard ends.isEmpty else { return (TensorSpec(dtype, [ends.max() ?? 0]), true) }
        return first.file.shape(named: first.name).map { (TensorSpec(dtype, $0), false) }
    }

    /// The whole Variable.
    /// - Throws: `NodeError` if the checkpoint lacks it or a part of it.
    package func tensor(named name: String, dtype: DType, shape: Shape) throws -> Tensor {
        guard let found = parts[name] else {
            throw NodeError(
                .badData, "the checkpoint at step \(manifest.step) in \(directory) lacks the Variable '\(name)'")
        }
        let total = shape.elementCount ?? 0
        // All of it is known to be there before any memory is taken.
        var covered = RangeSet<Int>()
        for part in found {
            let range = part.range ?? 0..<total
            let (partDType, partShape) = (part.file.dtype(named: part.name), part.file.shape(named: part.name))
            guard partDType == dtype, partShape?.elementCount == range.count, range.upperBound <= total else {
                let what = "\(partDType.map { "\($0)" } ?? "")\(partShape.map { "\($0)" } ?? "")"
                throw NodeError(
                    .badData, "'\(part.name)' in \(part.file.path) is \(what), which does not fit \(dtype)\(shape)")
            }
            covered.insert(contentsOf: range)
        }
        guard total == 0 || covered == RangeSet(0..<total) else {
            throw NodeError(
                .badData, "the checkpoint at step \(manifest.step) in \(directory) lacks a part of '\(name)'")
        }
        let result = Tensor.zeros(dtype, sized: shape)
        for part in found {
            let tensor = try part.file.tensor(named: part.name)
            let range = part.range ?? 0..<total
            tensor.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress {
                    (result.storage.pointer + range.lowerBound * dtype.size).copyMemory(
                        from: base, byteCount: bytes.count)
                }
            }
        }
        return result
    }
}
