import Dataflow
import Foundation
import Testing

/// What a function of the library builds lies at the line that calls it, whatever it is made of.
@Suite("The places of what functions build")
struct FunctionPlaceTests {
    /// Inputs for the calls, made at other lines than these.
    struct Inputs {
        let g = Graph()
        let v: Variable
        /// float32 of shape [2, 3], [2, 2], [3], [1, 4, 4, 2], and a batch of matrices, [2, 2, 3].
        let x, square, row, image, batch: Node
        /// int32 of shape [2], of [2, 3]; int64 [2]; bool [2, 3], [2].
        let ids, whole, labels, mask, flags: Node
        /// Nothing is known of its shape.
        let open: Node

        init() {
            v = g.variable(Tensor([Float(1), 2]))
            x = g.constant([[Float(1), 2, 3], [4, 5, 6]])
            square = g.constant([[Float(1), 2], [3, 4]])
            row = g.constant([Float(1), 2, 3])
            image = g.randomNormal(shape: [1, 4, 4, 2])
            batch = g.randomNormal(shape: [2, 2, 3])
            ids = g.constant([Int32(1), 0])
            whole = g.constant([[Int32(1), 2, 3], [4, 5, 6]])
            labels = g.constant([Int64(1), 0])
            mask = g.constant([[true, false, true], [false, true, true]])
            flags = g.constant([true, false])
            open = g.placeholder(.float32)
        }
    }

    struct Call: Sendable, CustomTestStringConvertible {
        let name: String
        let line: UInt
        let build: @Sendable (Inputs) -> Void
        var testDescription: String { "\(name), line \(line)" }

        init(_ name: String, line: UInt = #line, _ build: @escaping @Sendable (Inputs) -> Void) {
            self.name = name
            self.line = line
            self.build = build
        }
    }

    @Test("each vertex lies where the function is called", arguments: arrays + products + elements + rest)
    func places(call: Call) throws {
        let inputs = Inputs()
        let before = Set(inputs.g.vertices.map(\.id))
        call.build(inputs)
        try inputs.g.validate()
        let made = inputs.g.vertices.filter { !before.contains($0.id) }
        #expect(!made.isEmpty)
        // What a body takes from around it keeps its place.
        let all = (made + made.flatMap(FunctionPlaceTests.inside)).filter { !$0.name.hasPrefix("captured_") }
        for vertex in all {
            #expect(vertex.location?.file.hasPrefix("DataflowTests/FunctionPlaceTests") == true, "\(vertex.name)")
            // A call that the formatter broke takes some lines.
            #expect((call.line...call.line + 5).contains(vertex.location?.line ?? 0), "\(vertex.name)")
        }
    }

    @Test("gradients lie where they are asked for", arguments: arrays + products + elements + rest)
    func gradients(call: Call) throws {
        let inputs = Inputs()
        call.build(inputs)
        let g = inputs.g
        let all = g.vertices
        let used = Set(all.flatMap { $0.inputs.map(\.vertex.id) })
        let ends = all.filter { !used.contains($0.id) && $0.outputs.first?.dtype.isFloating == true }.map(\.node)
        // Of some no gradient is defined.
        let line: UInt = #line + 1
        let gradients = g.gradients(of: ends, by: [inputs.x, inputs.square, inputs.image, inputs.batch, inputs.row])
        let known = Set(all.map { ObjectIdentifier($0) })
        for vertex in g.vertices where !known.contains(ObjectIdentifier(vertex)) {
            #expect(vertex.location == SourceLocation(file: #fileID, line: line), "\(vertex.name)")
        }
        _ = gradients
    }

    private static func inside(_ vertex: Vertex) -> [Vertex] {
        let functions = vertex.attributes.values.values.flatMap { value -> [Function] in
            switch value {
            case .function(let function): [function]
            case .functions(let functions): functions
            default: []
            }
        }
        return functions.flatMap { $0.graph.vertices + $0.graph.vertices.flatMap(inside) }
    }

    @Test("every public function that takes a line is called here")
    func complete() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../../Sources/Dataflow")
        guard let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil) else { return }
        let known = Set(
            (FunctionPlaceTests.arrays + FunctionPlaceTests.products + FunctionPlaceTests.elements
                + FunctionPlaceTests.rest).map(\.name))
        var missing: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /public func (\w+)[^{]*line: UInt = #line/)
            where !known.contains(String(match.1)) {
                missing.insert(String(match.1))
            }
        }
        // A device is no operation; it has its own test.
        #expect(missing.subtracting(["device"]).sorted() == [])
    }

}

