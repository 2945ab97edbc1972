import Dataflow
import Testing

/// Functions that are made of others, against numpy's and TensorFlow's numbers.
@Suite("Functions made of others")
struct CompositeTests {
    private let g = Graph()

    private func value(_ node: Node) throws -> [Double] {
        try Session(g).run(node).doubles.map { ($0 * 1e5).rounded() / 1e5 }
    }

    private var x: Node { g.constant([[1.0, 5, 3], [4, 2, 6]], dtype: .float64) }

    @Test("flatten keeps what lies before the axis")
    func flattened() throws {
        let images = g.placeholder(.float32, [nil, 2, 3, 4])
        #expect(flatten(images).shape == [nil, 24])
        #expect(flatten(images, from: 0).shape == [nil])
        #expect(flatten(images, from: -2).shape == [nil, 2, 12])
        #expect(flatten(g.placeholder(.float32, [2, nil, 3])).shape == [2, nil])
        #expect(flatten(g.placeholder(.float32, [5])).shape == [5, 1])
        #expect(flatten(g.placeholder(.float32, []), from: 0).shape == [1])
        let session = try Session(g)
        for shape in [.unknown, [nil, nil, 3], [nil, 2, nil]] as [Shape] {
            let open = g.placeholder(.float32, shape)
            #expect(try session.run(flatten(open), feeds: [open: Tensor.zeros(.float32, [2, 2, 3])]).shape == [2, 6])
            #expect(try session.run(flatten(open), feeds: [open: Tensor.zeros(.float32, [0, 2, 3])]).shape == [0, 6])
            #expect(
                try session.run(flatten(open, from: 0), feeds: [open: Tensor.zeros(.float32, [2, 2, 3])]).shape == [12])
        }
        _ = flatten(x, from: 3)
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("beyond the rank") == true)
    }

    @Test("a single axis stands for a list of one, from both ends")
    func axis() throws {
        #expect(try value(sum(x, axis: 1)) == [9, 12])
        #expect(try value(sum(x, axis: -2)) == [5, 7, 9])
        #expect(sum(x, axis: 1, keepDims: true).shape == [2, 1])
        #expect(try value(mean(x, axis: 0)) == [2.5, 3.5, 4.5])
        #expect(try value(max(x, axis: -1)) == [5, 6])
        #expect(try value(min(x, axis: 0)) == [1, 2, 3])
        #expect(try value(prod(x, axis: 1)) == [15, 48])
        #expect(try value(all(x .> 1, axis: 0)) == [0, 1, 1])
        #expect(try value(any(x .> 5, axis: 1)) == [0, 1])
        #expect(try value(euclideanNorm(x, axis: 0)) == [4.12311, 5.38516, 6.7082])
        #expect(try value(argMax(x, axis: -1)) == [1, 2])
        #expect(try value(reverse(x, axis: 1)) == [3, 5, 1, 6, 2, 4])
        #expect(squeeze(x[.newAxis, ..., .newAxis], axis: -1).shape == [1, 2, 3])
        _ = sum(x, axis: 2)
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.location?.file == #fileID)
    }

    @Test("an axis beyond every dimension is told, however large")
    func hugeAxis() throws {
        for node in [
            expandDims(x, axis: .max), sum(x, axis: .min), concat([x, x], axis: .max), gather(x, [0], axis: .min),
        ] {
            #expect(throws: GraphError.self) { try Session(node.graph).run(node) }
        }
    }

    @Test("logSumExp holds what exp cannot")
    func logSums() throws {
        #expect(try value(logSumExp(x, axis: 1)) == [5.14293, 6.14293])
        #expect(try value(logSumExp(x, keepDims: true)) == [6.45619])
        #expect(try value(logSumExp(g.constant([1000.0, 1000], dtype: .float64))) == [1000.69315])
        #expect(try Session(g).run(logSumExp(g.constant([-Double.infinity, -.infinity]))).doubles == [-.infinity])
        let input = x
        let gradient = try #require(g.gradients(of: logSumExp(input, axis: 1), by: [input])[0])
        #expect(try value(gradient) == value(softmax(input)))
    }

    @Test("variance and standard deviation are those of numpy")
    func moments() throws {
        #expect(try value(variance(x, axis: 1)) == [2.66667, 2.66667])
        #expect(try value(std(x)) == [1.70783])
        #expect(variance(x, axis: 0, keepDims: true).shape == [1, 3])
    }

    @Test("softmax runs along any axis")
    func softmaxes() throws {
        #expect(try value(softmax(x, axis: 0)) == value(transpose(softmax(transpose(x)))))
        #expect(try value(sum(softmax(x, axis: 0), axis: 0)) == [1, 1, 1])
        #expect(try value(exp(logSoftmax(x, axis: -2))) == value(softmax(x, axis: 0)))
        _ = softmax(x, axis: 2)
        #expect(throws: GraphError.self) { try g.validate() }
    }

    @Test("matmul takes batches of matrices")
    func batches() throws {
        let a = reshape(g.constant((0..<12).map { Double($0) }), [2, 2, 3])
        #expect(matmul(a, a, transposeB: true).shape == [2, 2, 2])
        #expect(try value(matmul(a, x, transposeB: true)) == [11, 14, 38, 50, 65, 86, 92, 122])
        #expect(matmul(x, x, transposeA: true).vertex.operation.name == "MatMul")
    }

    @Test("sort and argSort are those of numpy")
    func sorting() throws {
        #expect(try value(sort(x)) == [1, 3, 5, 2, 4, 6])
        #expect(try value(sort(x, axis: 0, descending: true)) == [4, 5, 6, 1, 2, 3])
        #expect(try value(argSort(x, axis: -1)) == [0, 2, 1, 1, 0, 2])
        #expect(try value(argSort(x, descending: true)) == [1, 2, 0, 2, 0, 1])
    }

    @Test("norms bound and normalise")
    func norms() throws {
        let v = g.constant([[3.0, 4], [0, 0]])
        #expect(try value(l2Normalize(v, axis: 1)) == [0.6, 0.8, 0, 0])
        #expect(try value(clipByNorm(v, norm: 2.5)) == [1.5, 2, 0, 0])
        #expect(try value(clipByNorm(v, norm: 10)) == [3, 4, 0, 0])
        let gradient = try #require(g.gradients(of: clipByNorm(v, norm: 1, axis: 1), by: [v])[0])
        #expect(try Session(g).run(gradient).doubles.allSatisfy { $0.isFinite })
    }

    @Test("shapes are lists of numbers where they are known")
    func shapes() throws {
        #expect(try value(g.eye(2, columns: 3)) == [1, 0, 0, 0, 1, 0])
        #expect(try value(broadcast(g.constant([1.0, 2]), to: [2, 2])) == [1, 2, 1, 2])
        #expect(try value(roll(g.constant([1.0, 2, 3]), shift: 1, axis: 0)) == [3, 1, 2])
        #expect(try value(scatterNd(g.constant([[Int32(2)]]), g.constant([1.5]), shape: [4])) == [0, 0, 1.5, 0])
        #expect(try value(gather(x, [1, 0], axis: 1)) == [5, 1, 2, 4])
        #expect(reshape(x, [3, -1]).shape == [3, 2])
    }
}
