/// How fast a device is, measured in a moment.
public struct DeviceSpeed: Sendable {
    /// 10⁹ floating-point operations a second, in a product of two float32 matrices.
    public let gflops: Double
    /// 10⁹ bytes read and written a second, where each is used once.
    public let gbps: Double

    /// Measures a device of this machine: the fastest of a few runs.
    /// - Throws: `GraphError` if there is no such device.
    public static func measure(_ device: DeviceName, emulated: Bool = false) throws -> DeviceSpeed {
        let (n, length) = (1024, 8 << 20)
        let g = Graph()
        let (product, sum, all) = g.device("\(device)") {
            let a = g.variable(Tensor(repeating: Float(1), sized: [n, n]), name: "a")
            let x = g.variable(Tensor(repeating: Float(1), sized: [length]), name: "x")
            return (matmul(a, a), x.value + 1, g.globalVariablesInitializer())
        }
        let session = try Session(g, options: SessionOptions(devices: DeviceOptions(allowsEmulation: emulated)))
        try session.execute(all)
        // Fetching an element waits for the rest.
        let ends = g.device("\(device)") {
            [product, sum].map { slice(reshape($0, [-1]), begin: [0], size: [1]) }
        }
        let clock = ContinuousClock()
        let seconds = try ends.map { end in
            _ = try session.run(end)
            return try (0..<5).map { _ in
                let start = clock.now
                _ = try session.run(end)
                return Double((clock.now - start) / .nanoseconds(1)) * 1e-9
            }.min() ?? 1
        }
        let flops = 2 * Double(n) * Double(n) * Double(n)
        return DeviceSpeed(gflops: flops / seconds[0] * 1e-9, gbps: Double(length * 8) / seconds[1] * 1e-9)
    }
}

extension DeviceSpeed: CustomStringConvertible {
    public var description: String { "\(gflops) GFLOP/s, \(gbps) GB/s" }
}
