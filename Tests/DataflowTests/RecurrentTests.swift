import Dataflow
import Testing

/// Recurrent cells against the same written in plain operations.
@Suite("Recurrent cells")
struct RecurrentTests {
    /// Which of TensorFlow's LSTMs, and how.
    struct LSTMCase: Sendable, CustomTestStringConvertible {
        var isSecond = true
        var peepholes = false
        var clip = 0.0
        var dtype = DType.float64
        var steps = 4

        var testDescription: String {
            "BlockLSTM\(isSecond ? "V2" : "")\(peepholes ? " with peepholes" : ""), clip \(clip), \(steps) steps, \(dtype)"
        }

        static let all = [
            LSTMCase(), LSTMCase(isSecond: false), LSTMCase(peepholes: true),
            LSTMCase(isSecond: false, peepholes: true),
            LSTMCase(clip: 0.2), LSTMCase(isSecond: false, peepholes: true, clip: 0.3), LSTMCase(steps: 3),
            LSTMCase(steps: 0), LSTMCase(dtype: .float32), LSTMCase(isSecond: false, peepholes: true, dtype: .float32),
        ]
    }

    /// Some numbers between −scale and scale.
    static func numbers(_ shape: Shape, _ dtype: DType, scale: Double = 0.5, seed: Int) -> Tensor {
        let values = (0..<(shape.elementCount ?? 0)).map { i in
            scale * Double((i * 7919 + seed * 104_729) % 1009 - 504) / 504
        }
        return .numbers(values, dtype: dtype, sized: shape)
    }

    /// Inputs of an LSTM of 4 steps, 5 examples, 7 inputs and 33 cells: in float32 large enough for oneDNN's product.
    struct Inputs {
        static let (time, batch, inputs, cells) = (4, 5, 7, 33)
        let nodes: [Node]
        var x: Node { nodes[0] }
        var cellState: Node { nodes[1] }
        var output: Node { nodes[2] }
        var weights: Node { nodes[3] }
        var peepholes: Peepholes { Peepholes(input: nodes[4], forget: nodes[5], output: nodes[6]) }
        var bias: Node { nodes[7] }

        init(_ g: Graph, _ dtype: DType) {
            let (state, cells) = (Shape([Self.batch, Self.cells]), Self.cells)
            let shapes: [Shape] = [
                [Self.time, Self.batch, Self.inputs], state, state, [Self.inputs + cells, 4 * cells], [cells], [cells],
                [cells], [4 * cells],
            ]
            nodes = shapes.enumerated().map { g.constant(numbers($1, dtype, seed: $0 + 1)) }
        }
    }

    /// One step in plain operations; the gradient passes clipping as if it were not there, as in TensorFlow.
    func plainStep(
        _ row: LSTMCase, _ x: Node, _ cs: Node, _ h: Node, _ inputs: Inputs, forgetBias: Double
    ) -> (cs: Node, h: Node) {
        let sums = biasAdd(matmul(concat([x, h], axis: 1), inputs.weights), inputs.bias)
        let parts = split(sums, count: 4, axis: 1)
        let (input, forget) = (parts[0], row.isSecond ? parts[1] : parts[2])
        let candidate = row.isSecond ? parts[2] : parts[1]
        let peep = { (sum: Node, state: Node, weight: any Operand) in row.peepholes ? sum + state * weight : sum }
        let i = sigmoid(peep(input, cs, inputs.peepholes.input))
        let f = sigmoid(peep(forget + forgetBias, cs, inputs.peepholes.forget))
        var state = i * tanh(candidate) + f * cs
        if row.clip > 0 {
            state = state + stopGradient(clip(state, -row.clip, row.clip) - state)
        }
        let o = sigmoid(peep(parts[3], state, inputs.peepholes.output))
        return (state, o * tanh(state))
    }

    /// The cell states and outputs of a sequence, each [time, batch, cells].
    func plain(_ row: LSTMCase, _ inputs: Inputs, forgetBias: Double) -> (cs: Node, h: Node) {
        var (cs, h) = (inputs.cellState, inputs.output)
        var (states, outputs): ([Node], [Node]) = ([], [])
        for x in unstack(inputs.x) {
            if states.count < row.steps {
                (cs, h) = plainStep(row, x, cs, h, inputs, forgetBias: forgetBias)
                states.append(cs)
                outputs.append(h)
            } else {
                states.append(zerosLike(cs))
                outputs.append(zerosLike(h))
            }
        }
        return (stack(states), stack(outputs))
    }

