import ArgumentParser
import Cluster

/// How a benchmark's processes talk.
enum BenchTransport: String, ExpressibleByArgument {
    case ipc, tcp

    /// Over tcp the bytes are to go where they go between machines.
    var sharesMemory: Bool { self == .ipc }

    var choice: JobConfig.Cluster.Transport { self == .ipc ? .ipc : .tcp }
}