extension FunctionPlaceTests {
    static let arrays: [Call] = [
        Call("bincount") { _ = bincount($0.ids, count: 3) },
        Call("bitcast") { _ = bitcast($0.x, to: .int32) },
        Call("broadcast") { _ = broadcast($0.row, to: [2, 3]) },
        Call("broadcast") { _ = broadcast($0.row, to: shape($0.x)) },
        Call("concat") { _ = concat([$0.x, $0.x], axis: -1) },
        Call("cumsum") { _ = cumsum($0.x, axis: 1) },
        Call("cumprod") { _ = cumprod($0.x, axis: 1) },
        Call("dynamicPartition") { _ = dynamicPartition($0.x, $0.ids, count: 2) },
        Call("dynamicStitch") { _ = dynamicStitch([$0.ids], [$0.x]) },
        Call("expandDims") { _ = expandDims($0.x, axis: -1) },
        Call("zerosLike") { _ = zerosLike($0.x) },
        Call("onesLike") { _ = onesLike($0.x) },
        Call("fill") { _ = fill($0.ids, sum($0.x)) },
        Call("flatten") { _ = flatten($0.image) },
        Call("flatten") { _ = flatten($0.open) },
        Call("flatten") { _ = flatten($0.open, from: -2) },
        Call("gather") { _ = gather($0.x, [1, 0]) },
        Call("gather") { _ = gather($0.x, $0.ids, axis: 1) },
        Call("subscript") { _ = $0.x[0, 1..<3] },
        Call("subscript") { _ = $0.x[..., .newAxis] },
        Call("subscript") { _ = $0.x[$0.ids] },
        Call("subscript") { _ = $0.x[$0.flags] },
        Call("gatherNd") { _ = gatherNd($0.x, [[1, 0]]) },
        Call("scatterNd") { _ = scatterNd(expandDims($0.ids, axis: 1), $0.x, shape: [4, 3]) },
        Call("scatterNd") { _ = scatterNd(expandDims($0.ids, axis: 1), $0.x, shape: shape($0.x)) },
        Call("linSpace") { _ = $0.g.linSpace(0, 1, count: 3) },
        Call("zeros") { _ = $0.g.zeros(shape: [2, 3]) },
        Call("ones") { _ = $0.g.ones(shape: [2, 3]) },
        Call("eye") { _ = $0.g.eye(3, columns: 2) },
        Call("listDiff") { _ = listDiff($0.ids, $0.ids) },
        Call("matrixBandPart") { _ = matrixBandPart($0.square, lower: 0, upper: 1) },
        Call("mirrorPad") { _ = mirrorPad($0.x, paddings: [(1, 1), (0, 1)]) },
        Call("oneHot") { _ = oneHot($0.ids, depth: 3) },
        Call("stack") { _ = stack([$0.x, $0.x], axis: 1) },
        Call("unstack") { _ = unstack($0.x) },
        Call("pad") { _ = pad($0.x, paddings: [(1, 1), (0, 2)]) },
        Call("pad") { _ = pad($0.x, paddings: [(1, 1), (0, 2)], value: 3) },
        Call("range") { _ = range(0, size($0.x)) },
        Call("reverse") { _ = reverse($0.x, axis: 1) },
        Call("reverseSequence") { _ = reverseSequence($0.x, lengths: $0.ids, axis: 1) },
        Call("roll") { _ = roll($0.x, shift: 1, axis: 1) },
        Call("roll") { _ = roll($0.x, shifts: [1, 2], axes: [0, 1]) },
        Call("segmentSum") { _ = segmentSum($0.x, [0, 0]) },
        Call("segmentMean") { _ = segmentMean($0.x, [0, 0]) },
        Call("shape") { _ = shape($0.x) },
        Call("reshape") { _ = reshape($0.x, [-1, 2]) },
        Call("size") { _ = size($0.x) },
        Call("rank") { _ = rank($0.x) },
        Call("slice") { _ = slice($0.x, begin: [0, 1], size: [2, -1]) },
        Call("sort") { _ = sort($0.x, axis: 0) },
        Call("sort") { _ = sort($0.open, descending: true) },
        Call("argSort") { _ = argSort($0.x) },
        Call("spaceToDepth") { _ = spaceToDepth($0.image, blockSize: 2) },
        Call("depthToSpace") { _ = depthToSpace(spaceToDepth($0.image, blockSize: 2), blockSize: 2) },
        Call("split") { _ = split($0.x, count: 3, axis: 1) },
        Call("split") { _ = split($0.x, sizes: [1, 2], axis: 1) },
        Call("squeeze") { _ = squeeze(expandDims($0.x, axis: 0), axis: 0) },
        Call("stridedSlice") { _ = stridedSlice($0.x, begin: [0, 0], end: [2, 3], strides: [1, 2]) },
        Call("tensorScatter") { _ = tensorScatter($0.x, expandDims($0.ids, axis: 1), $0.x) },
        Call("tile") { _ = tile($0.x, multiples: [2, 1]) },
        Call("topK") { _ = topK($0.x, k: 2) },
        Call("transpose") { _ = transpose($0.x) },
        Call("transpose") { _ = transpose($0.open) },
        Call("unique") { _ = unique($0.ids) },
        Call("unsortedSegmentSum") { _ = unsortedSegmentSum($0.x, $0.ids, count: 2) },
        Call("indices") { _ = indices(whereTrue: $0.mask) },
        Call("booleanMask") { _ = booleanMask($0.x, $0.flags) },
    ]

