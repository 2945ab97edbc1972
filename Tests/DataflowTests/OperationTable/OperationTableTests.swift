import Dataflow
import OperationCoverage
import Testing

/// Every operation against TensorFlow's numbers, central differences and wrong inputs.
@Suite("The operation table", .exercises(.operationTable, and: OperationRows.gradients))
struct OperationTableTests {
    static let names = OperationCatalog.operations.map { $0.name }.sorted()
    static let withVectors = VectorFile.names(in: "Vectors")
    static let withExtremes = VectorFile.names(in: "Extremes")

    /// How a case's inputs come into the graph.
    enum Feeding: String, CaseIterable {
        case constants = "as constants"
        case shaped = "fed, with known shapes"
        case unshaped = "numbers fed with unknown shapes, integers as constants"

        func isFed(_ tensor: Tensor) -> Bool { self == .shaped || (self == .unshaped && tensor.dtype.isFloating) }
    }

    @Test("every operation has a file of vectors, or a suite that exercises it")
    func complete() {
        let elsewhere = Set(ExercisingSuite.allCases.flatMap(\.operations))
        let covered = elsewhere.union(Self.withVectors).union(OperationRows.gradients)
        for name in Self.names where !covered.contains(name) {
            Issue.record("\(name) has neither a file in Vectors nor a suite that exercises it")
        }
        for name in Self.withVectors { #expect(Self.names.contains(name), "Vectors/\(name).json has no operation") }
        for name in elsewhere {
            #expect(Self.names.contains(name) && !Self.withVectors.contains(name), "the row of \(name) is stale")
        }
        for suite in ExercisingSuite.allCases {
            #expect(Exercises.suites.contains(suite), "\(suite.rawValue) lacks the trait that checks what it runs")
        }
    }

    @Test("values and gradients are TensorFlow's", arguments: withVectors)
    func values(name: String) throws {
        let operation = try #require(OperationCatalog.operation(named: name))
        let file = try VectorFile(name)
        #expect(!file.cases.isEmpty)
        for (number, row) in file.cases.enumerated() {
            let expectedNames = zip(row.inputs.map(\.name), operation.signature.inputs.map(\.name))
            for (raw, own) in expectedNames where raw != own {
                #expect(
                    OperationRows.renamedInputs.contains([raw, own]), "input '\(own)' stands where '\(raw)' should")
            }
            for feeding in Feeding.allCases {
                let place = "\(name), case \(number), \(feeding.rawValue)"
                do { try check(operation, row, feeding, place) } catch { Issue.record("\(place): \(error)") }
            }
        }
    }

    @Test("NaN, infinities, empty tensors and single elements come out as in TensorFlow", arguments: withExtremes)
    func extremes(name: String) throws {
        let operation = try #require(OperationCatalog.operation(named: name))
        let file = try VectorFile(name, in: "Extremes")
        #expect(!file.cases.isEmpty)
        for (number, row) in file.cases.enumerated() {
            for feeding in [Feeding.constants, .shaped] {
                let place = "\(name), extreme case \(number), \(feeding.rawValue)"
                do { try check(operation, row, feeding, place) } catch { Issue.record("\(place): \(error)") }
            }
        }
    }

    private func check(
        _ operation: any Operation.Type, _ row: VectorFile.Case, _ feeding: Feeding, _ place: String
    ) throws {
        let built = try BuiltCase(operation, row, dtype: nil, unshaped: feeding == .unshaped) { feeding.isFed($0) }
        let outputs = built.vertex.outputs.indices.map(built.vertex.output)
        let session = try Session(built.graph)
        let reference = try Session(built.graph, options: SessionOptions(plan: .reference))
        let results = try session.run(outputs, feeds: built.feeds)
        let plain = try reference.run(outputs, feeds: built.feeds)
        #expect(results == plain, "\(place): the plan computes something else than the reference")
        for (i, (got, expected)) in zip(results, row.outputs.map(\.tensor)).enumerated() {
            if let problem = try difference(got, expected, operation.name) {
                Issue.record("\(place), output \(i): \(problem)")
            }
        }
        guard let gradient = row.gradient else { return }
        if feeding == .shaped, OperationRows.gradientNeedsConstants[operation.name] != nil { return }
        if feeding == .unshaped, OperationRows.gradientNeedsRanks[operation.name] != nil { return }
        let wrt = gradient.wrt.flatMap { row.positions(of: $0) }
        let nodes = built.gradients(wrt, upstream: gradient.upstream.tensor)
        try built.graph.validate()
        #expect(wrt.count == gradient.values.count, "\(place)")
        for (i, (node, numbers)) in zip(nodes, gradient.values).enumerated() {
            let expected = numbers.tensor
            guard let node else {
                #expect(try expected.doubles.allSatisfy { $0 == 0 }, "\(place): input \(wrt[i]) has no gradient")
                continue
            }
            let got = try session.run(node, feeds: built.feeds)
            let plain = try reference.run(node, feeds: built.feeds)
            #expect(got == plain, "\(place), gradient by input \(wrt[i]): the plan and the reference differ")
            if let problem = try difference(got, expected, operation.name) {
                Issue.record("\(place), gradient by input \(wrt[i]): \(problem)")
            }
        }
    }

