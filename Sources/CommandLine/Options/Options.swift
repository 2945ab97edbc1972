internal import ArgumentParser
internal import Cluster
internal import Foundation
internal import Interchange

/// The options of `train`, `launch` and `coordinator`.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Workers; sets cluster.workers.", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("Parameter servers; sets cluster.servers.", valueName: "n"))
    var servers: Int?

    @Option(help: ArgumentHelp("Where checkpoints are written; sets checkpoint.directory.", valueName: "directory"))
    var checkpoint: String?

    @Option(
        help: ArgumentHelp(
            "The device for the workers' operations, such as /gpu:0; sets devices.worker. Operations without a kernel for it run on the CPU.",
            valueName: "device"))
    var device: String?

    @OptionGroup var emulation: EmulationOptions

    @Flag(
        help: ArgumentHelp(
            "Continues from the newest checkpoint, or starts anew if there is none. If all checkpoints are damaged, the job fails; with --resume=fresh it moves them aside and starts anew."
        ))
    var resume = false

    /// `--resume=fresh`: `TributaryCommand.arguments` replaces it by this flag.
    @Flag(help: .hidden) var resumeFresh = false

    @Option(
        help: ArgumentHelp(
            "Writes every step's loss to a file, as step,loss; - is standard output.", valueName: "file"))
    var losses: String?

    @Flag(help: "Prints the job's report as one JSON object, as the last line of standard output.")
    var json = false

    /// The options that set keys of the configuration, in the form `--set` has.
    var overrides: [String] {
        let numbers = [("cluster.workers", workers), ("cluster.servers", servers)].compactMap { key, value in
            value.map { "\(key)=\($0)" }
        }
        let devices =
            (device.map { ["devices.worker=\"\($0)\""] } ?? [])
            + (emulation.isAllowed ? ["devices.opencl_cpu=true"] : [])
        return numbers + devices + (checkpoint.map { [checkpointOverride($0)] } ?? [])
    }

    /// Checks these options against the configuration.
    func check(_ config: JobConfig) throws {
        if resume || resumeFresh, config.checkpoint.directory == nil {
            throw Failure(
                .configuration,
                message:
                    "tributary: --resume needs --checkpoint or checkpoint.directory: which checkpoint should it continue from?"
            )
        }
    }

    /// The coordinator's options besides the configuration.
    ///
    /// - Parameters:
    ///   - file: the configuration's file; a warning if it holds the token and others can read it.
    ///   - token: from the command line or the environment; nil: the configuration's.
    func coordinator(
        _ config: JobConfig, file: String? = nil, token: String? = nil, _ console: Console
    ) throws -> CoordinatorOptions {
        var token = token
        if token == nil, let text = config.cluster.token {
            token = try JobToken.checked(text, from: "cluster.token")
            if let warning = file.flatMap(JobToken.warning(of:)) { console.log("tributary: \(warning)") }
        }
        if token == nil, let tokenFile = config.cluster.tokenFile {
            token = try JobToken.read(file: tokenFile) { console.log("tributary: \($0)") }
        }
        var options = CoordinatorOptions(
            resume: resume || resumeFresh, lossesFile: losses.map(outputPath), token: token)
        options.startsAnewIfDamaged = resumeFresh
        return options
    }
}

/// `--opencl-cpu`, of every command that uses devices.
struct EmulationOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Counts OpenCL's CPU devices, such as PoCL's, as GPUs, for tests. The environment variable TRIBUTARY_OPENCL_CPU=1 does the same."
        ))
    var openclCpu = false

    var isAllowed: Bool { openclCpu || ProcessInfo.processInfo.environment["TRIBUTARY_OPENCL_CPU"] == "1" }
}

/// `--set`, of every command that reads a configuration.
struct SetOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Sets a key of the configuration, such as train.batch=128. May be repeated.", valueName: "key=value"))
    var overrides: [String] = []

    /// Reads and checks the configuration in a file, or the built-in one.
    /// - Throws: `ConfigurationError`.
    func load(_ file: String?, more: [String] = [], jobs: JobRegistry) throws -> JobConfig {
        let overrides = overrides + more
        guard let file else {
            return try JobConfig.parse(
                yaml: Quickstart.yaml, name: "quickstart", overrides: overrides, modelKinds: jobs.kinds)
        }
        return try JobConfig.load(path: file, overrides: overrides, modelKinds: jobs.kinds)
    }
}

/// The job's secret. It is read from a file, because `ps` shows command lines to all users.
struct TokenOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with the job's secret, at least 16 bytes (default: the environment variable TRIBUTARY_TOKEN). Without either, a coordinator on TCP makes a secret and stores it where this user's nodes on this machine find it.",
            valueName: "file"))
    var tokenFile: String?

    /// The token of the file or of the environment; nil if there is neither.
    /// - Throws: `NodeError` if the file cannot be read or the token is too short.
    func token(_ console: Console) throws -> String? {
        if let tokenFile { return try JobToken.read(file: tokenFile) { console.log("tributary: \($0)") } }
        guard let text = EnvironmentToken.value, !text.isEmpty else { return nil }
        return try JobToken.checked(text, from: "TRIBUTARY_TOKEN")
    }
}

/// `--insecure`, of every command that connects to the job.
struct InsecureOptions: ParsableArguments {
    @Flag(
        help:
            "Allows tcp:// to other machines. It is not encrypted: everyone on the network may read and change the data."
    )
    var insecure = false
}

/// Certificates for `tls+tcp://` addresses.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "PEM file of this node's certificate. A server shows it to workers; any node shows it to a peer that asks for one.",
            valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("PEM file of the certificate's key.", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "PEM file of the authority that must have signed the certificates of peers.", valueName: "file"))
    var tlsCa: String?

    @Option(help: ArgumentHelp("The name that the peer's certificate must have.", valueName: "name"))
    var tlsServerName: String?

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together; give both")
        }
        if tlsCa == nil, tlsCertificate != nil || tlsServerName != nil {
            throw ValidationError("TLS options need --tls-ca FILE, the authority that signed the certificates of peers")
        }
    }

    var tls: JobConfig.Cluster.TLS {
        var tls = JobConfig.Cluster.TLS()
        tls.certificate = tlsCertificate.map(absolute)
        tls.key = tlsKey.map(absolute)
        tls.ca = tlsCa.map(absolute)
        tls.serverName = tlsServerName
        return tls
    }
}

/// The `--set` text that sets the checkpoint directory.
func checkpointOverride(_ directory: String) -> String {
    let path = absolute(directory).unicodeScalars.map { $0 == "'" ? "''" : String($0) }.joined()
    return "checkpoint.directory='\(path)'"
}

/// The absolute form of a path on the command line.
func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

/// The absolute form of a file to write; links and ".." stay. "-" is standard output.
func outputPath(_ path: String) -> String {
    path == "-" || path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
}

/// Whether writing to the path makes or replaces a regular file, not a device, a FIFO or standard output.
func isFile(_ path: String) -> Bool {
    if case .file? = try? OutputTarget(path) { true } else { false }
}