    static let products: [Call] = [
        Call("avgPool") { _ = avgPool($0.image, size: [2, 2]) },
        Call("maxPool") { _ = maxPool($0.image, size: [2, 2]) },
        Call("conv2d") { _ = conv2d($0.image, $0.g.ones(shape: [2, 2, 2, 1]), padding: .same) },
        Call("conv2dTranspose") {
            _ = conv2dTranspose($0.image, $0.g.ones(shape: [2, 2, 1, 2]), outputShape: [4, 4])
        },
        Call("depthwiseConv2d") { _ = depthwiseConv2d($0.image, $0.g.ones(shape: [2, 2, 2, 1]), padding: .same) },
        Call("biasAdd") { _ = biasAdd($0.x, $0.row) },
        Call("cross") { _ = cross($0.x, $0.x) },
        Call("einsum") { _ = einsum("ij,ij->i", [$0.x, $0.x]) },
        Call("matmul") { _ = matmul($0.x, $0.x, transposeB: true) },
        Call("matmul") { _ = matmul($0.batch, $0.x, transposeB: true) },
        Call("matrixDiag") { _ = matrixDiag($0.x) },
        Call("matrixDiagPart") { _ = matrixDiagPart($0.square) },
        Call("matrixSetDiag") { _ = matrixSetDiag($0.square, gather($0.row, [0, 1])) },
        Call("inTopK") { _ = inTopK(predictions: $0.x, targets: $0.ids, k: 1) },
        Call("l2Loss") { _ = l2Loss($0.x) },
        Call("softmaxCrossEntropy") { _ = softmaxCrossEntropy(labels: $0.x, logits: $0.x) },
        Call("sparseSoftmaxCrossEntropy") { _ = sparseSoftmaxCrossEntropy(labels: $0.ids, logits: $0.x) },
        Call("fusedBatchNorm") { _ = fusedBatchNorm($0.image, scale: $0.v, offset: $0.v) },
        Call("localResponseNormalization") { _ = localResponseNormalization($0.image) },
        Call("multinomial") { _ = multinomial($0.x, samples: 2) },
        Call("randomUniform") { _ = $0.g.randomUniform(shape: [2], min: 1, max: 3) },
        Call("randomUniform") { _ = $0.g.randomUniform(shape: shape($0.x), min: 1, max: 3) },
        Call("randomNormal") { _ = $0.g.randomNormal(shape: [2], mean: 1, stddev: 3) },
        Call("truncatedNormal") { _ = $0.g.truncatedNormal(shape: [2], mean: 1, stddev: 3) },
        Call("randomUniformInt") { _ = $0.g.randomUniformInt(shape: [2], max: 3) },
        Call("randomUniformInt") { _ = $0.g.randomUniformInt(shape: shape($0.x), max: 3, dtype: .int64) },
        Call("randomShuffle") { _ = randomShuffle($0.x) },
    ]
}
