internal import ArgumentParser
internal import Cluster

struct CertificatesCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates",
        abstract: "Makes an authority, certificates and a token for a job on several machines.",
        discussion: """
            It writes into a folder: an authority; a certificate for the coordinator and the servers, which listen; \
            a certificate for workers and commands, which only connect; and a token. With cluster.tls.client_ca and \
            --tls-client-ca only those with a certificate of this authority can connect. \
            A whole job on two machines, the coordinator and a worker on 10.0.0.5, a server and a worker on 10.0.0.6:

              tributary certificates tls --host 10.0.0.5 --host 10.0.0.6
              mv tls/authority.key $HOME     # signs more certificates; no node needs it
              scp -r tls 10.0.0.6:           # to workers only: all but server.*

            In job.yaml on 10.0.0.5, beside the folder tls:

              cluster:
                servers: 1
                workers: 2
                token_file: tls/token
                tls:
                  certificate: tls/server.pem
                  key: tls/server.key
                  ca: tls/authority.pem
                  client_ca: tls/authority.pem

            On both machines:

              ALL="--token-file tls/token --tls-ca tls/authority.pem"
              SERVER="$ALL --tls-certificate tls/server.pem --tls-key tls/server.key"
              CLIENT="$ALL --tls-certificate tls/client.pem --tls-key tls/client.key"
              JOB=tls+tcp://10.0.0.5:7000

            On 10.0.0.5:

              tributary coordinator job.yaml --listen $JOB
              tributary worker --coordinator $JOB $CLIENT
              tributary status $JOB $CLIENT

            On 10.0.0.6:

              tributary server --coordinator $JOB --listen tls+tcp://10.0.0.6:0 \\
                --tls-client-ca tls/authority.pem $SERVER
              tributary worker --coordinator $JOB $CLIENT

            If somebody else learns a key or the token, make all of them again.
            """)

    @Argument(help: "The folder; made if it does not exist.") var directory: String

    @Option(
        help: ArgumentHelp(
            "A name or IP address of the machine of the coordinator or a server. May be repeated (default: localhost, 127.0.0.1, ::1).",
            valueName: "name"))
    var host: [String] = []

    @Option(help: ArgumentHelp("Days for which the certificates are valid.", valueName: "n")) var days = 365

    @Flag(help: "Replaces files of an earlier call.") var force = false

    func validate() throws {
        guard (1...CertificateFolder.longest).contains(days) else {
            throw ValidationError("--days is \(days); it must be 1 to \(CertificateFolder.longest)")
        }
    }

    func run(_ invocation: Invocation) throws {
        let folder = CertificateFolder(absolute(directory))
        try folder.make(hosts: host, days: days, replaces: force)
        let lines = CertificateFolder.File.allCases.map { file in
            let name = "\(directory)/\(file.rawValue)"
            let padding = String(repeating: " ", count: max(0, directory.count + 16 - name.count))
            return "\(name)\(padding)\(Self.use(of: file))"
        }
        try invocation.console.write(lines.joined(separator: "\n"))
    }

    /// The options and keys that take the file.
    private static func use(of file: CertificateFolder.File) -> String {
        switch file {
        case .authority: "--tls-ca and --tls-client-ca; cluster.tls.ca and cluster.tls.client_ca"
        case .authorityKey: "signs more certificates; keep it away from the machines of the job"
        case .server: "--tls-certificate of servers; cluster.tls.certificate of the coordinator"
        case .serverKey: "--tls-key of servers; cluster.tls.key of the coordinator"
        case .client: "--tls-certificate of worker, status and stop"
        case .clientKey: "--tls-key of worker, status and stop"
        case .token: "--token-file of every command; cluster.token_file of the coordinator"
        }
    }
}
