internal import ArgumentParser
internal import Cluster
internal import Dataflow
internal import Foundation
internal import Interchange
internal import Training

/// Commands for graphs in TensorFlow's formats.
struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Runs, shows, exports and checks graphs in TensorFlow's formats.",
        discussion: """
            Takes graphs that TensorFlow wrote, unchanged: a GraphDef (.pb, .pbtxt), a MetaGraphDef (.meta) or a \
            SavedModel, binary or text.

              tributary graph show graph.pb
              tributary graph run saved/ --signature serving_default --feed x=x.npy
              tributary graph run graph.pb --init init --feed x=x.npy --fetch loss:0 --out results
            """,
        subcommands: [
            GraphRunCommand.self, GraphShowCommand.self, GraphExportCommand.self, GraphCheckCommand.self,
            GraphKernelsCommand.self,
        ])
}

struct GraphRunCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs a graph on arrays in .npy files and writes the results.",
        discussion: """
            Writes an .npy file for each fetch into --out. Its name is the fetch's, with '_' for '/' and ':'. Without \
            --out it prints the values.

              tributary graph run graph.pb --feed x:0=x.npy --fetch add:0 --out results
              tributary graph run graph.pb --init init --feed x=x.npy --feed y=y.npy --fetch train --fetch loss:0 --steps 100
              tributary graph run graph.pb --checkpoint run1/model.ckpt-1000 --feed x=x.npy --fetch predictions

            A SavedModel brings the values of its Variables. With --signature, --feed and --fetch also take the \
            signature's names; without --fetch all outputs of the signature are fetched. Without both options the \
            signature is serving_default, or the only one. Before the run of a .meta file, the operations in its \
            collection init_op (without --init and --checkpoint), in local_init_op, and in table_initializer for \
            lookup tables that the run needs, are run.

              tributary graph run saved/ --signature serving_default --feed x=x.npy --out results
              tributary graph run run1/model.ckpt-1000.meta --checkpoint run1/model.ckpt-1000 --feed x=x.npy --fetch y

            The operations of tf.train.Saver read and write checkpoints relative to the working directory. Feed \
            the checkpoint's name as a text, or use the graph's default. A graph can write files only in the working \
            directory and in folders named by --feed-text.

              tributary graph run graph.pb --init init --feed-text save/Const:0=run1/model.ckpt --fetch save/control_dependency:0
            """)

    @Argument(help: "A GraphDef, a MetaGraphDef or a SavedModel's folder.") var file: String
    @Option(help: ArgumentHelp("The signature to use.", valueName: "name")) var signature: String?
    @Option(
        help: ArgumentHelp("The tags of the graph to use, in a SavedModel with several.", valueName: "tag,tag"))
    var tags: String?
    @Option(parsing: .singleValue, help: ArgumentHelp("An array to feed. May be repeated.", valueName: "name=file.npy"))
    var feed: [String] = []
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A string to feed, as a scalar. May be repeated.", valueName: "name=text"))
    var feedText: [String] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("What to fetch. May be repeated.", valueName: "name"))
    var fetch: [String] = []
    @Option(help: ArgumentHelp("An operation to run before, such as an initialiser.", valueName: "name"))
    var `init`: String?
    @Option(
        help: ArgumentHelp(
            "A TensorFlow checkpoint (format V2), its name without '.index', or a folder of checkpoints. The Variables get its values, after --init.",
            valueName: "prefix"))
    var checkpoint: String?
    @Option(help: ArgumentHelp("The number of runs; the values of the last are written.", valueName: "n")) var steps = 1
    @OptionGroup var placement: PlacementOptions
    @Option(help: ArgumentHelp("The folder for the values.", valueName: "directory")) var out: String?
    @Flag(help: "Runs operations on the CPU if their device does not exist.") var softPlacement = false
    @Flag(help: "Prints on standard error where each operation runs.") var logDevicePlacement = false

    func validate() throws {
        if steps < 1 { throw ValidationError("--steps is \(steps); it must be at least 1") }
        if let odd = feed.first(where: { !$0.contains("=") }) {
            throw ValidationError("--feed \(odd): write it as NAME=FILE.npy")
        }
        if let odd = feedText.first(where: { !$0.contains("=") }) {
            throw ValidationError("--feed-text \(odd): write it as NAME=TEXT")
        }
    }

    func run(_ invocation: Invocation) throws {
        var given: [String: Tensor] = [:]
        for text in feed {
            let equals = text.firstIndex(of: "=") ?? text.endIndex
            given[String(text[..<equals])] = try Npy.read(absolute(String(text[equals...].dropFirst())))
        }
        var texts: [String: Tensor] = [:]
        for text in feedText {
            let equals = text.firstIndex(of: "=") ?? text.endIndex
            texts[String(text[..<equals])] = Tensor(texts: [String(text[equals...].dropFirst())], sized: [])
        }
        given.merge(texts) { $1 }
        let source = try GraphSource(absolute(file), tags: tags.map(tagList))
        let (feeds, fetches) = try names(source, given)
        let first = `init`.map { [$0] } ?? []
        let own = first.isEmpty && checkpoint == nil ? source.collection("init_op") : []
        let local =
            source.collection("local_init_op")
            + (try source.tableInitializers(neededFor: fetches.map(\.node), fed: Array(feeds.keys)))
        let graph = try GraphFile(
            source, needed: fetches.map(\.node), initial: first, additions: own + local,
            feeds: feeds.mapValues(\.dtype), device: try placement.name(), devices: placement.options,
            softPlacement: softPlacement,
            logsPlacement: logDevicePlacement, writable: .under(writable),
            log: { [console = invocation.console] in console.log($0) })
        try graph.load()
        // An operation before that may need the texts: the name of a checkpoint to restore.
        for name in first { try graph.execute(name, feeds: texts) }
        for name in own { try graph.executeAddition(name) }
        if let checkpoint { try restore(graph, checkpoint, invocation) }
        for name in local { try graph.executeAddition(name) }
        var values: [Tensor] = []
        for _ in 0..<steps { values = try graph.run(fetches.map(\.node), feeds: feeds) }
        guard let out else {
            for (fetch, value) in zip(fetches, values) { try invocation.console.write("\(fetch.name) \(value.line)") }
            return
        }
        let folder = absolute(out)
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw NodeError(.cannotCreate, "cannot create the folder \(folder)")
        }
        for (fetch, value) in zip(fetches, values) {
            let plain = fetch.name.replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: ":", with: "_")
            try Npy.write(value, to: "\(folder)/\(plain).npy")
        }
    }

    /// The folders in which the graph may write: the working directory, and those that the user named by --feed-text.
    private var writable: [String] {
        let fed = feedText.compactMap { text -> String? in
            let path = text[(text.firstIndex(of: "=") ?? text.startIndex)...].dropFirst()
            return path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
        }
        return ["."] + fed
    }

    /// The feeds under the graph's names, and each fetch under the user's and the graph's name.
    private func names(
        _ source: GraphSource, _ feeds: [String: Tensor]
    ) throws -> (feeds: [String: Tensor], fetches: [(name: String, node: String)]) {
        guard signature != nil || fetch.isEmpty else { return (feeds, fetch.map { ($0, $0) }) }
        if signature == nil, source.signatures.isEmpty {
            throw Failure(
                .usage, message: "tributary: there is nothing to fetch; give --fetch NAME")
        }
        let chosen = try source.signature(signature)
        var fed: [String: Tensor] = [:]
        for (name, tensor) in feeds { fed[chosen.fed(name)] = tensor }
        let missing = chosen.inputs.filter { fed[$0.node] == nil && !chosen.hasDefault($0.key) }
        if fetch.isEmpty, !missing.isEmpty {
            let list = missing.map { "\($0.key) (\($0.spec))" }.joined(separator: ", ")
            throw Failure(
                .usage,
                message: "tributary: the signature also needs \(list); give --feed NAME=FILE.npy")
        }
        for (node, value) in try chosen.defaultValues() where fed[node] == nil { fed[node] = value }
        let wanted = fetch.isEmpty ? chosen.outputs.map(\.key) : fetch
        return (fed, wanted.map { ($0, chosen.fetched($0)) })
    }

    private func restore(_ graph: GraphFile, _ prefix: String, _ invocation: Invocation) throws {
        let unmatched = try graph.restore(try TensorFlowCheckpoint.open(absolute(prefix)))
        if !unmatched.variables.isEmpty {
            invocation.console.log(
                "Variables that are not in the checkpoint: \(unmatched.variables.joined(separator: ", "))")
        }
        if !unmatched.tensors.isEmpty {
            invocation.console.log(
                "tensors in the checkpoint that the graph does not use: \(unmatched.tensors.joined(separator: ", "))")
        }
    }
}

