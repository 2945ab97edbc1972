import Dataflow
import Testing

/// Every operation of the table on a GPU (or what OpenCL emulates of one on a CPU) against the CPU.
@Suite("The operation table on a GPU", .enabled(if: !Accelerators.devices(emulated: true).isEmpty))
struct DeviceTableTests {
    /// |GPU − CPU| ≤ 2 · 10⁻⁵ · max(1, |CPU|): other orders of sums, other roundings of functions.
    static let tolerance = 2e-5

    @Test("values and gradients are the CPU's", arguments: OperationTableTests.withVectors)
    func agrees(name: String) throws {
        let operation = try #require(OperationCatalog.operation(named: name))
        let profile = Profile()
        var isFed = false
        for (number, row) in try VectorFile(name).cases.enumerated() {
            let place = "\(name), case \(number)"
            let built = try BuiltCase(operation, row, dtype: nil) { $0.dtype.isFloating }
            isFed = try isFed || built.feeds.tensors().values.contains { $0.dtype == .float32 && $0.elementCount > 0 }
            var fetches = built.vertex.outputs.indices.map(built.vertex.output)
            if let gradient = row.gradient, OperationRows.gradientNeedsConstants[name] == nil {
                let wrt = gradient.wrt.flatMap { row.positions(of: $0) }
                fetches += built.gradients(wrt, upstream: gradient.upstream.tensor).compactMap { $0 }
            }
            if built.graph.vertices.contains(where: { $0.error != nil }) { continue }
            let expected = try Session(built.graph, options: SessionOptions(devices: .hostOnly))
                .run(fetches, feeds: built.feeds)
            do {
                let session = try Session(
                    built.graph, options: SessionOptions(devices: DeviceOptions(allowsEmulation: true)))
                let got = try session.run(fetches, feeds: built.feeds, profile: profile)
                for (i, (a, b)) in zip(got, expected).enumerated() {
                    if let problem = try difference(a, b) { Issue.record("\(place), fetch \(i): \(problem)") }
                }
            } catch { Issue.record("\(place): \(error)") }
        }
        let events = profile.events.filter { $0.operation.split(separator: "+").contains(Substring(name)) }
        let ran = events.contains { $0.device == "/device:GPU:0" }
        // A view is nothing to run, and what shapes alone tell is known before the run.
        let isStep = operation.aliases[0] != 0 && !events.isEmpty
        if isFed, isStep { #expect(ran == (operation.hostReason == nil), "\(name) on a GPU: \(ran)") }
    }

    @Test("what runs on the CPU alone is listed with its reason, and each operation once")
    func coverage() {
        let listed = GPUCoverage.hostOnly.flatMap(\.operations)
        #expect(Set(listed).count == listed.count && listed.contains("Unique") && !listed.contains("MatMul"))
    }

    private func difference(_ got: Tensor, _ expected: Tensor) throws -> String? {
        guard got.dtype == expected.dtype, got.shape == expected.shape else {
            return "got \(got), expected \(expected)"
        }
        let tolerance = expected.dtype.isFloating ? Self.tolerance : 0
        for (i, (a, b)) in try zip(got.doubles, expected.doubles).enumerated() {
            let isClose = a == b || (a.isNaN && b.isNaN) || b.isFinite && abs(a - b) <= tolerance * max(1, abs(b))
            if !isClose { return "element \(i) is \(a), on the CPU \(b)" }
        }
        return nil
    }
}
