public import Dataflow
internal import Foundation

/// A folder with a graph and what TensorFlow computes with it: `graph.pb`, `run.json` and arrays.
///
/// In place of `graph.pb` it may hold `graph.pbtxt`, `graph.meta` or a SavedModel (`saved_model.pb`), whose Variables then
/// begin with the values that came with it.
///
/// `run.json` names the initialiser (`init`), the train operation (`train`) and how often to run it (`steps`), the `feeds`,
/// what to fetch before the first step (`first`) and after the last (`fetches`) with the files of the expected arrays, and
/// the relative tolerance `rtol`: |got − expected| ≤ rtol · max(1, |expected|). Only `fetches` must be there.
public struct GraphCheck {
    /// What came of it.
    public struct Result: Sendable, Equatable {
        public let name: String
        /// The largest |got − expected| / max(1, |expected|); nil if it could not be computed.
        public let largestError: Double?
        /// What is wrong; nil if all holds.
        public let problem: String?
        /// The largest difference between what the plan and the reference computed, measured alike; nil if not asked for.
        public var referenceError: Double?
    }

    private struct Run: Decodable {
        var `init`: String?
        var train: String?
        var steps: Int?
        var rtol: Double?
        var feeds: [String: String]?
        var fetches: [String: String]
        var first: [String: String]?
    }

    private let folder: String
    private let run: Run

    /// - Parameter folder: of the case.
    /// - Throws: `FormatError` if `run.json` is missing or malformed.
    public init(_ folder: String) throws {
        self.folder = folder
        let path = "\(folder)/run.json"
        do { run = try JSONDecoder().decode(Run.self, from: Data(try Gzip.read(path))) } catch let error
            as DecodingError
        {
            throw FormatError(path: path, "is no description of a run: \(GraphCheck.text(error))")
        }
    }

    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "it lacks '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of the wrong kind"
        default: "it is no JSON object"
        }
    }

    /// Runs a case, whatever may be wrong with it.
    ///
    /// - Parameters:
    ///   - device: where to run it, whatever the graph says; nil: where it says, or on the CPU.
    ///   - devices: which devices there are to be.
    ///   - reference: whether also to run it three times by the reference executor, and to compare the plan with that.
    public static func check(
        _ folder: String, device: DeviceName? = nil, devices: DeviceOptions = DeviceOptions(), reference: Bool = false
    ) -> Result {
        let name = URL(fileURLWithPath: folder).lastPathComponent
        do {
            let check = try GraphCheck(folder)
            let result = try check.check(name, device, devices)
            return reference && result.problem == nil ? try check.compareWithReference(result, device, devices) : result
        } catch { return Result(name: name, largestError: nil, problem: "\(error)") }
    }

    /// Collects the CUDA text of every kernel that a GPU would run for a case, without running it.
    ///
    /// - Returns: the operations that would run there.
    package static func collectKernels(_ folder: String, into texts: KernelTexts) throws -> Set<String> {
        try GraphCheck(folder).collectKernels(texts)
    }

    private func collectKernels(_ texts: KernelTexts) throws -> Set<String> {
        let feeds = try arrays(run.feeds ?? [:])
        let specs = feeds.mapValues { TensorSpec($0.dtype, $0.shape) }
        let single = [run.`init`, run.train].compactMap { $0 }.filter { !$0.isEmpty }
        let sets =
            single.map { [$0] } + [run.first ?? [:], run.fetches].map { $0.keys.sorted() }.filter { !$0.isEmpty }
        var devices = DeviceOptions()
        devices.kernelTexts = texts
        let gpu = DeviceName(kind: .gpu, index: 0)
        let file = try GraphFile(
            "\(folder)/graph.pb", needed: sets.flatMap { $0 } + Array(feeds.keys), device: gpu, devices: devices)
        var operations: Set<String> = []
        for fetches in sets {
            let isInitializer = fetches == [run.`init` ?? ""]
            for step in try file.plan(fetches, feeds: isInitializer ? [:] : specs).steps
            where step.device == "\(gpu)" {
                operations.formUnion(step.operation.split(separator: "+").map(String.init))
            }
        }
        return operations
    }

    private func open(_ device: DeviceName?, _ devices: DeviceOptions, plan: PlanKind = .optimized) throws -> GraphFile
    {
        let tensors = [run.first ?? [:], run.fetches].flatMap(\.keys)
        let file = try GraphFile(
            try GraphCheck.graph(in: folder), needed: [run.train ?? ""].filter { !$0.isEmpty } + tensors,
            initial: [run.`init` ?? ""].filter { !$0.isEmpty },
            feeds: try arrays(run.feeds ?? [:]).mapValues(\.dtype), device: device, devices: devices,
            softPlacement: device == nil, plan: plan)
        try file.load()
        if let initializer = run.`init`, !initializer.isEmpty { try file.execute(initializer) }
        return file
    }

    /// Three steps by the plan and by the reference, side by side.
    private func compareWithReference(
        _ result: Result, _ device: DeviceName?, _ devices: DeviceOptions
    ) throws -> Result {
        let feeds = try arrays(run.feeds ?? [:])
        let (planned, reference) = (try open(device, devices), try open(nil, .hostOnly, plan: .reference))
        var comparison = Comparison(tolerance: device == nil ? 1e-6 : run.rtol ?? 1e-4)
        func compare(_ names: [String], _ when: String) throws {
            let (got, expected) = (try planned.run(names, feeds: feeds), try reference.run(names, feeds: feeds))
            for (name, pair) in zip(names, zip(got, expected)) {
                comparison.add(pair.0, pair.1, "\(name), \(when), by plan and reference")
            }
        }
        if let first = run.first { try compare(first.keys.sorted(), "before the first step") }
        for step in 1...3 {
            if let train = run.train, !train.isEmpty {
                for file in [planned, reference] { try file.execute(train, feeds: feeds) }
            }
            try compare(run.fetches.keys.sorted(), "step \(step)")
        }
        return Result(
            name: result.name, largestError: result.largestError, problem: comparison.problem,
            referenceError: comparison.largest)
    }

    private func check(_ name: String, _ device: DeviceName?, _ devices: DeviceOptions) throws -> Result {
        let train = run.train ?? ""
        let (feeds, first) = (try arrays(run.feeds ?? [:]), try arrays(run.first ?? [:]))
        let last = try arrays(run.fetches)
        let file = try open(device, devices)
        var comparison = Comparison(tolerance: run.rtol ?? 1e-4)
        try compare(file, first, feeds, "before the first step", &comparison)
        if !train.isEmpty { for _ in 0..<(run.steps ?? 0) { try file.execute(train, feeds: feeds) } }
        try compare(file, last, feeds, train.isEmpty ? "" : "after \(run.steps ?? 0) steps", &comparison)
        return Result(name: name, largestError: comparison.largest, problem: comparison.problem)
    }

    private static func graph(in folder: String) throws -> String {
        let files = ["graph.pb", "graph.pbtxt", "graph.meta", "saved_model.pb", "saved_model.pbtxt"]
        let found = files.first { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
        guard let found else {
            throw FormatError(path: folder, "holds no graph: none of \(files.joined(separator: ", "))")
        }
        return "\(folder)/\(found)"
    }

    private func arrays(_ files: [String: String]) throws -> [String: Tensor] {
        try files.mapValues { try Npy.read("\(folder)/\($0)") }
    }

    private func compare(
        _ file: GraphFile, _ expected: [String: Tensor], _ feeds: [String: Tensor], _ when: String,
        _ comparison: inout Comparison
    ) throws {
        guard !expected.isEmpty else { return }
        let names = expected.keys.sorted()
        for (name, got) in zip(names, try file.run(names, feeds: feeds)) {
            comparison.add(got, expected[name]!, "\(name)\(when.isEmpty ? "" : ", \(when)")")
        }
    }
}

