internal import ArgumentParser
internal import Dataflow
internal import Foundation
internal import Interchange

/// For `make conformance`: CUDA's compiler tries every kernel without a GPU.
struct GraphKernelsCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Writes the CUDA text of every kernel that a GPU would run for graphs.",
        discussion: """
            Takes folders as 'graph check' does. Writes one file ENTRY-NUMBER.cu for each kernel into --out, as CUDA's \
            compiler NVRTC would get it. Nothing is run, and no GPU is needed.

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
            try AtomicFile.write(Array(text.source.utf8), to: "\(target)/\(text.entry)-\(number).cu")
        }
        // What has a kernel for GPUs and no graph here: its text was not seen.
        let missing = GPUCoverage.withKernels.filter { !operations.contains($0) }
        try invocation.console.write(
            "\(texts.all.count) kernels of \(operations.count) operations from \(folders.count) graphs")
        if !missing.isEmpty {
            invocation.console.log("without a graph: \(missing.joined(separator: ", "))")
        }
        if !problems.isEmpty {
            throw Failure(
                status: Failure.Status.data,
                message: "tributary: \(problems.count) graphs have no plan:\n\(problems.joined(separator: "\n"))")
        }
    }
}