struct GraphShowCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the nodes of a graph, with types, shapes and devices.",
        discussion: """
            Unknown operations are marked; their inputs and outputs are shown as far as the file has them. A MetaGraphDef \
            or a SavedModel also shows its signatures, collections, saver and functions.

            With --plan it shows a run of --fetch instead: the kernels in order, with the operations fused into each, the \
            place of the results in memory, and the device.

              tributary graph show graph.pb
              tributary graph show saved/
              tributary graph show graph.pb --plan --fetch train --batch 128
              tributary graph show graph.pb --plan --fetch train --device /gpu:0
            """)

    @Argument(help: "A GraphDef, a MetaGraphDef or a SavedModel's folder.") var file: String
    @Option(
        help: ArgumentHelp("The tags of the graph to show, in a SavedModel with several.", valueName: "tag,tag"))
    var tags: String?
    @Flag(help: "Shows the plan of a run of --fetch.") var plan = false
    @Option(parsing: .singleValue, help: ArgumentHelp("What the run fetches. May be repeated.", valueName: "name"))
    var fetch: [String] = []
    @Option(help: ArgumentHelp("The size of unknown dimensions of placeholders.", valueName: "n")) var batch = 32
    @OptionGroup var placement: PlacementOptions
    @Flag(help: "Prints one JSON object.") var json = false

    func validate() throws {
        if plan, fetch.isEmpty { throw ValidationError("--plan shows the plan of a run: give --fetch NAME") }
        if !plan, !fetch.isEmpty { throw ValidationError("--fetch has no effect without --plan") }
        if !plan, placement.device != nil { throw ValidationError("--device has no effect without --plan") }
        if batch < 1 { throw ValidationError("--batch is \(batch); it must be at least 1") }
    }

    func run(_ invocation: Invocation) throws {
        let source = try GraphSource(absolute(file), tags: tags.map(tagList))
        guard plan else {
            let listing = GraphListing(source)
            return try invocation.console.write(json ? try Results.json(listing) : listing.text)
        }
        let graph = try GraphFile(
            source, needed: fetch, device: try placement.name(), devices: placement.options,
            softPlacement: placement.device == nil)
        let plan = try graph.plan(fetch, batch: batch)
        try invocation.console.write("\(plan)")
    }
}

