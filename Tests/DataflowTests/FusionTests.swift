import Foundation
import Testing

import Dataflow

@Suite("Fusion")
struct FusionTests {
    /// A graph's values with all of them fetched, so that each is computed by itself, and with the last alone.
    private func agree(_ nodes: [Node], feeds: Feeds = [:]) throws {
        let session = try Session(nodes[0].graph)
        let apart = try session.run(nodes, feeds: feeds)
        let fused = try session.run(nodes[nodes.count - 1], feeds: feeds)
        #expect(try fused.doubles == apart[nodes.count - 1].doubles)
        #expect(fused.shape == apart[nodes.count - 1].shape)
    }

    @Test("a bias and an activation are one kernel")
    func biasAndActivation() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 3])
        let y = relu(biasAdd(x, g.constant([1, -2, 0.5] as [Float])))
        let session = try Session(g)
        let plan = try session.plan(for: [y], feeds: [x: TensorSpec(.float32, [700, 3])])
        #expect(plan.steps.map(\.operation) == ["BiasAdd+Relu"])
        let numbers = (0..<2100).map { Float($0 % 17) - 8 }
        let result = try session.run(
            y, feeds: [x: Tensor.numbers(numbers.map(Double.init), dtype: .float32, sized: [700, 3])])
        let bias: [Float] = [1, -2, 0.5]
        #expect(try result.doubles == numbers.enumerated().map { Double(max($1 + bias[$0 % 3], 0)) })
    }

    @Test("random elementwise graphs give the same bits fused and apart", arguments: 1...40)
    func randomGraphs(seed: Int) throws {
        var state = UInt64(seed)
        func next(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % n
        }
        let g = Graph(seed: seed)
        let shapes: [Shape] = [[37, 29], [29], [37, 1], [], [37, 29]]
        let feeds = Dictionary(
            uniqueKeysWithValues: shapes.map { shape in
                let count = shape.elementCount ?? 1
                let numbers = (0..<count).map { _ in Double(next(2000)) / 500 - 2 }
                return (g.placeholder(.float32, shape), Tensor.numbers(numbers, dtype: .float32, sized: shape))
            })
        var nodes = Array(feeds.keys).sorted { $0.name < $1.name }
        for _ in 0..<12 {
            let (a, b) = (nodes[next(nodes.count)], nodes[next(nodes.count)])
            let made: Node =
                switch next(8) {
                case 0: a + b
                case 1: a * b
                case 2: a - b
                case 3: relu(a)
                case 4: tanh(a)
                case 5: sigmoid(a) * b + a
                case 6: maximum(a, b)
                default: select(less(a, b), a + b, b - a)
                }
            nodes.append(made)
        }
        nodes.append(nodes[nodes.count - 1] + nodes[0])
        try agree(Array(nodes.dropFirst(shapes.count)), feeds: Feeds(feeds))
    }

    @Test("an operation does not move past a write of what it reads")
    func writeBetween() throws {
        let g = Graph()
        let v = g.variable(Tensor([1, 2, 3] as [Float]), name: "v")
        let doubled = v.reference * 2
        let written = g.controlDependencies([doubled]) { v.assign(g.constant([10, 20, 30] as [Float])) }
        let result = g.controlDependencies([written]) { doubled + 1 }
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(result).doubles == [3, 5, 7])
        #expect(try session.value(of: v).doubles == [10, 20, 30])
    }

    @Test("what waits for a write and reads the Variable again sees the new value, within a kernel too")
    func readAfterWrite() throws {
        let g = Graph()
        let v = g.variable(Tensor([1, 2, 3] as [Float]), name: "v")
        let x = g.placeholder(.float32, [3])
        let before = v.value * 1
        let written = g.controlDependencies([before]) { v.assign(g.constant([10, 20, 30] as [Float])) }
        let result = g.controlDependencies([written]) { (v.value + x) * v.value }
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let values = try session.run([result, before], feeds: [x: Tensor([1, 1, 1] as [Float])])
        #expect(try values[0].doubles == [110, 420, 930])
        #expect(try values[1].doubles == [1, 2, 3])
    }

    @Test("a value that others use too is computed once and kept")
    func sharedValue() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [64, 8])
        let h = tanh(x * 3)
        let total = sum(h)
        let y = h * h - x
        let session = try Session(g)
        let feed: Feeds = [
            x: Tensor.numbers((0..<512).map { Double($0) / 512 - 0.5 }, dtype: .float32, sized: [64, 8])
        ]
        let both = try session.run([total, y], feeds: feed)
        #expect(try both[0].doubles == (try session.run(total, feeds: feed).doubles))
        #expect(try both[1].doubles == (try session.run(y, feeds: feed).doubles))
    }

    @Test("a gradient's last term is computed within the update of its Variable")
    func update() throws {
        let g = Graph()
        let v = g.variable(Tensor([1, 2, 3] as [Float]), name: "v")
        let x = g.placeholder(.float32, [3])
        let gradient = x * 2 + v.value * 0.5
        let train = g.add(ApplyGradientDescent.self, [v.reference, g.constant(0.1 as Float), gradient]).node
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let plan = try session.plan(for: [train], feeds: [x: TensorSpec(.float32, [3])])
        #expect(plan.steps.map(\.operation) == ["Mul+Mul+AddV2+ApplyGradientDescent"])
        try session.execute(train, feeds: [x: Tensor([1, 1, 1] as [Float])])
        let expected: [Double] = [1, 2, 3].map { $0 - 0.1 * (2 + 0.5 * $0) }
        for (got, want) in zip(try session.value(of: v).doubles, expected) { #expect(abs(got - want) < 1e-6) }
    }

    @Test("sums over no axes and reshapes to the same shape cost nothing within a chain")
    func passing() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [40, 30])
        let y = relu(reshape(sum(x * 3, axes: []), [40, 30]) - 1)
        let session = try Session(g)
        let plan = try session.plan(for: [y], feeds: [x: TensorSpec(.float32, [40, 30])])
        #expect(plan.steps.map(\.operation) == ["Mul+Sum+Reshape+Sub+Relu"])
        let numbers = (0..<1200).map { Double($0 % 13) - 6 }
        let feed: Feeds = [x: Tensor.numbers(numbers, dtype: .float32, sized: [40, 30])]
        #expect(try session.run(y, feeds: feed).doubles == numbers.map { max($0 * 3 - 1, 0) })
        // So do repetitions.
        let rows = broadcast(sum(x, axes: [0]), to: g.constant([40, 30] as [Int32])) * x
        #expect(
            try session.plan(for: [rows], feeds: [x: TensorSpec(.float32, [40, 30])]).steps.map(\.operation) == [
                "Sum", "BroadcastTo+Mul",
            ])
        let sums = (0..<30).map { column in (0..<40).reduce(0) { $0 + numbers[$1 * 30 + column] } }
        #expect(try session.run(rows, feeds: feed).doubles == numbers.indices.map { sums[$0 % 30] * numbers[$0] })
        // Fetched too, each is still itself.
        let product = x * 2
        let view = reshape(product, [40, 30])
        let z = view + product
        let all = try session.run([product, view, z], feeds: feed)
        #expect(try all[1].doubles == numbers.map { $0 * 2 })
        #expect(try all[2].doubles == numbers.map { $0 * 4 })
    }

    @Test("who runs after a write sees it through views of a reference, and not through a handle's older read")
    func viewsAndWrites() throws {
        let g = Graph()
        let v = g.variable(Tensor([1, 2] as [Float]), name: "v")
        let view = reshape(v.value, [2])
        let write = g.add(Assign.self, [v.reference, g.constant([5, 6] as [Float])]).node
        let after = g.controlDependencies([write]) { view + 1 }
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(after).doubles == [6, 7])

        let handle = g.add(VarHandleOp.self, [], ["dtype": .type(.float32), "shape": .shape([2])]).node
        let first = g.add(AssignVariableOp.self, [handle, g.constant([1, 2] as [Float])]).node
        let read = g.add(ReadVariableOp.self, [handle], ["dtype": .type(.float32)]).node
        let oldView = reshape(read, [2])
        let change = g.controlDependencies([oldView]) {
            g.add(AssignVariableOp.self, [handle, g.constant([5, 6] as [Float])]).node
        }
        let afterChange = g.controlDependencies([change]) { oldView + 1 }
        try session.execute(first)
        #expect(try session.run(afterChange).doubles == [2, 3])
    }

    @Test("a product that is but a Variable's gradient is added to it, and one that is used elsewhere too is not")
    func productUpdate() throws {
        let g = Graph()
        let v = g.variable(Tensor([Float](repeating: 1, count: 24 * 40), sized: [24, 40]), name: "v")
        let (x, y) = (g.placeholder(.float32, [30, 24]), g.placeholder(.float32, [30, 40]))
        let gradient = matmul(x, y, transposeA: true)
        let train = g.add(ApplyGradientDescent.self, [v.reference, g.constant(0.1 as Float), gradient]).node
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let specs = [x: TensorSpec(.float32, [30, 24]), y: TensorSpec(.float32, [30, 40])]
        #expect(try session.plan(for: [train], feeds: specs).steps.map(\.operation) == ["MatMul+ApplyGradientDescent"])
        let feeds: Feeds = [
            x: Tensor.numbers((0..<720).map { Double($0 % 7) - 3 }, dtype: .float32, sized: [30, 24]),
            y: Tensor.numbers((0..<1200).map { Double($0 % 5) - 2 }, dtype: .float32, sized: [30, 40]),
        ]
        try session.execute(train, feeds: feeds)
        let first = try session.value(of: v).doubles
        // The gradient fetched too is computed by itself.
        let both = try session.run([gradient, train], feeds: feeds)
        for (i, d) in try both[0].doubles.enumerated() {
            #expect(abs(first[i] - (1 - 0.1 * d)) < 1e-5)
            #expect(try abs(both[1].doubles[i] - (1 - 0.2 * d)) < 1e-5)
        }
        // A product that reads the Variable which it is to change stays apart.
        let w = g.variable(Tensor([Float](repeating: 0.5, count: 32 * 32), sized: [32, 32]), name: "w")
        let own = g.add(ApplyGradientDescent.self, [w.reference, g.constant(1 as Float), matmul(w.value, w.value)]).node
        try session.execute(w.initializer)
        #expect(try session.run(own).doubles == [Double](repeating: 0.5 - 8, count: 32 * 32))
    }

    @Test("a profile has an event for each kernel and makes a trace that is JSON")
    func profile() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 4], name: "odd\"name")
        let y = sum(relu(matmul(x, g.constant(Tensor.zeros(.float32, sized: [4, 2]))) + 1))
        let session = try Session(g)
        let (profile, feed) = (Profile(), Feeds([x: Tensor.zeros(.float32, sized: [5, 4])]))
        for _ in 0..<3 { _ = try session.run(y, feeds: feed, profile: profile) }
        let steps = try session.plan(for: [y], feeds: [x: TensorSpec(.float32, [5, 4])]).steps
        #expect(profile.events.map(\.operation) == Array(repeating: steps.map(\.operation), count: 3).flatMap { $0 })
        #expect(profile.byOperation.map(\.count).reduce(0, +) == profile.events.count)
        #expect(profile.events.allSatisfy { $0.duration >= 0 && $0.device == "/device:CPU:0" })
        let json = try JSONSerialization.jsonObject(with: Data(profile.chromeTrace().utf8)) as? [String: Any]
        let events = json?["traceEvents"] as? [[String: Any]]
        #expect(events?.filter { $0["ph"] as? String == "X" }.count == profile.events.count)
    }
}
