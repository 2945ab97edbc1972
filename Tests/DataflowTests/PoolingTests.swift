import Dataflow
import Testing

/// Pooling where the op table's vectors do not reach: channels first, dtypes, gradients of gradients, wrong shapes.
@Suite("Pooling")
struct PoolingTests {
    private func numbers(_ shape: [Int], _ dtype: DType) -> Tensor {
        let count = shape.reduce(1, *)
        return .numbers((0..<count).map { Double(($0 * 37) % 101) - 50 }, dtype: dtype, sized: Shape(shape))
    }

    struct Setting: CustomTestStringConvertible, Sendable {
        let size: [Int]
        let strides: [Int]
        let padding: WindowPadding
        var testDescription: String { "\(size) \(strides) \(padding)" }
    }

    static let settings = [
        Setting(size: [2, 2], strides: [2, 2], padding: .valid),
        Setting(size: [3, 2], strides: [1, 2], padding: .same),
        Setting(size: [1, 1], strides: [3, 2], padding: .same),
        Setting(size: [2, 3], strides: [4, 4], padding: .same),
    ]

    @Test("channels first give what channels last do, gradients of gradients too", arguments: settings, [true, false])
    func channelsFirst(setting: Setting, isMax: Bool) throws {
        let g = Graph()
        let pool = isMax ? maxPool : avgPool
        let x = g.placeholder(.float64, [2, 5, 7, 3])
        let results = ["NHWC", "NCHW"].map { format -> [Node] in
            let isFirst = format == "NCHW"
            let image = isFirst ? transpose(x, permutation: [0, 3, 1, 2]) : x
            let y = pool(image, setting.size, setting.strides, setting.padding, format, nil, #fileID, #line)
            let first = g.gradients(of: sum(y * square(y)), by: [x])[0]!
            let second = g.gradients(of: sum(square(first)), by: [x])[0]!
            return [isFirst ? transpose(y, permutation: [0, 2, 3, 1]) : y, first, second]
        }
        let session = try Session(g)
        let feeds: Feeds = [x: numbers([2, 5, 7, 3], .float64)]
        let (last, first) = (try session.run(results[0], feeds: feeds), try session.run(results[1], feeds: feeds))
        for (a, b) in zip(last, first) {
            #expect(a.shape == b.shape)
            #expect(try zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= 1e-12 * max(1, abs($1)) })
        }
        #expect(try last[2].doubles.contains { $0 != 0 })
    }

    @Test(
        "windows that tile the images give each pixel its share", arguments: [DType.float32, .float64, .int32], [3, 21])
    func tiles(dtype: DType, channels: Int) throws {
        let g = Graph()
        let x = numbers([2, 6, 9, channels], dtype)
        let dy = numbers([2, 3, 3, channels], dtype)
        let attributes = Attributes([
            "ksize": .ints([1, 2, 3, 1]), "strides": .ints([1, 2, 3, 1]), "padding": .string("VALID"),
        ])
        let inputs = [
            g.constant(x), g.placeholder(dtype, [2, 3, 3, channels]), g.placeholder(dtype, [2, 3, 3, channels]),
        ]
        let node = g.add(MaxPoolGrad.self, inputs, attributes).node
        let result = try Session(g).run(node, feeds: [inputs[1]: dy, inputs[2]: dy])
        var expected = [Double](repeating: 0, count: x.elementCount)
        let (values, upstream) = try (x.doubles, dy.doubles)
        for (window, gradient) in upstream.enumerated() {
            let (c, pixel) = (window % channels, window / channels)
            let (image, row, column) = (pixel / 9, pixel / 3 % 3, pixel % 3)
            let places = (0..<6).map { k in
                ((image * 6 + row * 2 + k / 3) * 9 + column * 3 + k % 3) * channels + c
            }
            let largest = places.map { values[$0] }.max()!
            expected[places.first { values[$0] == largest }!] += gradient
        }
        #expect(try result.doubles == expected)
    }

    @Test("the second gradient agrees with central differences", arguments: settings, [true, false])
    func secondGradient(setting: Setting, isMax: Bool) throws {
        let g = Graph()
        let pool = isMax ? maxPool : avgPool
        let x = g.placeholder(.float64, [1, 4, 5, 1])
        let y = pool(x, setting.size, setting.strides, setting.padding, "NHWC", nil, #fileID, #line)
        let first = try #require(g.gradients(of: sum(y * square(y)), by: [x])[0])
        let loss = sum(square(first))
        let second = try #require(g.gradients(of: loss, by: [x])[0])
        let session = try Session(g)
        let start = try numbers([1, 4, 5, 1], .float64).doubles.map { $0 / 16 }
        let value = { (values: [Double]) in
            try session.run(loss, feeds: [x: Tensor(values, sized: [1, 4, 5, 1])]).doubles[0]
        }
        let got = try session.run(second, feeds: [x: Tensor(start, sized: [1, 4, 5, 1])]).doubles
        for i in start.indices {
            var (low, high) = (start, start)
            low[i] -= 1e-5
            high[i] += 1e-5
            let numeric = try (value(high) - value(low)) / 2e-5
            #expect(abs(numeric - got[i]) <= 1e-4 * max(1, abs(numeric)), "element \(i)")
        }
    }

    @Test("the largest of every number type", arguments: DType.numbers)
    func dtypes(dtype: DType) throws {
        let g = Graph()
        let x = g.constant(.numbers([3, 7, 1, 2, 9, 4, 4, 0], dtype: dtype, sized: [1, 2, 4, 1]))
        let value = try Session(g).run(maxPool(x, size: [2, 2]))
        #expect(value == .numbers([9, 4], dtype: dtype, sized: [1, 1, 2, 1]))
    }

    @Test("several threads give what one gives", arguments: [true, false])
    func threads(isMax: Bool) throws {
        let results = try [1, 2].map { threads -> [Tensor] in
            let g = Graph()
            let x = g.placeholder(.float32, [4, 64, 64, 16])
            let pool = isMax ? maxPool : avgPool
            let y = pool(x, [3, 3], [2, 2], .same, "NHWC", nil, #fileID, #line)
            let slope = try #require(g.gradients(of: sum(square(y)), by: [x])[0])
            let session = try Session(g, options: SessionOptions(threads: threads))
            return try session.run([y, slope], feeds: [x: numbers([4, 64, 64, 16], .float32)])
        }
        #expect(results[0] == results[1])
    }

    @Test("no images, no result, and gradients of their shapes", arguments: [true, false])
    func empty(isMax: Bool) throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 4, 4, 2])
        let pool = isMax ? maxPool : avgPool
        let y = pool(x, [2, 2], nil, .valid, "NHWC", nil, #fileID, #line)
        let slope = try #require(g.gradients(of: sum(y), by: [x])[0])
        let values = try Session(g).run([y, slope], feeds: [x: Tensor.zeros(.float32, sized: [0, 4, 4, 2])])
        #expect(values.map(\.shape) == [[0, 2, 2, 2], [0, 4, 4, 2]])
    }

    @Test("mistakes are told with what was got and what is wanted")
    func mistakes() {
        let check = { (words: String, build: (Graph) -> Node) in
            let g = Graph()
            _ = build(g)
            let text = #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
            #expect(text.contains(words), "\(text)")
        }
        check("'input' must have rank 4, got the shape [4, 4]") {
            maxPool($0.placeholder(.float32, [4, 4]), size: [2, 2])
        }
        check("ksize must be four numbers") {
            maxPool($0.placeholder(.float32, [1, 4, 4, 1]), size: [2], strides: [1, 1])
        }
        check("got [1, 0, 2, 1]") { avgPool($0.placeholder(.float32, [1, 4, 4, 1]), size: [0, 2], strides: [1, 1]) }
        check("does not fit an extent of 4") {
            avgPool($0.placeholder(.float32, [1, 4, 4, 1]), size: [6, 1], strides: [1, 1])
        }
        check("padding must be SAME or VALID, got EXPLICIT") {
            avgPool(
                $0.placeholder(.float32, [1, 4, 4, 1]), size: [2, 2],
                padding: .explicit(top: 1, bottom: 0, left: 0, right: 0))
        }
        check("smaller than the window of 2 × 2") {
            maxPool(
                $0.placeholder(.float32, [1, 4, 4, 1]), size: [2, 2],
                padding: .explicit(top: 2, bottom: 0, left: 0, right: 0))
        }
        let attributes: Attributes = [
            "ksize": .ints([1, 2, 2, 1]), "strides": .ints([1, 2, 2, 1]), "padding": .string("VALID"),
        ]
        check("'grad' must have the shape [1, 2, 2, 1]") { g in
            let inputs = ([[1, 4, 4, 1], [1, 2, 2, 1], [1, 3, 2, 1]] as [Shape]).map { g.placeholder(.float32, $0) }
            return g.add(MaxPoolGrad.self, inputs, attributes).node
        }
        check("'orig_output' must have the shape [1, 2, 2, 1]") { g in
            let inputs = ([[1, 4, 4, 1], [1, 2, 3, 1], [1, 4, 4, 1]] as [Shape]).map { g.placeholder(.float32, $0) }
            return g.add(MaxPoolGradGrad.self, inputs, attributes).node
        }
        check("'grad' must have the shape [1, 2, 2, 1]") { g in
            let inputs = [g.constant([Int32(1), 4, 4, 1]), g.placeholder(.float32, [1, 2, 2, 2])]
            return g.add(AvgPoolGrad.self, inputs, attributes).node
        }
    }
}