/// How far arrays are from what they should be.
private struct Comparison {
    let tolerance: Double
    private(set) var largest = 0.0
    private(set) var problem: String?

    init(tolerance: Double) { self.tolerance = tolerance }

    mutating func add(_ got: Tensor, _ expected: Tensor, _ name: String) {
        // NumPy has no bfloat16: its values come as float32.
        let isSameType = got.dtype == expected.dtype || (got.dtype == .bfloat16 && expected.dtype == .float32)
        guard isSameType, got.shape == expected.shape else {
            problem = problem ?? "\(name) is \(got.dtype)\(got.shape), expected \(expected.dtype)\(expected.shape)"
            return
        }
        if got.dtype == .string {
            // NumPy drops zero bytes at the end.
            func trimmed(_ text: [UInt8]) -> ArraySlice<UInt8> { text[...((text.lastIndex { $0 != 0 }) ?? -1)] }
            for (i, (a, b)) in zip(got.knownStrings, expected.knownStrings).enumerated() where trimmed(a) != trimmed(b)
            {
                let at = zip(a, b).prefix { $0 == $1 }.count
                func shown(_ text: [UInt8]) -> String {
                    String(decoding: text.dropFirst(max(at - 40, 0)).prefix(80), as: UTF8.self)
                }
                problem =
                    problem
                    ?? "\(name), element \(i) is …\(shown(a))…, expected …\(shown(b))…; they differ from byte \(at) on"
            }
            return
        }
        guard got.dtype != .variant, got.dtype != .resource else {
            return
        }
        for (i, (a, b)) in zip(got.knownDoubles, expected.knownDoubles).enumerated()
        where a != b && !(a.isNaN && b.isNaN) {
            // Nothing is close to an infinity but itself.
            let error = b.isFinite ? abs(a - b) / Swift.max(1, abs(b)) : .infinity
            largest = error.isNaN ? .infinity : Swift.max(largest, error)
            if !(error <= tolerance) {
                problem = problem ?? "\(name), element \(i) is \(a), expected \(b) (tolerance \(tolerance))"
            }
        }
    }
}

extension GraphCheck: CustomStringConvertible {
    public var description: String { "\(folder): \(ShortList.text(run.fetches.keys.sorted()))" }
}
