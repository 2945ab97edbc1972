public import Dataflow

extension GraphDefinition {
    /// 32 hexadecimal digits that two processes compare to know that they built the same graph: the 128-bit FNV-1a hash
    /// of its `GraphDef` without devices.
    ///
    /// It finds mistakes, not malice: FNV-1a is not a cryptographic hash.
    ///
    /// - Parameter vertices: the part to compare, as for `encode`; the whole graph by default.
    /// - Throws: as `encode`.
    public static func fingerprint(_ graph: Graph, of vertices: [Vertex]? = nil) throws -> String {
        hash(try encode(graph, vertices: vertices, includingDevices: false))
    }

    /// FNV-1a of 128 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv.
    package static func hash(_ bytes: [UInt8]) -> String {
        let prime: UInt128 = 1 << 88 | 0x13B
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in bytes { hash = (hash ^ UInt128(byte)) &* prime }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