    /// What `row` says, as one operation.
    func block(_ row: LSTMCase, _ inputs: Inputs, forgetBias: Double) -> (cs: Node, h: Node) {
        let g = inputs.x.graph
        let steps = g.constant(Int64(row.steps))
        if row.isSecond {
            let result = blockLSTM(
                inputs.x, steps: steps, cellState: inputs.cellState, output: inputs.output, weights: inputs.weights,
                bias: inputs.bias, peepholes: row.peepholes ? inputs.peepholes : nil, cellClip: row.clip)
            return (result.cellState, result.output)
        }
        let vertex = g.add(
            BlockLSTM.self, [steps] + inputs.nodes,
            [
                "forget_bias": .float(Float(forgetBias)), "cell_clip": .float(Float(row.clip)),
                "use_peephole": .bool(row.peepholes),
            ])
        return (vertex.output(1), vertex.output(6))
    }

    func expectClose(_ a: Tensor, _ b: Tensor, _ dtype: DType, _ what: String) throws {
        #expect(a.shape == b.shape, "\(what)")
        let tolerance = dtype == .float64 ? 1e-6 : 1e-4
        // The clip of TensorFlow's attribute is a float32, so float64 agrees to that.
        let worst = try zip(a.doubles, b.doubles).map { Swift.abs($0 - $1) / Swift.max(1, Swift.abs($1)) }.max() ?? 0
        #expect(worst <= tolerance, "\(what) differs by \(worst)")
        #expect(try b.doubles.contains { $0 != 0 } || what.contains("zero"), "\(what) shows nothing")
    }

    @Test("a wide layer gives float64's numbers in float32, on one thread and on two")
    func wide() throws {
        let (time, batch, inputs, cells) = (3, 9, 20, 300)
        func run(_ dtype: DType, threads: Int) throws -> [Tensor] {
            let g = Graph()
            let shapes: [Shape] = [
                [time, batch, inputs], [batch, cells], [batch, cells], [inputs + cells, 4 * cells], [4 * cells],
            ]
            let nodes = shapes.enumerated().map { g.constant(Self.numbers($1, dtype, scale: 0.2, seed: $0 + 1)) }
            let result = blockLSTM(
                nodes[0], steps: g.constant(Int64(time)), cellState: nodes[1], output: nodes[2], weights: nodes[3],
                bias: nodes[4])
            let gradients = g.gradients(of: sum(square(result.output)), by: nodes).map { $0! }
            return try Session(g, options: SessionOptions(threads: threads)).run([result.output] + gradients)
        }
        let exact = try run(.float64, threads: 1)
        for threads in 1...2 {
            let results = try run(.float32, threads: threads)
            for (result, values) in zip(results, exact) {
                let scale = try values.doubles.map { Swift.abs($0) }.max() ?? 0
                let worst = try zip(result.doubles, values.doubles).map { Swift.abs($0 - $1) }.max() ?? 0
                #expect(worst <= 2e-5 * scale + 1e-6)
            }
        }
    }

    @Test("an LSTM is the same as in plain operations, in values and gradients", arguments: LSTMCase.all)
    func lstm(row: LSTMCase) throws {
        let g = Graph()
        let inputs = Inputs(g, row.dtype)
        let forgetBias = row.isSecond ? 0.0 : 0.75
        let one = block(row, inputs, forgetBias: forgetBias)
        let other = plain(row, inputs, forgetBias: forgetBias)
        let upstream = [11, 12].map {
            g.constant(Self.numbers([Inputs.time, Inputs.batch, Inputs.cells], row.dtype, seed: $0))
        }
        let variables = row.peepholes ? inputs.nodes : [0, 1, 2, 3, 7].map { inputs.nodes[$0] }
        let pairs = [one, other].map { pair in
            [pair.cs, pair.h]
                + g.gradients(of: [pair.cs, pair.h], by: variables, upstream: upstream).map { $0 ?? zerosLike(pair.cs) }
        }
        let session = try Session(g)
        for _ in 0..<2 {  // The second run finds what the first left in the kernels' memory.
            let values = try session.run(pairs[0])
            guard row.steps > 0 else {
                #expect(try values.allSatisfy { try $0.doubles.allSatisfy { $0 == 0 } })
                continue
            }
            for (i, (a, b)) in zip(values, try session.run(pairs[1])).enumerated() {
                try expectClose(a, b, row.dtype, i < 2 ? "output \(i)" : "gradient \(i - 2)")
            }
        }
    }

