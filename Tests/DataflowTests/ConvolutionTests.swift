import Dataflow
import Testing

/// Convolutions where the op table's vectors do not reach: oneDNN against the plain loops, channels first, groups, gradients
/// of gradients, wrong shapes.
@Suite("Convolutions")
struct ConvolutionTests {
    /// A convolution of which every number matters.
    struct Setting: CustomTestStringConvertible, Sendable {
        var input = [2, 7, 6, 4]
        var filter = [3, 2, 4, 6]
        var strides = [1, 1]
        var padding = WindowPadding.same
        var dilations = [1, 1]
        var testDescription: String { "\(input) \(filter) \(strides) \(padding) \(dilations)" }
    }

    static let settings = [
        Setting(), Setting(strides: [2, 3], padding: .valid), Setting(dilations: [2, 1]),
        Setting(filter: [1, 1, 4, 5], strides: [2, 2]), Setting(filter: [2, 2, 4, 3], strides: [3, 3]),
        Setting(strides: [2, 1], padding: .explicit(top: 3, bottom: 1, left: 0, right: 2)),
        Setting(filter: [3, 3, 2, 6]), Setting(filter: [3, 3, 1, 8], padding: .valid),
        Setting(input: [1, 5, 5, 1], filter: [5, 5, 1, 1], padding: .valid),
    ]
    static let depthwise = [
        Setting(filter: [3, 3, 4, 1]), Setting(filter: [2, 3, 4, 2], strides: [2, 1], padding: .valid),
        Setting(filter: [2, 2, 4, 3], dilations: [2, 2]),
    ]

    private func numbers(_ shape: [Int], _ seed: Int, _ dtype: DType) -> Tensor {
        let count = shape.reduce(1, *)
        return .numbers(
            (0..<count).map { Double(($0 * 37 + seed * 11) % 23 - 11) / 8 }, dtype: dtype, sized: Shape(shape))
    }

    /// The output, both gradients and both gradients of their weighted sum, which pass through all three operations.
    private func all(_ setting: Setting, isDepthwise: Bool, _ dtype: DType, format: String = "NHWC") throws -> [Tensor]
    {
        let g = Graph()
        let isFirst = format == "NCHW"
        let image = g.constant(numbers(setting.input, 1, dtype))
        let x = isFirst ? transpose(image, permutation: [0, 3, 1, 2]) : image
        let filter = g.constant(numbers(setting.filter, 2, dtype))
        let build = isDepthwise ? depthwiseConv2d : conv2d
        let y = build(
            x, filter, setting.strides, setting.padding, setting.dilations, format, nil, #fileID, #line)
        let first = g.gradients(of: sum(square(y)), by: [x, filter]).compactMap { $0 }
        let second = g.gradients(of: sum(square(first[0])) + sum(square(first[1])), by: [x, filter]).compactMap { $0 }
        try #require(first.count == 2 && second.count == 2)
        let back = { (node: Node) in isFirst ? transpose(node, permutation: [0, 2, 3, 1]) : node }
        return try Session(g).run([back(y), back(first[0]), first[1], back(second[0]), second[1]])
    }

    private func isClose(_ a: Tensor, _ b: Tensor) throws -> Bool {
        let scale = try b.doubles.map(abs).max() ?? 0
        return try a.shape == b.shape && zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= 1e-5 * max(scale, 1) }
    }

