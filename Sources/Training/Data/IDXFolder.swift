internal import Foundation
internal import Interchange

/// Finds the four IDX files of a data set: images and labels, to train on and to test on.
///
/// MNIST, Fashion-MNIST and KMNIST call them `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` and so on; as unpacked by
/// some programs, `train-images.idx3-ubyte`. EMNIST and QMNIST put a name before: `emnist-letters-train-images-idx3-ubyte`,
/// `qmnist-test-labels-idx2-int`. Each may end in `.gz`, or lie in a folder of its own name.
struct IDXFolder {
    /// The paths of those that are wanted.
    private let files: [IDXName.Part: String]

    subscript(part: IDXName.Part) -> String { files[part] ?? "" }

    /// - Parameters:
    ///   - path: the folder; where it holds several sets, followed by the one's name.
    ///   - parts: what must be there.
    /// - Throws: `FormatError` that says what is missing, or which sets there are.
    init(_ path: String, parts: [IDXName.Part] = IDXName.Part.allCases) throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let url = URL(fileURLWithPath: path)
        guard exists || !FileManager.default.fileExists(atPath: url.deletingLastPathComponent().path) else {
            let folder = url.deletingLastPathComponent().path
            files = try Self.choose(in: folder, try Self.list(folder), set: url.lastPathComponent, parts)
            return
        }
        guard isFolder.boolValue || !exists else {
            throw FormatError(path: path, "is a file; data.path wants the folder that holds the four IDX files")
        }
        files = try Self.choose(in: path, try Self.list(path), set: nil, parts)
    }

    private static func list(_ folder: String) throws -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
            let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.code
            throw FormatError(path: folder, "cannot be read", systemCode: Int32(code ?? Int(ENOENT)))
        }
    }

    private static func choose(
        in folder: String, _ entries: [String], set: String?, _ parts: [IDXName.Part]
    ) throws -> [IDXName.Part: String] {
        var sets = Dictionary(grouping: entries.compactMap(IDXName.init), by: \.set)
        if let set {
            guard let names = sets[set] ?? sets[set + "-"] else {
                let known = sets.isEmpty ? "no IDX files" : "the sets \(shown(sets.keys))"
                throw FormatError(path: "\(folder)/\(set)", "is no folder, and beside it lie \(known)")
            }
            sets = [set: names]
        }
        let whole = sets.filter { Set(parts).isSubset(of: $0.value.map(\.part)) }
        guard whole.count <= 1 else {
            throw FormatError(
                path: folder,
                "holds several sets: \(shown(whole.keys)); say which, e.g. data.path: \(folder)/"
                    + (whole.keys.map(called).sorted().first { $0 != plain } ?? ""))
        }
        guard let names = whole.values.first else {
            let found = sets.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
            let prefix = found?.key ?? ""
            let present = Set(found?.value.map(\.part) ?? [])
            let missing = parts.filter { !present.contains($0) }.map { prefix + $0.standardName }
            throw FormatError(
                path: folder, "holds no \(missing.joined(separator: ", no ")) (nor with .gz, or .idx for -idx)")
        }
        let files = parts.map { part in
            // Plain before gzipped.
            let name = names.filter { $0.part == part }.map(\.name).min { ($0.count, $0) < ($1.count, $1) } ?? ""
            return (part, inner("\(folder)/\(name)", part))
        }
        return Dictionary(files) { first, _ in first }
    }

    /// The file in a folder of its own name, as some archives unpack; else the path itself.
    private static func inner(_ path: String, _ part: IDXName.Part) -> String {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return path }
        return names.sorted().first { IDXName($0)?.part == part }.map { "\(path)/\($0)" } ?? path
    }

    private static let plain = "(without a name)"

    private static func called(_ set: String) -> String {
        set.isEmpty ? plain : String(set.reversed().drop { "-_.".contains($0) }.reversed())
    }

    private static func shown(_ sets: some Sequence<String>) -> String {
        sets.map(called).sorted().joined(separator: ", ")
    }
}

/// The name of an IDX file in its parts.
struct IDXName {
    enum Part: CaseIterable {
        case trainingImages, trainingLabels, testImages, testLabels

        var standardName: String {
            switch self {
            case .trainingImages: "train-images-idx3-ubyte"
            case .trainingLabels: "train-labels-idx1-ubyte"
            case .testImages: "t10k-images-idx3-ubyte"
            case .testLabels: "t10k-labels-idx1-ubyte"
            }
        }
    }

    let name: String
    /// What stands before `train` or `test`: `emnist-letters-`, or nothing.
    let set: String
    let part: Part

    /// nil if the name is no such one.
    init?(_ name: String) {
        let pattern =
            #/^(?<set>.*?)(?<half>train|t10k|test)[-_.]?(?<kind>images|labels)[-_.]?idx(?:\d(?:[-_.]?(?:ubyte|byte|int|short|float|double))?)?(?:\.idx)?(?:\.gz)?$/#
            .ignoresCase()
        guard name.lowercased().contains("idx"), let match = name.wholeMatch(of: pattern) else { return nil }
        let isTraining = match.half.lowercased() == "train"
        self.name = name
        set = String(match.set)
        part =
            match.kind.lowercased() == "images"
            ? (isTraining ? .trainingImages : .testImages) : (isTraining ? .trainingLabels : .testLabels)
    }
}
