/// A check to run before an elementwise kernel: integers divided by zero, or raised to a negative power, are an error in
/// TensorFlow, while the tiles would give some number.
enum IntegerDivision {
    /// The check that `expressions` over the inputs of `binding` need; nil for none.
    static func check(_ expressions: [Expression], _ binding: KernelBinding) -> ((RunMemory) throws -> Void)? {
        guard let dtype = binding.inputs.first?.dtype, [.int32, .int64, .uint8].contains(dtype),
            binding.outputs.first?.shape.elementCount != 0
        else { return nil }
        var divisors: Set<Int> = []
        var exponents: Set<Int> = []
        for expression in expressions { collect(expression, &divisors, &exponents) }
        guard !divisors.isEmpty || !exponents.isEmpty else { return nil }
        let divisorInputs = divisors.map { (IndexInput(binding, $0), binding.count($0)) }
        let exponentInputs = exponents.map { (IndexInput(binding, $0), binding.count($0)) }
        return { memory in
            for (input, count) in divisorInputs where (0..<count).contains(where: { input.read(memory, $0) == 0 }) {
                throw GraphError("an integer is divided by zero")
            }
            for (input, count) in exponentInputs where (0..<count).contains(where: { input.read(memory, $0) < 0 }) {
                throw GraphError("an integer is raised to a negative power")
            }
        }
    }

    /// The inputs that `expression` divides by, and those that are exponents.
    private static func collect(_ expression: Expression, _ divisors: inout Set<Int>, _ exponents: inout Set<Int>) {
        switch expression {
        case .input, .constant: break
        case .unary(_, let x): collect(x, &divisors, &exponents)
        case .binary(let primitive, let x, let y):
            if case .input(let i) = y {
                if [.div, .floorDiv, .floorMod].contains(primitive) { divisors.insert(i) }
                if primitive == .pow { exponents.insert(i) }
            }
            collect(x, &divisors, &exponents)
            collect(y, &divisors, &exponents)
        // What is divided within a selection may be what it leaves out.
        case .select(let condition, _, _): collect(condition, &divisors, &exponents)
        }
    }
}
