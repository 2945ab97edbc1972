/// `For`: a function runs on its own results for each number from `start` by steps of `delta` up to, but without, `limit`;
/// it takes the number, an int32, before them. TensorFlow gives it no gradient.
public enum For: CallingOperation {
    public static let signature = Signature(
        ["start": "int32", "limit": "int32", "delta": "int32", "input": "list T"], to: ["output": "list T"],
        types: [:], required: ["body"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let body = try node.attributes.function("body")
        for (i, what) in ["start", "limit", "delta"].enumerated() where !node.shape(i).isCompatible(with: []) {
            throw GraphError("'\(what)' must be a scalar, got the shape \(node.shape(i))")
        }
        var specs = Array(node.inputs.dropFirst(3))
        let types = specs.map(\.dtype)
        try body.check([.int32] + types)
        guard body.results.map(\.dtype) == types else {
            throw GraphError(
                "the body '\(body.name)' must yield what it takes, \(types), got \(body.results.map(\.dtype))")
        }
        // Each round makes some dimension unknown, so that this ends.
        while true {
            let next = zip(specs, try body.infer([TensorSpec(.int32, [])] + specs, node.work)).map {
                TensorSpec($0.dtype, $0.shape.relaxed(with: $1.shape))
            }
            if next == specs { return specs.map(\.shape) }
            specs = next
        }
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let body = try call.program("body")
        let bounds = try zip(["start", "limit", "delta"], call.inputs).map { what, tensor in
            guard tensor.elementCount == 1, let number = tensor.knownIntegers.first else {
                throw GraphError("'\(what)' must be a scalar, got the shape \(tensor.shape)")
            }
            return number
        }
        let (start, limit, delta) = (bounds[0], bounds[1], bounds[2])
        guard start == limit || (delta > 0) == (start < limit), delta != 0 || start == limit else {
            throw GraphError("'start' \(start) does not come to 'limit' \(limit) by steps of 'delta' \(delta)")
        }
        let random = call.functions.random
        let outer = random.iteration
        defer { random.iteration = outer }
        var values = Array(call.inputs.dropFirst(3))
        var (number, iteration) = (start, 0)
        while delta > 0 ? number < limit : number > limit {
            random.iteration = RandomState.iteration(iteration, in: outer)
            values = try body.run([Tensor([Int32(number)], sized: [])] + values)
            (number, iteration) = (number + delta, iteration + 1)
        }
        return values
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw GraphError("For has no gradient; make a While, such as tf.while_loop does, of it")
    }
}
