internal import ArgumentParser
internal import Cluster
internal import Dataflow
internal import Foundation
internal import Interchange

/// For `make conformance`, which compiles every CUDA kernel without a GPU.
struct GraphKernelsCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Writes the CUDA source of every kernel that a GPU would run for graphs.",
        discussion: """
            Takes folders like 'graph check'. Writes the source of each kernel for CUDA's compiler NVRTC to a file \
            ENTRY-NUMBER.cu in --out. Runs nothing and needs no GPU.

              tributary graph kernels --out kernels cases/*
            """, shouldDisplay: false)

    @Argument(help: "Folders.") var folders: [String]
    @Option(help: "The folder to write into.") var out: String

    func run(_ invocation: Invocation) throws {
        let texts = KernelTexts()
        var operations: Set<String> = []
        var problems: [String] = []
        for folder in folders {
            do {
                operations.formUnion(try GraphCheck.collectKernels(absolute(folder), into: texts))
            } catch { problems.append("\(folder): \(error)") }
        }
        let target = absolute(out)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for (number, text) in texts.all.enumerated() {
            try AtomicFile.write(text.source, to: "\(target)/\(text.entry)-\(number).cu")
        }
        // Operations with a GPU kernel that no graph has: their sources were not written.
        let missing = GPUCoverage.withKernels.filter { !operations.contains($0) }
        try invocation.console.write(
            "\(texts.all.count) kernels of \(operations.count) operations from \(folders.count) graphs")
        if !missing.isEmpty {
            invocation.console.log("operations that no graph has: \(missing.joined(separator: ", "))")
        }
        if !problems.isEmpty {
            throw Failure(
                .badData,
                message: "tributary: \(problems.count) graphs have no plan:\n\(problems.joined(separator: "\n"))")
        }
    }
}
