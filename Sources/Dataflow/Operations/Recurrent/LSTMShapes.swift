/// The shapes that an LSTM's inputs must have to fit each other, as far as those that are known tell.
struct LSTMShapes {
    /// [time, batch, inputs], or [batch, inputs] for a single step.
    let x: Shape
    /// [batch, cells].
    let state: Shape
    /// [inputs + cells, 4 · cells].
    let weights: Shape
    /// [cells].
    let peephole: Shape
    /// [4 · cells].
    let bias: Shape
    /// [time, batch, cells], or [batch, cells]: of every output of the cell at each step.
    let output: Shape

    /// - Parameter hasTime: whether the inputs are a sequence, before which its number of steps stands.
    init(_ node: ShapeContext, hasTime: Bool) throws {
        let first = hasTime ? 1 : 0
        let given = try node.shape(first, rank: hasTime ? 3 : 2, "'x'")
        let csPrev = try node.shape(first + 1, rank: 2, "'cs_prev'")
        let hPrev = try node.shape(first + 2, rank: 2, "'h_prev'")
        let b = try node.shape(first + 7, rank: 1, "'b'")
        let cells = hPrev[1] ?? csPrev[1] ?? b[0].map { $0 / 4 }
        let batch = given[-2] ?? hPrev[0] ?? csPrev[0]
        let inputs = given[-1]
        let time = hasTime ? [given[0]] : []
        let gates = cells.map { 4 * $0 }
        x = Shape(time + [batch, inputs])
        state = Shape([batch, cells])
        weights = Shape([inputs.flatMap { i in cells.map { i + $0 } }, gates])
        peephole = Shape([cells])
        bias = Shape([gates])
        output = Shape(time + [batch, cells])
        if hasTime { try LSTMShapes.checkSteps(node, time: given[0]) }
    }

    private static func checkSteps(_ node: ShapeContext, time: Int?) throws {
        _ = try node.shape(0, rank: 0, "'seq_len_max'")
        if let time, let steps = try node.integer(0), steps < 0 || steps > time {
            throw GraphError("'seq_len_max' is \(steps), but 'x' has \(time) steps")
        }
    }

    /// x, cs_prev, h_prev, w, wci, wcf, wco, b: the inputs of every LSTM operation in their order.
    var inputs: [Shape] { [x, state, state, weights, peephole, peephole, peephole, bias] }

    /// Checks the inputs from number `first` on.
    func check(_ node: ShapeContext, _ expected: [Shape], from first: Int, _ signature: Signature) throws {
        for (i, shape) in expected.enumerated() {
            guard node.shape(first + i).isCompatible(with: shape) else {
                throw GraphError(
                    "'\(signature.inputs[first + i].name)' must have the shape \(shape), for an x of shape \(x) and"
                        + " \(state[1].map(String.init) ?? "any") cells, got \(node.shape(first + i))")
            }
        }
    }
}
