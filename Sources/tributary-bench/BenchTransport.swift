import ArgumentParser
import Cluster

/// How a benchmark's processes talk.
enum BenchTransport: String, ExpressibleByArgument {
    case ipc, tcp

    var choice: JobConfig.Cluster.Transport { self == .ipc ? .ipc : .tcp }
}
