internal import Dataflow
package import Interchange

extension NodeRegistration {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireRegisterServer) throws(NodeError) {
        self.init(
            .server, host: wire.host, pid: try Limit.process.check(wire.pid, "RegisterServer.pid"),
            version: wire.version, incarnation: wire.incarnation)
        addresses = wire.dataAddresses
        wanted = wire.hasNumber ? try Limit.node.check(wire.number, "RegisterServer.number") : nil
    }

    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireRegisterWorker) throws(NodeError) {
        self.init(
            .worker, host: wire.host, pid: try Limit.process.check(wire.pid, "RegisterWorker.pid"),
            version: wire.version, incarnation: wire.incarnation)
        corePool = wire.corePool
        wanted = wire.hasNumber ? try Limit.node.check(wire.number, "RegisterWorker.number") : nil
    }

    /// As a server registers.
    var server: WireRegisterServer {
        var wire = WireRegisterServer()
        wire.dataAddresses = addresses
        wire.host = host
        wire.pid = Int64(pid)
        wire.version = version
        if let wanted { wire.number = Int32(clamping: wanted) }
        wire.incarnation = incarnation
        return wire
    }

    /// As a worker registers with the graph of its job.
    func worker(_ job: PreparedJob) -> WireRegisterWorker {
        var wire = WireRegisterWorker()
        wire.host = host
        wire.pid = Int64(pid)
        wire.version = version
        if let wanted { wire.number = Int32(clamping: wanted) }
        wire.incarnation = incarnation
        wire.corePool = corePool
        wire.fingerprint = job.fingerprint
        wire.variables = job.variables.map(\.wire)
        return wire
    }
}

extension VariableInfo {
    package var wire: WireVariableInfo {
        var info = WireVariableInfo()
        info.name = name
        info.dtype = dtype.rawValue
        info.shape = shape.dimensions?.map { Int64($0 ?? -1) } ?? []
        return info
    }

    init?(_ wire: WireVariableInfo) {
        guard let dtype = DType(rawValue: wire.dtype), wire.shape.allSatisfy({ $0 >= -1 }) else { return nil }
        self.init(name: wire.name, dtype: dtype, shape: Shape(wire.shape.map { $0 < 0 ? nil : Int($0) }))
    }
}