    @Test("float32 in oneDNN agrees with float64 in loops, gradients of gradients too", arguments: settings)
    func library(setting: Setting) throws {
        let expected = try all(setting, isDepthwise: false, .float64)
        for (a, b) in zip(try all(setting, isDepthwise: false, .float32), expected) { #expect(try isClose(a, b)) }
    }

    @Test("depthwise too", arguments: depthwise)
    func depthwiseLibrary(setting: Setting) throws {
        let expected = try all(setting, isDepthwise: true, .float64)
        for (a, b) in zip(try all(setting, isDepthwise: true, .float32), expected) { #expect(try isClose(a, b)) }
    }

    @Test("channels first give what channels last do", arguments: settings, [DType.float32, .float64])
    func channelsFirst(setting: Setting, dtype: DType) throws {
        let expected = try all(setting, isDepthwise: false, dtype)
        for (a, b) in zip(try all(setting, isDepthwise: false, dtype, format: "NCHW"), expected) {
            #expect(try isClose(a, b))
        }
    }

    @Test("depthwise channels first too", arguments: depthwise, [DType.float32, .float64])
    func depthwiseChannelsFirst(setting: Setting, dtype: DType) throws {
        let expected = try all(setting, isDepthwise: true, dtype)
        for (a, b) in zip(try all(setting, isDepthwise: true, dtype, format: "NCHW"), expected) {
            #expect(try isClose(a, b))
        }
    }

    @Test("a convolution in groups is one for each, side by side", arguments: [DType.float32, .float64])
    func groups(dtype: DType) throws {
        let g = Graph()
        let x = g.constant(numbers([1, 4, 4, 4], 1, dtype))
        let filter = g.constant(numbers([2, 2, 2, 6], 2, dtype))
        let whole = conv2d(x, filter, padding: .same)
        let parts = (0..<2).map { i in
            conv2d(
                slice(x, begin: [0, 0, 0, 2 * i], size: [-1, -1, -1, 2]),
                slice(filter, begin: [0, 0, 0, 3 * i], size: [-1, -1, -1, 3]), padding: .same)
        }
        let values = try Session(g).run([whole, concat(parts, axis: 3)])
        #expect(try isClose(values[0], values[1]))
    }

    @Test("int32 convolves")
    func integers() throws {
        let g = Graph()
        let x = g.constant(Tensor((1...9).map { Int32($0) }, sized: [1, 3, 3, 1]))
        let filter = g.constant(Tensor([Int32(1), -1, 2, 0], sized: [2, 2, 1, 1]))
        let y = try Session(g).run(conv2d(x, filter, padding: .valid))
        #expect(y == Tensor([Int32(7), 9, 13, 15], sized: [1, 2, 2, 1]))
    }

    @Test("the transposed convolution undoes the shapes of a convolution, and has its gradients")
    func transposed() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [nil, 2, 2, 3])
        let filter = g.constant(numbers([3, 3, 2, 3], 1, .float64))
        let whole = conv2dTranspose(x, filter, outputShape: [2, 4, 4, 2], strides: [2, 2])
        let brief = conv2dTranspose(x, filter, outputShape: [4, 4], strides: [2, 2])
        #expect(brief.shape == [nil, 4, 4, 2])
        let back = try #require(g.gradients(of: sum(square(brief)), by: [x])[0])
        let twice = conv2d(brief * 2, filter, strides: [2, 2], padding: .same)
        let values = try Session(g).run([whole, brief, back, twice], feeds: [x: numbers([2, 2, 2, 3], 2, .float64)])
        #expect(values[0] == values[1])
        #expect(values[2] == values[3])
    }