struct GraphExportCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes a job's training graph, with gradients and optimizer, as a GraphDef.",
        discussion: """
            TensorFlow can run the file; TensorBoard and Netron can show it. The names of its nodes are printed as JSON: \
            the initialiser, the train operation, the loss, the placeholders, the metrics.

              tributary graph export job.yaml --output graph.pb
            """)

    @Argument(help: "The job's YAML file (default: the handwritten digits that come with Tributary).") var config:
        String?
    @Option(
        help: ArgumentHelp(
            "The file for the GraphDef. - is standard output; the names then go to standard error.",
            valueName: "file"))
    var output: String
    @OptionGroup var set: SetOptions

    private struct Names: Encodable {
        let `init`: String
        let train: String
        let loss: String
        /// The placeholders for "features", "labels" and "is_training".
        let feeds: [String: String]
        let metrics: [String: String]
        let predictions: String?
        /// How examples are scaled and encoded before they are fed.
        let preprocessing: Preprocessing
    }

    func run(_ invocation: Invocation) throws {
        let config = try set.load(config, jobs: invocation.registry)
        let job = try PreparedJob(config, invocation.job(for: config))
        let initializer = job.graph.globalVariablesInitializer()
        let bytes = try GraphDefinition.encode(job.graph, gatingWrites: true)
        try AtomicFile.write(bytes, to: outputPath(output))
        var feeds = ["features": job.model.features.name, "labels": job.model.labels.name]
        feeds["is_training"] = job.model.isTraining?.name
        let names = try Results.json(
            Names(
                init: initializer.vertex.name, train: job.model.train.vertex.name, loss: job.model.loss.name,
                feeds: feeds, metrics: job.model.metrics.means.mapValues(\.name),
                predictions: job.model.predictions?.name, preprocessing: job.preprocessing))
        if output == "-" { invocation.console.log(names) } else { try invocation.console.write(names) }
    }
}

struct GraphCheckCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Compares graphs with the values that TensorFlow computed.",
        discussion: """
            Each folder holds graph.pb (or graph.pbtxt, graph.meta, saved_model.pb), run.json and .npy files. Prints a \
            line for each: its name and the largest error, or what is wrong. Exit status 0 if all agree, else 65.

              tributary graph check cases/*
              tributary graph check --device /gpu:0 cases/*

            With --reference, each graph also runs three times in the reference executor, which computes each operation \
            alone, in new memory. The graph fails if its plan gives other values.
            """)

    @Argument(help: "Folders.") var folders: [String]
    @OptionGroup var placement: PlacementOptions
    @Flag(help: "Also compares the plan with the reference executor.") var reference = false
    @Flag(help: "Prints a JSON object on each line.") var json = false

    private struct Line: Encodable {
        let name: String
        let error: Double?
        let problem: String?
        let referenceError: Double?
    }

    func run(_ invocation: Invocation) throws {
        var failed = 0
        let device = try placement.name()
        for folder in folders {
            let result = GraphCheck.check(
                absolute(folder), device: device, devices: placement.options, reference: reference)
            if result.problem != nil { failed += 1 }
            if json {
                let line = Line(
                    name: result.name, error: result.largestError, problem: result.problem,
                    referenceError: result.referenceError)
                try invocation.console.write(try Results.json(line))
            } else {
                let error = result.largestError.map { String(format: "largest error %.2g", $0) }
                let apart = result.referenceError.map { String(format: ", from the reference %.2g", $0) }
                let words = result.problem.map { "FAILED: \($0)" } ?? "ok, \(error ?? "")\(apart ?? "")"
                try invocation.console.write("\(result.name): \(words)")
            }
        }
        if failed > 0 {
            throw Failure(
                .badData, message: "tributary: \(failed) of \(folders.count) graphs do not agree")
        }
    }
}

/// "serve,gpu" as ["serve", "gpu"].
private func tagList(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