    @Test("single steps in a row are the sequence, in values and gradients", arguments: [false, true])
    func cells(peepholes: Bool) throws {
        let g = Graph()
        let row = LSTMCase(isSecond: false, peepholes: peepholes, clip: 0.3)
        let inputs = Inputs(g, .float64)
        let sequence = block(row, inputs, forgetBias: 0.5)
        var (cs, h) = (inputs.cellState, inputs.output)
        var (states, outputs): ([Node], [Node]) = ([], [])
        for x in unstack(inputs.x) {
            let step = g.add(
                LSTMBlockCell.self, [x, cs, h] + inputs.nodes[3...],
                ["forget_bias": .float(0.5), "cell_clip": .float(0.3), "use_peephole": .bool(peepholes)])
            (cs, h) = (step.output(1), step.output(6))
            states.append(cs)
            outputs.append(h)
        }
        let variables = peepholes ? inputs.nodes : [0, 1, 2, 3, 7].map { inputs.nodes[$0] }
        let pairs = [[sequence.cs, sequence.h], [stack(states), stack(outputs)]].map { pair in
            pair + g.gradients(of: [sum(pair[0] * pair[1])], by: variables).compactMap { $0 }
        }
        #expect(pairs.allSatisfy { $0.count == 2 + variables.count })
        let session = try Session(g)
        for (i, (a, b)) in zip(try session.run(pairs[0]), try session.run(pairs[1])).enumerated() {
            try expectClose(a, b, .float64, "value \(i)")
        }
    }

    @Test("a GRU is the same as in plain operations, in values and gradients", arguments: [DType.float32, .float64])
    func gru(dtype: DType) throws {
        let g = Graph()
        let (batch, inputs, cells) = (6, 9, 40)
        let shapes: [Shape] = [
            [batch, inputs], [batch, cells], [inputs + cells, 2 * cells], [inputs + cells, cells], [2 * cells], [cells],
        ]
        let nodes = shapes.enumerated().map { g.constant(Self.numbers($1, dtype, seed: $0 + 3)) }
        let (x, before) = (nodes[0], nodes[1])
        let cell = gruBlockCell(
            x, output: before, gateWeights: nodes[2], weights: nodes[3], gateBias: nodes[4], bias: nodes[5])
        let gates = split(
            sigmoid(biasAdd(matmul(concat([x, before], axis: 1), nodes[2]), nodes[4])), count: 2, axis: 1)
        let candidate = tanh(biasAdd(matmul(concat([x, gates[0] * before], axis: 1), nodes[3]), nodes[5]))
        let plain = gates[1] * before + (1 - gates[1]) * candidate
        let upstream = g.constant(Self.numbers([batch, cells], dtype, seed: 20))
        let pairs = [cell.output, plain].map { h in
            [h] + g.gradients(of: [h], by: nodes, upstream: [upstream]).compactMap { $0 }
        }
        #expect(pairs.allSatisfy { $0.count == 7 })
        let session = try Session(g)
        for (i, (a, b)) in zip(try session.run(pairs[0]), try session.run(pairs[1])).enumerated() {
            try expectClose(a, b, dtype, "value \(i)")
        }
    }

    @Test("gradients agree with central differences in float64", arguments: [false, true])
    func differences(isSecond: Bool) throws {
        let g = Graph()
        let (cells, batch) = (2, 2)
        let shapes: [Shape] = [
            [3, batch, 2], [batch, cells], [batch, cells], [2 + cells, 4 * cells], [cells], [cells], [cells],
            [4 * cells],
        ]
        let values = shapes.enumerated().map { Self.numbers($1, .float64, seed: $0 + 5) }
        let nodes = values.map { g.placeholder(.float64, $0.shape) }
        let operation: any Dataflow.Operation.Type = isSecond ? BlockLSTMV2.self : BlockLSTM.self
        let vertex = g.add(operation, [g.constant(Int64(3))] + nodes, ["use_peephole": .bool(true)])
        let loss = sum(vertex.output(6) * vertex.output(6) + vertex.output(1))
        let gradients = g.gradients(of: loss, by: nodes).compactMap { $0 }
        let session = try Session(g)
        let feeds = Feeds(Dictionary(uniqueKeysWithValues: zip(nodes, values)))
        let analytic = try session.run(gradients, feeds: feeds).map { try $0.doubles }
        #expect(analytic.count == nodes.count)
        for (input, value) in values.enumerated() {
            for element in 0..<value.elementCount {
                let ends = try [-1e-5, 1e-5].map { step -> Double in
                    var moved = try value.doubles
                    moved[element] += step
                    var feeds = feeds
                    feeds[nodes[input]] = Tensor(moved, sized: value.shape)
                    return try session.run(loss, feeds: feeds).scalar(Double.self)
                }
                let numeric = (ends[1] - ends[0]) / 2e-5
                #expect(Swift.abs(numeric - analytic[input][element]) < 1e-7, "input \(input), element \(element)")
            }
        }
    }

