import Dataflow
import Testing

/// Windows that are larger than what they slide over.
@Suite("Windows larger than their input")
struct WindowSizeTests {
    /// An image and the windows over it.
    struct Case: CustomTestStringConvertible, Sendable {
        let input: Int
        let size: Int
        var stride = 1
        var dilation = 1
        var padding = WindowPadding.valid

        var testDescription: String { "\(size) over \(input), stride \(stride), dilation \(dilation), \(padding)" }
    }

    static let tooLarge = [
        Case(input: 2, size: 3), Case(input: 2, size: 6, stride: 3), Case(input: 2, size: 9),
        Case(input: 4, size: 3, dilation: 2), Case(input: 2, size: 4, stride: 7), Case(input: 0, size: 1),
        Case(input: 2, size: 6, stride: 3, padding: .explicit(top: 1, bottom: 2, left: 1, right: 2)),
        Case(input: 1, size: 3, dilation: 3, padding: .explicit(top: 2, bottom: 2, left: 2, right: 2)),
    ]

    static let fitting = [
        (Case(input: 3, size: 3), 1), (Case(input: 5, size: 3, dilation: 2), 1),
        (Case(input: 2, size: 3, padding: .same), 2),
        (Case(input: 2, size: 6, stride: 3, padding: .same), 1), (Case(input: 0, size: 3, padding: .same), 0),
        (Case(input: 2, size: 5, stride: 4, padding: .explicit(top: 1, bottom: 2, left: 1, right: 2)), 1),
        (Case(input: 4, size: 3, stride: 2), 1),
    ]

    private static func attributes(_ windows: Case, _ more: [String: AttributeValue] = [:]) -> Attributes {
        var values: [String: AttributeValue] = ["strides": .ints([1, windows.stride, windows.stride, 1])]
        switch windows.padding {
        case .same: values["padding"] = .string("SAME")
        case .valid: values["padding"] = .string("VALID")
        case .explicit(let top, let bottom, let left, let right):
            values["padding"] = .string("EXPLICIT")
            values["explicit_paddings"] = .ints([0, 0, top, bottom, left, right, 0, 0])
        }
        return Attributes(values.merging(more) { $1 })
    }

    /// All operations with windows, over an image and, for those that have one, a filter and what arrives from behind.
    private static func operations(_ windows: Case, _ x: Node, _ filter: Node, _ dy: Node) -> [(String, () -> Node)] {
        let g = x.graph
        let dilations: [String: AttributeValue] = ["dilations": .ints([1, windows.dilation, windows.dilation, 1])]
        let convolution = attributes(windows, dilations)
        let (sizes, extents) = (shape(x), shape(filter))
        var all: [(String, () -> Node)] = [
            ("Conv2D", { g.add(Convolution2D.self, [x, filter], convolution).node }),
            ("depthwise", { g.add(DepthwiseConv2dNative.self, [x, filter], convolution).node }),
            ("input gradient", { g.add(Conv2DBackpropInput.self, [sizes, filter, dy], convolution).node }),
            ("filter gradient", { g.add(Conv2DBackpropFilter.self, [x, extents, dy], convolution).node }),
            (
                "depthwise input gradient",
                { g.add(DepthwiseConv2dNativeBackpropInput.self, [sizes, filter, dy], convolution).node }
            ),
            (
                "depthwise filter gradient",
                { g.add(DepthwiseConv2dNativeBackpropFilter.self, [x, extents, dy], convolution).node }
            ),
        ]
        guard windows.dilation == 1 else { return all }
        let pooling = attributes(windows, ["ksize": .ints([1, windows.size, windows.size, 1])])
        all += [
            ("MaxPool", { g.add(MaxPool.self, [x], pooling).node }),
            ("MaxPoolGrad", { g.add(MaxPoolGrad.self, [x, dy, dy], pooling).node }),
        ]
        guard pooling["explicit_paddings"] == nil else { return all }
        return all + [
            ("MaxPoolGradGrad", { g.add(MaxPoolGradGrad.self, [x, dy, x], pooling).node }),
            ("AvgPool", { g.add(AvgPool.self, [x], pooling).node }),
            ("AvgPoolGrad", { g.add(AvgPoolGrad.self, [sizes, dy], pooling).node }),
        ]
    }

