import Dataflow
import Testing
import Training

@Suite("Places of mistakes in the library's functions")
struct PlaceTests {
    /// Functions over a node [4, 3] (of images and sequences `images` and `sequence`), each with the line it is called at.
    static let functions: [@Sendable (Node) -> (Node, UInt)] = [
        { (dense($0, units: 2), #line) },
        { (Dense(units: 2, activation: .leakyRelu)($0), #line) },
        { (layerNormalization($0), #line) },
        { (batchNormalization($0, training: true), #line) },
        { (dropout($0, rate: 0.5), #line) },
        { (meanSquaredError(labels: $0, predictions: $0), #line) },
        { (meanAbsoluteError(labels: $0, predictions: $0), #line) },
        { (softmaxCrossEntropyLoss(labels: $0, logits: $0), #line) },
        { (sigmoidCrossEntropyLoss(labels: $0, logits: $0), #line) },
        { (sigmoidCrossEntropy(labels: $0, logits: $0), #line) },
        { (regularized($0), #line) },
        { (accuracy(labels: $0, predictions: $0), #line) },
        { (binaryAccuracy(labels: $0, predictions: $0), #line) },
        { (globalNorm([$0]), #line) },
        { (clipByGlobalNorm([$0], norm: 1).gradients[0], #line) },
        { (Activation.selu($0), #line) },
        { (Metric.auc(labels: $0, predictions: $0).sums, #line) },
        { (Metric.f1(labels: $0, predictions: $0).sums, #line) },
        { (Metric.r2(labels: $0, predictions: $0).sums, #line) },
        { (Metric.logLoss(labels: $0, predictions: $0).sums, #line) },
        { (Initializer.glorotNormal.node(in: $0.graph, shape: [2, 2]), #line) },
        { (conv2d(images($0), filters: 2, kernelSize: [1, 1]), #line) },
        { (lstm(sequence($0), units: 2), #line) },
        { (gru(sequence($0), units: 2), #line) },
        { (attention(sequence($0), heads: 1, causal: true), #line) },
        { (lastStep(sequence($0)), #line) },
        { (residual($0) { $0 }, #line) },
        { (embedding(cast($0, to: .int32), count: 3, width: 2), #line) },
    ]

    private static func images(_ x: Node) -> Node { found("images", [1, 2, 3, 2], x) }
    private static func sequence(_ x: Node) -> Node { found("sequence", [1, 4, 3], x) }

    /// A placeholder in the graph of `x`.
    private static func found(_ name: String, _ shape: Shape, _ x: Node) -> Node {
        x.graph.vertex(named: name)?.node ?? x.graph.placeholder(.float32, shape, name: name)
    }

    @Test("whatever a function builds has the place of the call", arguments: functions.indices)
    func places(index: Int) throws {
        let g = Graph()
        let x = g.placeholder(.float32, [4, 3])
        (_, _) = (Self.images(x), Self.sequence(x))
        let before = g.vertices.count
        let (_, line) = Self.functions[index](x)
        try g.validate()
        for vertex in g.vertices.dropFirst(before) {
            #expect(vertex.location?.file.hasSuffix("PlaceTests.swift") == true, "\(vertex.name)")
            #expect(vertex.location?.line == line, "\(vertex.name) \(vertex.location?.description ?? "nowhere")")
        }
    }

    @Test("mistakes in layers of the wrong shape, and in optimizers, are told at the call")
    func mistakes() throws {
        let builders: [(Graph) -> (Any, UInt)] = [
            { (dense($0.placeholder(.int32, [4, 3]), units: 2), #line) },
            {
                let images = $0.placeholder(.float32, [1, 4, 4, 3])
                return (conv2d(images, filters: 2, kernelSize: [1, 1], strides: [0, 1]), #line)
            },
            { (clipByGlobalNorm([$0.constant([1.0], dtype: .float64), $0.constant([Float(1)])], norm: 1), #line) },
            {
                let labels = $0.constant([1.0], dtype: .float64)
                return (meanSquaredError(labels: labels, predictions: $0.constant([Float(1)])), #line)
            },
            { (Momentum().minimize($0.constant([1.0])), #line) },
        ]
        for (i, build) in builders.enumerated() {
            let g = Graph()
            let (_, line) = build(g)
            let error = #expect(throws: GraphError.self, "\(i)") { try g.validate() }
            #expect(error?.location?.file.hasSuffix("PlaceTests.swift") == true, "\(i): \(error?.description ?? "")")
            #expect(error?.location?.line == line, "\(i): \(error?.description ?? "")")
        }
    }

    @Test("sizes that no memory has are mistakes, not traps")
    func sizes() {
        let huge = Int.max
        let builders: [(Graph) -> Node] = [
            { dense($0.placeholder(.float32, [nil, 3]), units: huge) },
            { dense($0.placeholder(.float32, [nil, 3]), units: 1 << 32) },
            { conv2d($0.placeholder(.float32, [1, 4, 4, 3]), filters: 2, kernelSize: [huge, huge]) },
            { lstm($0.placeholder(.float32, [1, 4, 3]), units: huge) },
            { gru($0.placeholder(.float32, [1, 4, 3]), units: huge) },
            { embedding($0.placeholder(.int32, [1]), count: huge, width: huge) },
            { g in
                Metric.auc(labels: g.constant([Int32(1)]), predictions: g.zeros(shape: [1, 9000]), thresholds: 1000)
                    .sums
            },
        ]
        for (i, build) in builders.enumerated() {
            let g = Graph()
            _ = build(g)
            let error = #expect(throws: GraphError.self, "\(i)") { try g.validate() }
            #expect(error?.location?.file.hasSuffix("PlaceTests.swift") == true, "\(i): \(error?.description ?? "")")
        }
    }

    @Test("what an optimizer builds has the place of minimize", arguments: 0..<8)
    func optimizers(index: Int) throws {
        let g = Graph()
        let w = g.variable(Tensor([1.0, 2]), name: "w")
        let table = g.variable(Tensor([[1.0], [2]]), name: "table")
        let loss = sum(square(w)) + sum(gather(table, g.constant([Int32(0)])))
        let optimizer = LearningRateTests.optimizers(0.1)[index]
        let gradients = optimizer.computeGradients(loss)
        let before = g.vertices.count
        _ = optimizer.applyGradients(gradients); let line: UInt = #line
        try g.validate()
        for vertex in g.vertices.dropFirst(before) {
            #expect(vertex.location?.line == line, "\(vertex.name) \(vertex.location?.description ?? "nowhere")")
        }
    }
}