    /// What is different, or nil.
    private func difference(_ got: Tensor, _ expected: Tensor, _ name: String) throws -> String? {
        guard got.dtype == expected.dtype, got.shape == expected.shape else {
            return "got \(got), expected \(expected)"
        }
        let isExact = !expected.dtype.isFloating || name.hasPrefix("Random") || name == "TruncatedNormal"
        let tolerance = isExact ? 0 : OperationRows.tolerance[name] ?? 1e-5
        for (i, (a, b)) in try zip(got.doubles, expected.doubles).enumerated() {
            // Next to an infinity everything would be close.
            let isClose = a == b || (a.isNaN && b.isNaN) || b.isFinite && abs(a - b) <= tolerance * max(1, abs(b))
            if !isClose { return "element \(i) is \(a), expected \(b)" }
        }
        return nil
    }

    @Test("gradients agree with central differences in float64", arguments: withVectors)
    func centralDifferences(name: String) throws {
        let operation = try #require(OperationCatalog.operation(named: name))
        for (number, row) in try VectorFile(name).cases.enumerated() where row.gradient != nil {
            for problem in try CentralDifferences(operation, row).problems() {
                Issue.record("\(name), case \(number): \(problem)")
            }
        }
    }

    @Test("a wrong number of inputs is told by name", arguments: names)
    func inputCount(name: String) throws {
        let operation = try #require(OperationCatalog.operation(named: name))
        let arguments = operation.signature.inputs
        let hasList = arguments.contains { $0.count != nil || $0.isList }
        // One too few; where there is no list that would take it, one too many.
        for wrong in [arguments.count { !$0.isList } - 1, hasList ? -1 : arguments.count + 1] where wrong >= 0 {
            let g = Graph()
            let types = WrongInputs.types(operation)
            let inputs = (0..<wrong).map { g.placeholder($0 < types.count ? types[$0] : .float32) }
            g.add(operation, inputs)
            let error = #expect(throws: GraphError.self) { try g.validate() }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("\(name) '"), "\(text)")
            #expect(hasList || text.contains("got \(wrong)"), "\(text)")
        }
    }

    @Test("a wrong dtype is told with the input, what it got and what it wants", arguments: names)
    func dtype(name: String) throws {
        let operation = try #require(OperationCatalog.operation(named: name))
        let right = WrongInputs.types(operation)
        for (i, argument) in operation.signature.inputs.enumerated() {
            guard let (wrong, wanted) = WrongInputs.wrongType(operation, i, right) else { continue }
            let g = Graph()
            let inputs = right.enumerated().map { g.placeholder($0 == i ? wrong : $1) }
            let counts = operation.signature.inputs.compactMap(\.count).map { ($0, AttributeValue.int(1)) }
            g.add(operation, inputs, Attributes(Dictionary(counts, uniquingKeysWith: { $1 })))
            let text = #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
            #expect(text.hasPrefix("\(name) '") && text.contains("'\(argument.name)'"), "\(text)")
            #expect(text.contains("got \(wrong)") && text.contains(wanted.rawValue), "\(text)")
        }
    }

    /// All but those whose inputs or attributes ask for one shape; they have vectors of empty tensors.
    static let elementwise = OperationCatalog.operations.filter { $0 is any ElementwiseOperation.Type }
        .map { $0.name }.filter { !["BiasAdd", "BiasAddV1", "AccumulateNV2"].contains($0) }

    @Test("elementwise operations take empty tensors", arguments: elementwise)
    func empty(name: String) throws {
        let operation = try #require(OperationCatalog.operation(named: name))
        let g = Graph()
        let types = WrongInputs.types(operation)
        let inputs = types.map { g.placeholder($0, [0, 3]) }
        let attributes = (try? VectorFile(name))?.cases.first?.attributes(of: operation) ?? [:]
        let vertex = g.add(operation, inputs, attributes)
        let feeds = Feeds(Dictionary(uniqueKeysWithValues: zip(inputs, types.map { Tensor.zeros($0, sized: [0, 3]) })))
        let result = try Session(g).run(vertex.node, feeds: feeds)
        #expect(result.shape == [0, 3] && result.elementCount == 0)
    }
}

/// Inputs that an operation takes, and such as it does not.
enum WrongInputs {
    /// One right dtype for each argument; a list stands for one tensor.
    static func types(_ operation: any Operation.Type) -> [DType] {
        operation.signature.inputs.map {
            DType(rawValue: $0.type) ?? operation.signature.types[$0.type]?.first ?? .float32
        }
    }

    /// A dtype that argument `i` must refuse, and one that it would take; nil if it takes all.
    static func wrongType(_ operation: any Operation.Type, _ i: Int, _ right: [DType]) -> (wrong: DType, wanted: DType)?
    {
        let arguments = operation.signature.inputs
        let isBound = arguments[..<i].contains { $0.type == arguments[i].type }
        let allowed: [DType]
        if isBound || DType(rawValue: arguments[i].type) != nil {
            allowed = [right[i]]
        } else {
            allowed = operation.signature.types[arguments[i].type] ?? DType.all
        }
        guard let wrong = DType.all.first(where: { !allowed.contains($0) }), let wanted = allowed.first else {
            return nil
        }
        return (wrong, wanted)
    }
}