    private func values(_ shape: [Int]) -> Tensor { Tensor(repeating: Float(1), sized: Shape(shape)) }

    @Test("are a mistake of the graph where the shapes are known", arguments: tooLarge)
    func known(_ windows: Case) {
        let count = Self.count(of: windows)
        for index in 0..<count {
            let g = Graph()
            let x = g.placeholder(.float32, [1, windows.input, windows.input, 1])
            let filter = g.placeholder(.float32, [windows.size, windows.size, 1, 1])
            let (name, build) = Self.operations(windows, x, filter, g.placeholder(.float32, [nil, nil, nil, 1]))[index]
            _ = build()
            let error = #expect(throws: GraphError.self, "\(name)") { try g.validate() }
            #expect(error?.message.contains("negative dimension size") == true, "\(name): \(error?.message ?? "")")
        }
    }

    private static func count(of windows: Case) -> Int {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, nil, nil, nil])
        return operations(windows, x, x, x).count
    }

    @Test(
        "are an error of the run where only that tells the shapes, at the node's place", arguments: tooLarge,
        [PlanKind.optimized, .reference])
    func unknown(_ windows: Case, _ plan: PlanKind) throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, nil, nil, 1])
        let filter = g.placeholder(.float32, [nil, nil, nil, nil])
        let dy = g.placeholder(.float32, [nil, nil, nil, nil])
        // A shape that not even the plan knows.
        let sized = reshape(x, g.placeholder(.int32, [4], name: "sizes"))
        let sizes = try g.node(named: "sizes")
        let extents = [1, windows.input, windows.input, 1]
        for image in [x, sized] {
            for (name, build) in Self.operations(windows, image, filter, dy) {
                let node = build()
                let session = try Session(g, options: SessionOptions(plan: plan))
                let error = #expect(throws: GraphError.self, "\(name)") {
                    try session.run(
                        node,
                        feeds: [
                            x: values(extents), sizes: Tensor(extents.map { Int32($0) }),
                            filter: values([windows.size, windows.size, 1, 1]), dy: values([1, 0, 0, 1]),
                        ])
                }
                #expect(error?.message.contains("negative dimension size") == true, "\(name): \(error?.message ?? "")")
                #expect(error?.node?.contains(node.vertex.name) == true, "\(name): \(error?.node ?? "")")
            }
        }
    }

    @Test("just fit", arguments: fitting)
    func fits(_ windows: Case, _ count: Int) throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, nil, nil, 1])
        let filter = g.placeholder(.float32, [nil, nil, nil, nil])
        let dy = g.placeholder(.float32, [nil, nil, nil, nil])
        for (name, build) in Self.operations(windows, x, filter, dy) {
            if case .explicit = windows.padding, name.hasPrefix("MaxPool") { continue }
            let node = build()
            for plan in [PlanKind.optimized, .reference] {
                let value = try Session(g, options: SessionOptions(plan: plan)).run(
                    node,
                    feeds: [
                        x: values([1, windows.input, windows.input, 1]),
                        filter: values([windows.size, windows.size, 1, 1]), dy: values([1, count, count, 1]),
                    ])
                if name == "Conv2D" || name == "MaxPool" { #expect(value.shape == [1, count, count, 1], "\(name)") }
            }
        }
    }

    @Test("a transposed convolution of a size that does not fit is refused")
    func transposed() {
        for (size, input) in [(2, 0), (7, 4), (1, 1)] {
            let g = Graph()
            let x = g.placeholder(.float32, [1, input, input, 1])
            let filter = g.placeholder(.float32, [3, 3, 1, 1])
            _ = conv2dTranspose(x, filter, outputShape: [size, size], padding: .valid)
            #expect(throws: GraphError.self, "\(size)") { try g.validate() }
        }
    }
}
