import Cluster
import Foundation
import Testing
import Training

@Suite("Configuration files")
struct ConfigurationFileTests {
    private static let configs = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../../configs").standardizedFileURL.path

    @Test("the quickstart is the embedded digits, one server, two workers")
    func quickstart() throws {
        let config = try JobConfig.load(path: Self.configs + "/quickstart.yaml")
        #expect(config.data.format == .embedded && config.model.hidden == [256, 128])
        #expect(config.train.batch == 32 && config.train.length == .epochs(12) && config.train.optimizer == .adam)
        #expect(config.cluster.servers == 1 && config.cluster.workers == 2 && config.cluster.consistency == .async)
    }

    @Test("MNIST needs its path, which comes from the command line")
    func mnist() throws {
        let path = Self.configs + "/mnist.yaml"
        let config = try JobConfig.load(path: path, overrides: ["data.path=/mnist"])
        #expect(config.data.format == .idx && config.data.path == "/mnist" && config.train.length == .epochs(5))
        let error = #expect(throws: ConfigurationError.self) { try JobConfig.load(path: path) }
        #expect(error?.description.contains("data.path is required") == true)
        #expect(error?.description.contains("--set data.path=DIR") == true)
    }

    @Test(
        "the other models' files need but the path of their data", arguments: ["mnist-cnn", "mnist-lstm", "movielens"])
    func otherModels(name: String) throws {
        let path = "\(Self.configs)/\(name).yaml"
        let config = try JobConfig.load(path: path, overrides: ["data.path=/data"])
        #expect(config.job == name && JobConfig.builtInModelKinds.contains(config.model.kind))
        #expect(throws: ConfigurationError.self) { try JobConfig.load(path: path) }
    }

    @Test("a file that cannot be read is named with the reason")
    func unreadable() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tributary-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func message(_ name: String, _ content: Data?) throws -> String? {
            let file = folder.appendingPathComponent(name)
            try content?.write(to: file)
            do throws(ConfigurationError) {
                _ = try JobConfig.load(path: file.path)
                return nil
            } catch {
                return error.description.replacing(folder.path + "/", with: "")
            }
        }
        #expect(
            try message("absent", nil)
                == "absent: 1 mistake\n  the configuration cannot be read: No such file or directory")
        #expect(try message("", nil)?.contains("Is a directory") == true)
        #expect(try message("latin", Data([0x61, 0xE9])) == "latin: 1 mistake\n  the configuration is not UTF-8 text")
        #expect(try message("empty", Data())?.hasPrefix("empty: 1 mistake\n  the configuration is empty") == true)
        let large = Data(repeating: UInt8(ascii: "#"), count: 1 << 20 + 1)
        #expect(try message("large", large) == "large: 1 mistake\n  the configuration is larger than 1 MiB")
        #expect(try message("marked", Data("\u{FEFF}job: x\r\nseed: 2\r\n".utf8)) == nil)
        #expect(try message("path", Data("data: {format: csv, path: a/../b.csv}".utf8)) == nil)
    }

    @Test("paths in the file start at its folder")
    func relativePath() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("tributary-\(UUID()).yaml")
        try Data("data: {format: csv, path: a/../b.csv}".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let folder = file.deletingLastPathComponent().standardizedFileURL.path
        #expect(try JobConfig.load(path: file.path).data.path == folder + "/b.csv")
    }

    @Test(
        "hostile text gives an error soon",
        arguments: [
            "brackets", "braces", "dashes", "questions", "indents", "aliases", "alias keys", "keys", "duplicates",
            "numbers", "noise", "scalar", "list", "tags", "quotes",
        ])
    func hostile(name: String) {
        let mebi = 1 << 20
        let bomb = (1...40).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        var random = SystemRandomNumberGenerator()
        let text =
            switch name {
            case "brackets": String(repeating: "[", count: mebi)
            case "braces": String(repeating: "{a: ", count: mebi / 4)
            case "dashes": String(repeating: "- ", count: mebi / 2)
            case "questions": String(repeating: "? ", count: mebi / 2)
            case "indents": (0..<1400).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
            case "aliases": "a0: &a0 x\n" + bomb
            case "alias keys": "a0: &a0 x\n" + bomb + "? *a40\n: 1\n? *a39\n: 1\n"
            case "keys": (0..<60_000).map { "trainer\($0): \($0)\n" }.joined()
            case "duplicates": String(repeating: "seed: 1\n", count: mebi / 8)
            case "numbers": "seed: " + String(repeating: "9", count: mebi - 10)
            case "noise":
                String(decoding: (0..<mebi / 2).map { _ in UInt8.random(in: 1...127, using: &random) }, as: UTF8.self)
            case "scalar": "job: [" + String(repeating: "x", count: mebi - 10)
            case "list": "model: {hidden: [" + String(repeating: "0,", count: mebi / 2 - 20) + "]}"
            case "tags": "seed: !!" + String(repeating: "x", count: mebi - 20) + " x"
            default: "job: " + String(repeating: "\"x\" ", count: mebi / 4 - 10)
            }
        let time = ContinuousClock().measure { #expect(!mistakes(in: text).isEmpty) }
        #expect(time < .seconds(10), "\(name): \(time)")
    }
}
