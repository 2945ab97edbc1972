internal import ArgumentParser
internal import Cluster
internal import Dataflow
internal import Foundation
internal import Interchange
internal import Training

/// Graphs of others, and ours for others.
struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Runs, shows, exports and checks graphs in TensorFlow's formats.",
        discussion: """
            A graph that TensorFlow wrote runs here as it stands: a GraphDef (.pb, .pbtxt), a MetaGraphDef (.meta) or a \
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
        commandName: "run", abstract: "Runs a graph on arrays in .npy files and writes what it yields.",
        discussion: """
            Writes one .npy file for each fetch into --out, named after it with '_' for '/' and ':'. Without --out the \
            values are printed.

              tributary graph run graph.pb --feed x:0=x.npy --fetch add:0 --out results
              tributary graph run graph.pb --init init --feed x=x.npy --feed y=y.npy --fetch train --fetch loss:0 --steps 100
              tributary graph run graph.pb --checkpoint run1/model.ckpt-1000 --feed x=x.npy --fetch predictions

            A SavedModel's Variables have the values that came with it. With --signature, --feed and --fetch also take the \
            signature's own names; without --fetch all its outputs are fetched. Where neither is given, the signature is \
            serving_default, or the only one. Of a .meta file, the operations in its collections init_op (without --init \
            and --checkpoint) and local_init_op are run first, and those in table_initializer that fill tables which the \
            run needs.

              tributary graph run saved/ --signature serving_default --feed x=x.npy --out results
              tributary graph run run1/model.ckpt-1000.meta --checkpoint run1/model.ckpt-1000 --feed x=x.npy --fetch y

            The operations of tf.train.Saver write and read checkpoints relative to the working directory: \
            what they are called is fed as a text, or is the graph's own default. A graph writes files only in the working \
            directory, and in folders that such a text names.

              tributary graph run graph.pb --init init --feed-text save/Const:0=run1/model.ckpt --fetch save/control_dependency:0
            """)

    @Argument(help: "A GraphDef, a MetaGraphDef or a SavedModel's folder.") var file: String
    @Option(help: ArgumentHelp("The signature to use.", valueName: "name")) var signature: String?
    @Option(
        help: ArgumentHelp("Of a SavedModel with several graphs, the tags of the one to use.", valueName: "tag,tag"))
    var tags: String?
    @Option(parsing: .singleValue, help: ArgumentHelp("An array to feed. May be repeated.", valueName: "name=file.npy"))
    var feed: [String] = []
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A text to feed, as a scalar. May be repeated.", valueName: "name=text"))
    var feedText: [String] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("What to fetch. May be repeated.", valueName: "name"))
    var fetch: [String] = []
    @Option(help: ArgumentHelp("An operation to run first, such as an initialiser.", valueName: "name"))
    var `init`: String?
    @Option(
        help: ArgumentHelp(
            "A checkpoint of TensorFlow (format V2) to take the Variables' values of, without '.index', or a folder of them; after --init.",
            valueName: "prefix"))
    var checkpoint: String?
    @Option(help: ArgumentHelp("How often to run; the last values are written.", valueName: "n")) var steps = 1
    @OptionGroup var placement: PlacementOptions
    @Option(help: ArgumentHelp("A folder for the values.", valueName: "directory")) var out: String?
    @Flag(help: "Runs on the CPU what asks for a device that is not there.") var softPlacement = false
    @Flag(help: "Tells on standard error where each operation runs.") var logDevicePlacement = false

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
        // What checkpoint is to be restored first.
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

    /// Where the graph's operations may write: what is fed is the user's own word.
    private var writable: [String] {
        let fed = feedText.compactMap { text -> String? in
            let path = text[(text.firstIndex(of: "=") ?? text.startIndex)...].dropFirst()
            return path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
        }
        return ["."] + fed
    }

    /// Feeds by the graph's names, and what is fetched by the user's and the graph's names.
    private func names(
        _ source: GraphSource, _ feeds: [String: Tensor]
    ) throws -> (feeds: [String: Tensor], fetches: [(name: String, node: String)]) {
        guard signature != nil || fetch.isEmpty else { return (feeds, fetch.map { ($0, $0) }) }
        if signature == nil, source.signatures.isEmpty {
            throw Failure(
                status: Failure.Status.usage, message: "tributary: nothing is to be fetched; give --fetch NAME")
        }
        let chosen = try source.signature(signature)
        var fed: [String: Tensor] = [:]
        for (name, tensor) in feeds { fed[chosen.fed(name)] = tensor }
        let missing = chosen.inputs.filter { fed[$0.node] == nil && !chosen.hasDefault($0.key) }
        if fetch.isEmpty, !missing.isEmpty {
            let list = missing.map { "\($0.key) (\($0.spec))" }.joined(separator: ", ")
            throw Failure(
                status: Failure.Status.usage,
                message: "tributary: the signature also wants \(list); give --feed NAME=FILE.npy")
        }
        for (node, value) in try chosen.defaultValues() where fed[node] == nil { fed[node] = value }
        let wanted = fetch.isEmpty ? chosen.outputs.map(\.key) : fetch
        return (fed, wanted.map { ($0, chosen.fetched($0)) })
    }

    private func restore(_ graph: GraphFile, _ prefix: String, _ invocation: Invocation) throws {
        let unmatched = try graph.restore(try TensorFlowCheckpoint.open(absolute(prefix)))
        if !unmatched.variables.isEmpty {
            invocation.console.log(
                "Variables that the checkpoint lacks: \(unmatched.variables.joined(separator: ", "))")
        }
        if !unmatched.tensors.isEmpty {
            invocation.console.log(
                "tensors of the checkpoint that the graph does not need: \(unmatched.tensors.joined(separator: ", "))")
        }
    }
}

struct GraphShowCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows what is in a graph: its nodes with types, shapes and devices.",
        discussion: """
            Operations that are not known here are marked; what they need and yield is shown as far as the file tells. Of \
            a MetaGraphDef or a SavedModel also its signatures, collections, saver and functions.

            With --plan it shows instead what a run of --fetch does: the kernels in order, which operations are fused into \
            one, where their results lie in memory, and on which device they run.

              tributary graph show graph.pb
              tributary graph show saved/
              tributary graph show graph.pb --plan --fetch train --batch 128
              tributary graph show graph.pb --plan --fetch train --device /gpu:0
            """)

    @Argument(help: "A GraphDef, a MetaGraphDef or a SavedModel's folder.") var file: String
    @Option(
        help: ArgumentHelp("Of a SavedModel with several graphs, the tags of the one to show.", valueName: "tag,tag"))
    var tags: String?
    @Flag(help: "Shows the plan of a run of --fetch.") var plan = false
    @Option(parsing: .singleValue, help: ArgumentHelp("What the run is to fetch. May be repeated.", valueName: "name"))
    var fetch: [String] = []
    @Option(help: ArgumentHelp("What open dimensions of placeholders are taken to be.", valueName: "n")) var batch = 32
    @OptionGroup var placement: PlacementOptions
    @Flag(help: "Prints one JSON object.") var json = false

    func validate() throws {
        if plan, fetch.isEmpty { throw ValidationError("a plan is one of a run: give --fetch NAME") }
        if !plan, !fetch.isEmpty { throw ValidationError("--fetch is for --plan") }
        if !plan, placement.device != nil { throw ValidationError("--device is for --plan") }
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
            TensorFlow runs it, TensorBoard and Netron show it. What its nodes are called is printed as JSON: the \
            initialiser, the train operation, the loss, what to feed, the metrics.

              tributary graph export job.yaml --output graph.pb
            """)

    @Argument(help: "The job's YAML file; without it, the digits that come with Tributary.") var config: String?
    @Option(
        help: ArgumentHelp(
            "Where to write the GraphDef; - is standard output, and the names then go to standard error.",
            valueName: "file"))
    var output: String
    @OptionGroup var set: SetOptions

    private struct Names: Encodable {
        let `init`: String
        let train: String
        let loss: String
        /// Placeholders by what they are fed.
        let feeds: [String: String]
        let metrics: [String: String]
        let predictions: String?
        /// What is done to examples before they are fed.
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
        commandName: "check", abstract: "Compares graphs with the numbers that TensorFlow computed with them.",
        discussion: """
            Each folder holds graph.pb (or graph.pbtxt, graph.meta, saved_model.pb), run.json and .npy files. Prints a line for each: its name and the largest \
            error, or what is wrong. Exit status 0 if all hold, else 65.

              tributary graph check cases/*
              tributary graph check --device /gpu:0 cases/*

            With --reference, each graph also runs three times by the reference executor, which computes vertex by vertex on \
            fresh memory. Where the plan gives other numbers, the graph fails.
            """)

    @Argument(help: "Folders.") var folders: [String]
    @OptionGroup var placement: PlacementOptions
    @Flag(help: "Compares the plan with the reference executor, too.") var reference = false
    @Flag(help: "Prints one JSON object a line.") var json = false

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
                status: Failure.Status.data, message: "tributary: \(failed) of \(folders.count) graphs do not agree")
        }
    }
}

/// "serve,gpu" taken apart.
private func tagList(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
