import Dataflow

/// The gradient of a case in float64 against (f(x + h) − f(x − h)) / 2h.
struct CentralDifferences {
    /// Elements checked of each input.
    static let sample = 16
    static let tolerance = 1e-5

    private let operation: any Operation.Type
    private let row: VectorFile.Case

    init(_ operation: any Operation.Type, _ row: VectorFile.Case) {
        self.operation = operation
        self.row = row
    }

    /// Whether every float32 input may be float64.
    private var allowsFloat64: Bool {
        if row.attributes.values.contains(where: { if case .string("float32") = $0 { true } else { false } }) {
            return false
        }
        return
            zip(row.inputs, operation.signature.inputs).allSatisfy { input, argument in
                input.tensors.first?.dtype != .float32
                    || operation.signature.types[argument.type]?.contains(.float64) == true
            }
    }

    /// Where the two differ, in words.
    func problems() throws -> [String] {
        guard let gradient = row.gradient, allowsFloat64 else { return [] }
        let built = try BuiltCase(operation, row, dtype: .float64) { $0.dtype == .float32 }
        let upstream = try BuiltCase.convert(gradient.upstream.tensor, to: .float64)
        let wrt = gradient.wrt.flatMap { row.positions(of: $0) }
        let nodes = built.gradients(wrt, upstream: upstream)
        let session = try Session(built.graph)
        let weights = try upstream.doubles
        let f = { (feeds: Feeds) throws -> Double in
            // An infinity, or what stands for the extreme of nothing, is no number to add to others.
            zip(try session.run(built.vertex.output(0), feeds: feeds).doubles, weights)
                .reduce(0) { abs($1.0) < 1e300 ? $0 + $1.0 * $1.1 : $0 }
        }
        let here = try f(built.feeds)
        var problems: [String] = []
        for (position, node) in zip(wrt, nodes) {
            guard let node, let value = built.feeds[built.inputs[position]] else { continue }
            let analytic = try session.run(node, feeds: built.feeds).doubles
            let x = try value.doubles
            for element in Swift.stride(from: 0, to: x.count, by: max(1, x.count / Self.sample)) {
                let h = 1e-5 * max(1, abs(x[element]))
                let values = try [x[element] - h, x[element] + h].map { moved -> Double in
                    var feeds = built.feeds
                    var copy = x
                    copy[element] = moved
                    feeds[built.inputs[position]] = Tensor(copy, sized: value.shape)
                    return try f(feeds)
                }
                let (left, right) = ((here - values[0]) / h, (values[1] - here) / h)
                if OperationRows.kinks[operation.name] != nil, abs(left - right) > 1e-2 * max(1, abs(left)) { continue }
                let numeric = (values[1] - values[0]) / (2 * h)
                if !(abs(numeric - analytic[element]) <= Self.tolerance * max(1, abs(numeric))) {
                    problems.append(
                        "input \(position), element \(element) (\(x[element])): the gradient is \(analytic[element]),"
                            + " differences give \(numeric)")
                }
            }
        }
        return problems
    }
}