    @Test("the numbers do not depend on the number of threads")
    func threads() throws {
        let values = try [1, 2].map { threads in
            let g = Graph()
            let (batch, cells) = (33, 256)
            let state = g.constant(Self.numbers([batch, cells], .float32, seed: 2))
            let weights = g.constant(Self.numbers([4 + cells, 4 * cells], .float32, scale: 0.1, seed: 3))
            let x = g.constant(Self.numbers([3, batch, 4], .float32, seed: 4))
            let bias = g.constant(Self.numbers([4 * cells], .float32, seed: 5))
            let result = blockLSTM(x, cellState: state, output: state, weights: weights, bias: bias)
            let gradients = g.gradients(of: sum(square(result.output)), by: [x, weights]).compactMap { $0 }
            return try Session(g, options: SessionOptions(threads: threads)).run([result.output] + gradients)
        }
        for (i, (a, b)) in zip(values[0], values[1]).enumerated() { try expectClose(a, b, .float32, "value \(i)") }
    }

    @Test("a wrong shape is told with the input, what it wants and what it got")
    func wrongShape() throws {
        let g = Graph()
        let state = g.placeholder(.float32, [2, 3])
        _ = blockLSTM(
            g.placeholder(.float32, [4, 2, 5]), cellState: state, output: state,
            weights: g.placeholder(.float32, [8, 11]), bias: g.placeholder(.float32, [12]))
        let lstm = #expect(throws: GraphError.self) { try g.validate() }
        #expect(lstm?.description.contains("'w' must have the shape [8, 12]") == true, "\(lstm?.description ?? "")")
        #expect(lstm?.description.contains("got [8, 11]") == true)

        let h = Graph()
        let before = h.placeholder(.float32, [2, 3])
        _ = gruBlockCell(
            h.placeholder(.float32, [4, 5]), output: before, gateWeights: h.placeholder(.float32, [8, 6]),
            weights: h.placeholder(.float32, [8, 3]), gateBias: h.placeholder(.float32, [6]),
            bias: h.placeholder(.float32, [3]))
        let gru = #expect(throws: GraphError.self) { try h.validate() }
        #expect(gru?.description.contains("'h_prev' must have the shape [4, 3]") == true, "\(gru?.description ?? "")")
    }

    @Test("more steps than there are is a mistake, known or fed", arguments: [-1, 5])
    func wrongSteps(steps: Int) throws {
        for known in [true, false] {
            let g = Graph()
            let inputs = Inputs(g, .float64)
            let count = known ? g.constant(Int64(steps)) : g.placeholder(.int64, [])
            let result = blockLSTM(
                inputs.x, steps: count, cellState: inputs.cellState, output: inputs.output, weights: inputs.weights,
                bias: inputs.bias)
            let error = #expect(throws: GraphError.self) {
                try Session(g).run(result.output, feeds: known ? [:] : [count: Tensor(Int64(steps))])
            }
            #expect(error?.description.contains("'seq_len_max' is \(steps), but 'x' has 4 steps") == true)
        }
    }

    @Test("a gradient that TensorFlow's would drop is refused")
    func gateGradient() throws {
        let g = Graph()
        let inputs = Inputs(g, .float64)
        let result = blockLSTM(
            inputs.x, cellState: inputs.cellState, output: inputs.output, weights: inputs.weights, bias: inputs.bias)
        _ = g.gradients(of: sum(result.forgetGate), by: [inputs.x])
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("not by 'f'") == true)
    }
}
