internal import ArgumentParser
internal import Cluster
internal import Foundation
internal import Interchange

/// What `train`, `launch` and `coordinator` know about the job, and about the run.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Workers; sets cluster.workers.", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("Parameter servers; sets cluster.servers.", valueName: "n"))
    var servers: Int?

    @Option(help: ArgumentHelp("Where checkpoints are written; sets checkpoint.directory.", valueName: "directory"))
    var checkpoint: String?

    @Option(
        help: ArgumentHelp(
            "Where workers compute what has a kernel there, such as /gpu:0; sets devices.worker.", valueName: "device"))
    var device: String?

    @OptionGroup var emulation: EmulationOptions

    @Flag(
        help: ArgumentHelp(
            "Goes on from the newest checkpoint, if there is one. Where checkpoints lie but all are damaged it refuses; --resume=fresh moves them aside and starts anew."
        ))
    var resume = false

    /// What `--resume=fresh` is for the parser, see `TributaryCommand.arguments`.
    @Flag(help: .hidden) var resumeFresh = false

    @Option(
        help: ArgumentHelp(
            "Writes every step's loss to a file, as step,loss; - is standard output.", valueName: "file"))
    var losses: String?

    @Flag(help: "Ends standard output with one JSON object: what became of the job.")
    var json = false

    /// The options that are short for keys of the configuration, as `--set` takes them.
    var overrides: [String] {
        let numbers = [("cluster.workers", workers), ("cluster.servers", servers)].compactMap { key, value in
            value.map { "\(key)=\($0)" }
        }
        let devices =
            (device.map { ["devices.worker=\"\($0)\""] } ?? [])
            + (emulation.isAllowed ? ["devices.opencl_cpu=true"] : [])
        return numbers + devices + (checkpoint.map { [checkpointOverride($0)] } ?? [])
    }

    /// Checks these options against the job.
    func check(_ config: JobConfig) throws {
        if resume || resumeFresh, config.checkpoint.directory == nil {
            throw Failure(
                status: Failure.Status.configuration,
                message:
                    "tributary: --resume needs --checkpoint or checkpoint.directory: nothing says where to go on from")
        }
    }

    /// What the coordinator is told besides the configuration; the token is that of `cluster.token…`.
    ///
    /// - Parameters:
    ///   - file: the configuration's file, which may hold the token.
    ///   - token: what the command line or the environment says, before the configuration.
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

/// `--opencl-cpu`, which every command that uses devices has.
struct EmulationOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Counts OpenCL's CPU devices, such as PoCL's, as GPUs, for tests. The environment variable TRIBUTARY_OPENCL_CPU=1 does too."
        ))
    var openclCpu = false

    var isAllowed: Bool { openclCpu || ProcessInfo.processInfo.environment["TRIBUTARY_OPENCL_CPU"] == "1" }
}

/// `--set`, which every command that reads a configuration has.
struct SetOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Overrides a key of the configuration, such as train.batch=128. May be repeated.", valueName: "key=value"))
    var overrides: [String] = []

    /// The configuration in a file, or the built-in one, checked as a whole.
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

/// The job's secret, which never stands on a command line, where `ps` would show it.
struct TokenOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file that holds the job's secret, at least 16 bytes. Without it, the environment variable TRIBUTARY_TOKEN does. Without both, a coordinator on TCP makes one, which nodes of the same user on this machine find by its address.",
            valueName: "file"))
    var tokenFile: String?

    /// The token that is given; nil if none is.
    /// - Throws: `NodeError` if the file cannot be read or the token is too short.
    func token(_ console: Console) throws -> String? {
        if let tokenFile { return try JobToken.read(file: tokenFile) { console.log("tributary: \($0)") } }
        guard let text = EnvironmentToken.value, !text.isEmpty else { return nil }
        return try JobToken.checked(text, from: "TRIBUTARY_TOKEN")
    }
}

/// `--insecure`, which every command that dials has.
struct InsecureOptions: ParsableArguments {
    @Flag(
        help:
            "Allows tcp:// beyond this machine, not encrypted: everyone on the network may read and change what travels."
    )
    var insecure = false
}

/// Certificates for `tls+tcp://` addresses.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "PEM file of this node's certificate: what a server shows to workers, and all show to those who ask.",
            valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("PEM file of its key.", valueName: "file"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("PEM file of the authority that peers are checked against.", valueName: "file"))
    var tlsCa: String?

    @Option(help: ArgumentHelp("The name that the peer's certificate must bear.", valueName: "name"))
    var tlsServerName: String?

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together; only one of them is given")
        }
        if tlsCa == nil, tlsCertificate != nil || tlsServerName != nil {
            throw ValidationError("TLS options need --tls-ca FILE, the authority that peers are checked against")
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

/// A checkpoint's directory as `--set` takes it.
func checkpointOverride(_ directory: String) -> String {
    let path = absolute(directory).unicodeScalars.map { $0 == "'" ? "''" : String($0) }.joined()
    return "checkpoint.directory='\(path)'"
}

/// A path of the command line, from the root.
func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

/// A file to write, from the root, but as the user gave it; "-" is standard output.
func outputPath(_ path: String) -> String {
    path == "-" || path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
}

/// Whether output to a path makes or replaces a regular file: it is no device, FIFO or standard output.
func isFile(_ path: String) -> Bool {
    if case .file? = try? OutputTarget(path) { true } else { false }
}
