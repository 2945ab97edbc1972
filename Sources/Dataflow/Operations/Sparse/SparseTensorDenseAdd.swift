/// `SparseTensorDenseAdd`: a dense tensor plus a sparse one of the same shape.
public enum SparseTensorDenseAdd: WholeTensorOperation {
    public static let signature = Signature(
        ["a_indices": "Tindices", "a_values": "T", "a_shape": "Tindices", "b": "T"], to: ["output": "T"],
        types: ["T": DType.numbers, "Tindices": DType.indices])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        _ = try SparseParts.check(node)
        if let extents = node.integers(2), extents.allSatisfy({ $0 >= 0 }) {
            guard let shape = Shape(extents).merged(with: node.shape(3)) else {
                throw GraphError("the tensors must be of one shape, got \(extents) and \(node.shape(3))")
            }
            return [shape]
        }
        return [node.shape(3)]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let a = try SparseParts(call, name: "a")
        guard Shape(a.shape) == call.inputs[3].shape else {
            throw GraphError("the tensors must be of one shape, got \(a.shape) and \(call.inputs[3].shape)")
        }
        return [try Sum(a: a, b: call.inputs[3]).run(a.values.dtype)]
    }

    private struct Sum: NumberWork {
        let a: SparseParts
        let b: Tensor
        func run<Scalar: NumericScalar>(_ type: Scalar.Type) -> Tensor {
            var sum = b.elements(of: type)
            let (values, strides) = (a.values.elements(of: type), b.shape.strides)
            for i in values.indices {
                let place = strides.indices.reduce(0) { $0 + a[i, $1] * strides[$1] }
                sum[place] = Scalar.wrappingAdd(sum[place], values[i])
            }
            return Tensor(sum, sized: b.shape)
        }
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [nil, gatherNd(node.upstream(), node.input(0)), nil, node.upstream()]
    }
}
