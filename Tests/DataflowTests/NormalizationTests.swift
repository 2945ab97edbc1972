import Dataflow
import Testing

/// Normalisation where the op table's vectors do not reach: every output, channels first, empty batches, wrong shapes.
@Suite("Normalisation")
struct NormalizationTests {
    private func numbers(_ shape: [Int], _ dtype: DType) -> Tensor {
        let count = shape.reduce(1, *)
        return .numbers((0..<count).map { Double(($0 * 37) % 101) / 16 - 3 }, dtype: dtype, sized: Shape(shape))
    }

    /// `FusedBatchNormV3` over [2, 2, 2, 3] of 0 … 23, as TensorFlow gives it.
    @Test("all six outputs, in training and not")
    func outputs() throws {
        let g = Graph()
        let x = g.constant(Tensor((0..<24).map { Float($0) }, sized: [2, 2, 2, 3]))
        let scale = g.constant([Float(1), 2, 3])
        let offset = g.constant([Float(0.1), 0.2, 0.3])
        let (mean, variance) = (g.constant([Float(1), 1, 1]), g.constant([Float(2), 2, 2]))
        let session = try Session(g)
        let run = { (isTraining: Bool, factor: Float) -> [[Double]] in
            let vertex = g.add(
                FusedBatchNormV3.self, [x, scale, offset, mean, variance],
                ["is_training": .bool(isTraining), "exponential_avg_factor": .float(factor)])
            return try session.run(vertex.outputs.indices.map(vertex.output)).map { try $0.doubles }
        }
        let close = { (a: [Double], b: [Double]) in
            a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) }
        }
        var got = try run(true, 1)
        #expect(close(Array(got[0][..<4]), [-1.4275236, -2.8550472, -4.282571, -0.9910883]))
        #expect(got[1] == [10.5, 11.5, 12.5] && close(got[2], [54, 54, 54]))
        #expect(got[3] == [10.5, 11.5, 12.5] && close(got[4], [47.25, 47.25, 47.25]))
        #expect(got[5].isEmpty)
        got = try run(true, 0.1)
        #expect(close(got[1], [1.95, 2.05, 2.15]) && close(got[2], [7.2, 7.2, 7.2]))
        #expect(got[3] == [10.5, 11.5, 12.5] && close(got[4], [47.25, 47.25, 47.25]))
        got = try run(false, 1)
        #expect(close(Array(got[0][..<4]), [-0.6070891, 0.2, 2.4212673, 1.5141783]))
        #expect(got[1] == [1, 1, 1] && got[2] == [2, 2, 2] && got[3] == [1, 1, 1] && got[4] == [2, 2, 2])
        #expect(got[5].isEmpty)
    }

    @Test(
        "channels first give what channels last do, gradients of gradients too", arguments: [true, false],
        [DType.float32, .float64])
    func channelsFirst(isTraining: Bool, dtype: DType) throws {
        let g = Graph()
        let x = g.placeholder(dtype, [2, 3, 2, 4])
        let scale = g.constant(numbers([4], dtype))
        let offset = g.constant(numbers([4], dtype))
        let (mean, variance) = (g.constant(numbers([4], dtype)), square(scale) + 0.5)
        let results = ["NHWC", "NCHW"].map { format -> [Node] in
            let isFirst = format == "NCHW"
            let image = isFirst ? transpose(x, permutation: [0, 3, 1, 2]) : x
            let normal = fusedBatchNorm(
                image, scale: scale, offset: offset, mean: isTraining ? nil : mean,
                variance: isTraining ? nil : variance, isTraining: isTraining, dataFormat: format)
            let y = isFirst ? transpose(normal.y, permutation: [0, 2, 3, 1]) : normal.y
            let first = g.gradients(of: sum(y * square(y)), by: [x, scale, offset]).compactMap { $0 }
            let second = g.gradients(of: addN(first.map { sum(square($0)) }), by: [x, scale]).compactMap { $0 }
            return [y, normal.mean, normal.variance] + first + second
        }
        try #require(results[0].count == 8)
        let session = try Session(g)
        let feeds: Feeds = [x: numbers([2, 3, 2, 4], dtype)]
        let (last, first) = (try session.run(results[0], feeds: feeds), try session.run(results[1], feeds: feeds))
        let tolerance = dtype == .float32 ? 1e-4 : 1e-10
        for (a, b) in zip(last, first) {
            let size = try b.doubles.map(abs).max() ?? 0
            #expect(a.shape == b.shape)
            #expect(try zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= tolerance * max(1, size) })
        }
    }

    @Test("the second gradient agrees with central differences", arguments: [true, false])
    func secondGradient(isTraining: Bool) throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2, 2, 1, 2])
        let scale = g.placeholder(.float64, [2])
        let (mean, variance) = (g.constant([0.5, -1], dtype: .float64), g.constant([2.0, 0.7], dtype: .float64))
        let y = fusedBatchNorm(
            x, scale: scale, offset: g.constant([0.3, 0.1], dtype: .float64), mean: isTraining ? nil : mean,
            variance: isTraining ? nil : variance, isTraining: isTraining
        ).y
        let first = g.gradients(of: sum(y * square(y)), by: [x, scale]).compactMap { $0 }
        let loss = sum(square(first[0])) + sum(square(first[1]))
        let second = g.gradients(of: loss, by: [x, scale]).compactMap { $0 }
        let session = try Session(g)
        let start: Feeds = [x: numbers([2, 2, 1, 2], .float64), scale: Tensor([1.5, -0.5], dtype: .float64)]
        for (input, gradient) in zip([x, scale], second) {
            let got = try session.run(gradient, feeds: start).doubles
            for i in got.indices {
                let ends = try [-1e-5, 1e-5].map { step in
                    var values = try start[input]!.doubles
                    values[i] += step
                    let moved: Feeds = [input: Tensor(values, sized: start[input]!.shape)]
                    return try session.run(loss, feeds: start.merging(moved)).doubles[0]
                }
                let numeric = (ends[1] - ends[0]) / 2e-5
                #expect(abs(numeric - got[i]) <= 1e-5 * max(1, abs(numeric)), "element \(i)")
            }
        }
    }

    @Test("a mean far from 0 costs the variance no digits")
    func farMean() throws {
        let g = Graph()
        let x = g.constant(Tensor((0..<400).map { Float(4096 + $0 % 2) }, sized: [100, 2, 2, 1]))
        let normal = fusedBatchNorm(x, scale: g.constant([Float(1)]), offset: g.constant([Float(0)]), epsilon: 0)
        let values = try Session(g).run([normal.mean, normal.variance, normal.y])
        #expect(try values[0].doubles == [4096.5])
        #expect(try abs(values[1].doubles[0] - 0.25 * 400 / 399) < 1e-6)
        #expect(try Array(values[2].doubles[..<2]) == [-1, 1])
    }

    @Test("several threads give what one gives")
    func threads() throws {
        let results = try [1, 2].map { threads -> [Tensor] in
            let g = Graph()
            let x = g.placeholder(.float64, [16, 32, 32, 16])
            let scale = g.constant(numbers([16], .float64))
            let y = fusedBatchNorm(x, scale: scale, offset: scale).y
            let z = localResponseNormalization(y, depthRadius: 2)
            let slope = try #require(g.gradients(of: sum(square(z)), by: [x])[0])
            let session = try Session(g, options: SessionOptions(threads: threads))
            return try session.run([z, slope], feeds: [x: numbers([16, 32, 32, 16], .float64)])
        }
        for (a, b) in zip(results[0], results[1]) {
            #expect(try zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= 1e-10 * max(1, abs($1)) })
        }
    }

    @Test("of an empty batch the mean is NaN, as TensorFlow says, and gradients are 0")
    func empty() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 2, 2, 3])
        let scale = g.constant([Float(1), 2, 3])
        let normal = fusedBatchNorm(x, scale: scale, offset: scale)
        let slopes = g.gradients(of: sum(normal.y), by: [x, scale]).compactMap { $0 }
        let values = try Session(g).run(
            [normal.y, normal.mean, normal.variance] + slopes, feeds: [x: Tensor.zeros(.float32, sized: [0, 2, 2, 3])])
        #expect(values.map(\.shape) == [[0, 2, 2, 3], [3], [3], [0, 2, 2, 3], [3]])
        #expect(try values[1].doubles.allSatisfy(\.isNaN) && values[2].doubles.allSatisfy(\.isNaN))
        #expect(try values[4].doubles == [0, 0, 0])
    }

    @Test("no channels and no rows of local response normalisation", arguments: [[0, 2, 2, 3], [1, 2, 2, 0]])
    func emptyResponse(shape: [Int]) throws {
        let g = Graph()
        let x = g.placeholder(.float32, Shape(shape))
        let value = try Session(g).run(
            localResponseNormalization(x), feeds: [x: Tensor.zeros(.float32, sized: Shape(shape))])
        #expect(value == .zeros(.float32, sized: Shape(shape)))
    }

    @Test("mistakes are told with what was got and what is wanted")
    func mistakes() {
        let check = { (words: String, build: (Graph) -> Node) in
            let g = Graph()
            _ = build(g)
            let text = #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
            #expect(text.contains(words), "\(text)")
        }
        let images = { (g: Graph) in g.placeholder(.float32, [2, 2, 2, 3]) }
        let vector = { (g: Graph, count: Int) in g.placeholder(.float32, [count]) }
        check("'x' must have rank 4, got the shape [2, 3]") { g in
            fusedBatchNorm(g.placeholder(.float32, [2, 3]), scale: vector(g, 3), offset: vector(g, 3)).y
        }
        check("'scale' must have one element for each of the 3 channels") { g in
            fusedBatchNorm(images(g), scale: vector(g, 2), offset: vector(g, 3)).y
        }
        check("'mean' must have one element for each of the 3 channels") { g in
            fusedBatchNorm(images(g), scale: vector(g, 3), offset: vector(g, 3), isTraining: false).y
        }
        check("'mean' must have one element for each of the 3 channels") { g in
            fusedBatchNorm(images(g), scale: vector(g, 3), offset: vector(g, 3), averageFactor: 0.1).y
        }
        check("'scale' must be float32 like 'x', got float64") { g in
            let scale = g.placeholder(.float64, [3])
            return fusedBatchNorm(images(g), scale: scale, offset: scale).y
        }
        check("data_format must be NHWC, NCHW") { g in
            fusedBatchNorm(images(g), scale: vector(g, 3), offset: vector(g, 3), dataFormat: "CHWN").y
        }
        check("'y_backprop' must have the shape [2, 2, 2, 3]") { g in
            let vectors = (0..<3).map { _ in vector(g, 3) }
            return g.add(FusedBatchNormGrad.self, [g.placeholder(.float32, [2, 2, 1, 3]), images(g)] + vectors).node
        }
        check("depth_radius must be at least 0") { g in localResponseNormalization(images(g), depthRadius: -1) }
        check("'output_image' must have the shape") { g in
            g.add(LRNGrad.self, [images(g), images(g), g.placeholder(.float32, [2, 2, 2, 4])]).node
        }
    }
}