    @Test("shapes that are known only in part")
    func partialShapes() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 28, nil, 1])
        let filter = g.placeholder(.float32, [5, nil, nil, 32])
        #expect(conv2d(x, filter, padding: .same).shape == [nil, 28, nil, 32])
        #expect(conv2d(x, filter, strides: [2, 2], padding: .valid).shape == [nil, 12, nil, 32])
        #expect(conv2d(g.placeholder(.float32), filter, padding: .same).shape == [nil, nil, nil, 32])
        #expect(depthwiseConv2d(x, filter, padding: .same).shape == [nil, 28, nil, 32])
        try g.validate()
    }

    @Test("an empty batch gives an empty result and a filter gradient of zeros", arguments: [DType.float32, .float64])
    func emptyBatch(dtype: DType) throws {
        let g = Graph()
        let x = g.placeholder(dtype, [nil, 4, 4, 2])
        let filter = g.constant(numbers([2, 2, 2, 3], 1, dtype))
        let y = conv2d(x, filter, padding: .same)
        let slopes = g.gradients(of: y, by: [x, filter]).compactMap { $0 }
        let values = try Session(g).run([y] + slopes, feeds: [x: Tensor.zeros(dtype, sized: [0, 4, 4, 2])])
        #expect(values.map(\.shape) == [[0, 4, 4, 3], [0, 4, 4, 2], [2, 2, 2, 3]])
        #expect(values[2] == .zeros(dtype, sized: [2, 2, 2, 3]))
    }

    @Test("several threads give what one gives", arguments: [DType.float32, .float64])
    func threads(dtype: DType) throws {
        let results = try [1, 2].map { threads -> [Tensor] in
            let g = Graph()
            let x = g.constant(numbers([4, 20, 20, 8], 1, dtype))
            let filter = g.constant(numbers([3, 3, 8, 16], 2, dtype))
            let y = conv2d(x, filter, padding: .same)
            let slopes = g.gradients(of: sum(square(y)), by: [x, filter]).compactMap { $0 }
            return try Session(g, options: SessionOptions(threads: threads)).run([y] + slopes)
        }
        for (a, b) in zip(results[0], results[1]) { #expect(try isClose(a, b)) }
    }

    /// A mistake and what the error must say of it.
    struct Mistake: CustomTestStringConvertible, Sendable {
        let input: Shape
        let filter: Shape
        var strides = [1, 1]
        var padding = WindowPadding.valid
        var dilations = [1, 1]
        var format = "NHWC"
        let words: [String]
        var testDescription: String { words.joined(separator: " … ") }
    }

    @Test(
        "mistakes are told with what was got and what is wanted",
        arguments: [
            Mistake(input: [1, 4, 4], filter: [2, 2, 1, 1], words: ["'input' must have rank 4", "[1, 4, 4]"]),
            Mistake(input: [1, 4, 4, 1], filter: [2, 2, 1], words: ["'filter' must have rank 4", "[2, 2, 1]"]),
            Mistake(
                input: [1, 4, 4, 3], filter: [2, 2, 2, 1], words: ["[1, 4, 4, 3]", "[2, 2, 2, 1]", "dimension 2"]),
            Mistake(input: [1, 4, 4, 4], filter: [2, 2, 2, 3], words: ["[2, 2, 2, 3]", "multiple of the 2 groups"]),
            Mistake(input: [1, 2, 9, 1], filter: [4, 1, 1, 1], words: ["4 elements", "extent of 2"]),
            Mistake(input: [1, 4, 4, 1], filter: [0, 2, 1, 1], words: ["at least one element", "0"]),
            Mistake(input: [1, 4, 4, 1], filter: [2, 2, 1, 1], strides: [0, 1], words: ["strides", "[1, 0, 1, 1]"]),
            Mistake(input: [1, 4, 4, 1], filter: [2, 2, 1, 1], strides: [1], words: ["strides", "four", "[1]"]),
            Mistake(
                input: [1, 4, 4, 1], filter: [2, 2, 1, 1], strides: [1, 1, 1, 2], words: ["strides", "[1, 1, 1, 2]"]),
            Mistake(
                input: [1, 4, 4, 1], filter: [2, 2, 1, 1], dilations: [1, -1], words: ["dilations", "[1, 1, -1, 1]"]),
            Mistake(
                input: [1, 4, 4, 1], filter: [2, 2, 1, 1],
                padding: .explicit(top: -1, bottom: 0, left: 0, right: 0), words: ["explicit_paddings", "-1"]),
            Mistake(input: [1, 4, 4, 1], filter: [2, 2, 1, 1], format: "NWHC", words: ["data_format", "NWHC"]),
        ])
    func mistakes(mistake: Mistake) {
        let g = Graph()
        _ = conv2d(
            g.placeholder(.float32, mistake.input), g.placeholder(.float32, mistake.filter), strides: mistake.strides,
            padding: mistake.padding, dilations: mistake.dilations, dataFormat: mistake.format)
        let text = #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
        for word in mistake.words { #expect(text.contains(word), "\(text)") }
    }

    @Test("the attributes that TensorFlow refuses, and sizes that do not fit")
    func backpropMistakes() {
        let mistakes: [(any Dataflow.Operation.Type, [Int32], Attributes, String)] = [
            (Conv2DBackpropInput.self, [1, 5, 5, 2], ["padding": .string("SAME")], "[1, 5, 5, 3]"),
            (Conv2DBackpropInput.self, [1, 4, 4], ["padding": .string("SAME")], "2 or 4 elements, got 3"),
            (Conv2DBackpropInput.self, [1, -4, 4, 2], ["padding": .string("SAME")], "at least 0"),
            (Conv2DBackpropInput.self, [1, 4, 4, 2], ["padding": .string("NONE")], "padding must be SAME"),
            (
                Conv2DBackpropInput.self, [1, 4, 4, 2],
                ["padding": .string("SAME"), "explicit_paddings": .ints([0, 0, 1, 1, 1, 1, 0, 0])], "must be empty"
            ),
            (Conv2DBackpropInput.self, [1, 4, 4, 2], [:], "'padding' is missing"),
        ]
        for (operation, sizes, attributes, words) in mistakes {
            let g = Graph()
            let names = ["padding", "explicit_paddings"]
            let given = names.compactMap { name in attributes[name].map { (name, $0) } }
            let all = Attributes(["strides": .ints([1, 1, 1, 1])].merging(given) { $1 })
            g.add(
                operation,
                [g.constant(sizes), g.placeholder(.float32, [2, 2, 2, 3]), g.placeholder(.float32, [1, 4, 4, 3])], all)
            let text = #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
            #expect(text.contains(words), "\(text)")
        }
    }

    @Test("an image that is fed with a shape that does not fit is refused by the run")
    func wrongFeed() throws {
        let g = Graph()
        let x = g.placeholder(.float32)
        let y = conv2d(x, g.constant(numbers([2, 2, 2, 3], 1, .float32)), padding: .valid)
        let session = try Session(g)
        #expect(throws: GraphError.self) {
            try session.run(y, feeds: [x: Tensor.zeros(.float32, sized: [1, 4, 4, 3])])
        }
        #expect(throws: GraphError.self) { try session.run(y, feeds: [x: Tensor.zeros(.float32, sized: [4, 4, 2])]) }
        #expect(try session.run(y, feeds: [x: Tensor.zeros(.float32, sized: [1, 4, 4, 2])]).shape == [1, 3, 3, 3])
    }
}
