import Cluster
import Dataflow
import Foundation
import Interchange
import Training

/// Reads damaged files of every other format: arrays, tables, configurations, checkpoints, graphs with what stands beside
/// them.
struct FileSubject: Subject {
    enum Depth: String, CaseIterable { case refused, decoded }

    /// A format: a whole file of it, and how it is read.
    private struct Format {
        let name: String
        let file: [UInt8]
        /// What is added to a damaged file so that its checksums fit.
        var sealed: ([UInt8]) -> [UInt8] = { $0 }
        let read: (_ path: String) throws -> Void
    }

    private let formats: [Format]
    private let folder: String

    init(folder: String) throws {
        self.folder = folder
        let number = Tensor([Float(1), 2, 3, 4, 5, 6], sized: [2, 3])
        let labels = Tensor([Int64(0), 1])
        func made(_ name: String, _ write: (String) throws -> Void) throws -> [UInt8] {
            let path = "\(folder)/\(name)"
            try write(path)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        let idx: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2] + Array(1...8)
        let yaml = """
            job: test
            seed: 1
            model: { kind: mlp, hidden: [4, 3], activation: relu }
            data: { format: csv, path: a.csv, scale: standardize }
            train: { optimizer: adam, learning_rate: 0.001, batch: 64, epochs: 3, schedule: { kind: cosine, steps: 9 } }
            cluster: { servers: 1, workers: 2, consistency: { staleness: 4 } }
            checkpoint: { directory: /tmp/none, every_steps: 500, keep: 3 }
            """
        let aliases = """
            job: &name test
            model: { kind: mlp, hidden: &h [4, 3, *name], x: &x [*h, *h], y: &y [*x, *x], z: [\u{2028}*y, \u{85}*y] }
            ? &k [*x]
            : { *name : *k, list: [*h, *x, *y] }
            """
        // A table, gzipped.
        let packed = "H4sIAAAAAAACA0vUSdLJSUxKzeEy1DHSM9Wp4NI11jFMNdap5DLRMQByzXUsgOzEoa8MALaM7BvqAAAA"
        let part = Manifest.fileName(step: 3, server: 0, of: 1)
        let bytes = try Safetensors.write([("w", number)], to: "\(folder)/\(part)")
        let table = "1,2.5,red\n-3,NA,\n\"4\",0,\"bl\"\"ue\"\r7,8,é\n"
        let manifest = """
            {"format":1,"job":"a","fingerprint":"f","step":3,"done":[[0,3]],"missed":[[1,2]],"ahead":{"weights":[[3,4]]},"seed":1,"batch":2,"order":{"examples":9,"shuffle":true,"origin":[1,2,3]},"files":[{"name":"\(part)","bytes":\(bytes)}],"loss":0.5}
            """
        let files: [Format] = [
            Format(name: "a.index", file: try CheckpointIndex.block(folder), sealed: CheckpointIndex.table) { path in
                let checkpoint = try TensorFlowCheckpoint(String(path.dropLast(6)))
                for name in checkpoint.names { _ = try checkpoint.tensor(named: name) }
            },
            Format(name: "a.npy", file: try Npy.encode(number)) { _ = try Npy.read($0) },
            Format(
                name: "a.npz",
                file: try made("a.npz") { try Npz.write([("x_train", number), ("y_train", labels)], to: $0) }
            ) {
                let file = try NpzFile($0)
                for name in file.names { _ = try file.tensor(named: name) }
            },
            Format(
                name: "a.safetensors",
                file: try made("a.safetensors") {
                    _ = try Safetensors.write([("w", number), ("b", labels)], metadata: ["a": "b"], to: $0)
                }
            ) {
                let file = try SafetensorsFile($0)
                for name in file.names { _ = try file.tensor(named: name) }
            },
            Format(name: "a.idx", file: idx) { _ = try IDXReader.read($0) },
            Format(name: "a.csv", file: Array("a,b,label\n1,2.5,x\n-3,1e3,y\n\"4\",0,\"x\"\"\"\n7,8,y\n".utf8)) {
                _ = try CSVReader().split(path: $0)
            },
            Format(name: "b.csv", file: [0xFF, 0xFE] + table.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }) {
                path in
                let reader = CSVReader(label: .index(0), task: .regression, categorical: [.index(2)])
                let data = try reader.split(path: path).filled(.median)
                _ = try reader.features(path, by: Preprocessing(fittedTo: data.training, scale: .standardize))
            },
            Format(name: "u.data", file: Array("u,i,r,t,job\n1,\"a, b\",3,9,x\n2,c,4,8,\n".utf8)) {
                _ = try RatingsReader().split(path: $0)
            },
            Format(name: "a.yaml", file: Array(yaml.utf8)) { _ = try JobConfig.load(path: $0) },
            Format(name: "b.yaml", file: Array(aliases.utf8)) { _ = try JobConfig.load(path: $0) },
            Format(name: "a.csv.gz", file: [UInt8](Data(base64Encoded: packed) ?? Data())) {
                _ = try CSVReader().split(path: $0)
            },
            Format(name: "checkpoint-3.json", file: Array(manifest.utf8)) { path in
                let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
                let found = try CheckpointDirectory(directory)
                for manifest in found.usable {
                    _ = (manifest.doneBatches(ofShard: "weights"), manifest.missedExamples)
                    _ = try CheckpointReader(manifest, directory: directory)
                    let schedule = BatchSchedule(of: 5, batch: 2, seed: 1)
                    let resumption = try Resumption(
                        manifest, schedule: schedule, seed: manifest.seed, directory: directory)
                    _ = BatchSchedule(
                        of: max(5, resumption.origin.place + 1), batch: 2, seed: 1, origin: resumption.origin
                    )
                    .firstBatch(ofEpoch: 9)
                }
                if let damage = found.damaged.first { throw NodeError(.badData, damage.reason) }
                _ = try found.newest()
            },
        ]
        formats = try files + Model.files().map { name, file in Format(name: name, file: file, read: Model.read) }
    }

    func read(_ chance: inout Chance) throws -> Depth {
        let format = chance.pick(formats)
        var file = format.file
        ByteDamage(others: formats.map(\.file)).apply(to: &file, &chance)
        let path = "\(folder)/\(format.name)"
        try Data(format.sealed(file)).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do { try format.read(path) } catch is FormatError { return .refused } catch is NodeError {
            return .refused
        } catch is ConfigurationError { return .refused } catch is GraphError { return .refused }
        return .decoded
    }
}
