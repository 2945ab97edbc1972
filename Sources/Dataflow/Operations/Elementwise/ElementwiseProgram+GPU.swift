internal import CKernels

/// Writes an elementwise program as the source of one GPU kernel, from the expressions that the CPU's tiles come from.
///
/// Each work item computes one element. Operands of other shapes are read through strides that come as arguments, so that
/// one binary serves every size.
struct ElementwiseSource {
    /// Where the program's inputs and outputs are, in the order of the program.
    private let terms: [ElementwiseTerm]
    private let inputs: [TensorSpec]
    private let outputs: [TensorSpec]
    /// For outputs that are an input's memory (a Variable that is updated), that input.
    private let updates: [Int?]

    private var body: [String] = []
    private var names: [(text: String, type: DType)] = []
    /// The texts of the functions that the kernel calls.
    private var functions: [String] = []
    private var count = 0

    init(_ terms: [ElementwiseTerm], inputs: [TensorSpec], outputs: [TensorSpec], updates: [Int?]) {
        self.terms = terms
        self.inputs = inputs
        self.outputs = outputs
        self.updates = updates
    }

    /// The launch, or nil for dtypes that are left to the CPU. Memory is named by `input` and `output`.
    static func launch(
        _ terms: [ElementwiseTerm], inputs: [TensorSpec], outputs: [TensorSpec], updates: [Int?],
        input: (Int) -> GPUOperand, output: (Int) -> GPUOperand
    ) throws -> GPUProgram? {
        guard (inputs + outputs).allSatisfy({ $0.dtype.gpuName != nil && $0.shape.isFullyDefined }),
            let shape = outputs.first?.shape, let elements = shape.elementCount, elements < 1 << 31
        else { return nil }
        if elements == 0 { return GPUProgram() }
        var source = ElementwiseSource(terms, inputs: inputs, outputs: outputs, updates: updates)
        guard let (text, extents) = try source.write(shape) else { return nil }
        let results = outputs.indices.filter { updates[$0] == nil }.map(output)
        return GPUProgram(
            .launch(
                GPULaunch(
                    "elementwise", text, items: elements, memory: inputs.indices.map(input) + results, integers: extents
                )))
    }

    /// The text and the integers that follow the memory among its arguments.
    private mutating func write(_ shape: Shape) throws -> (String, [Int])? {
        let layout = Broadcasting(inputs.map(\.shape), to: shape)
        var extents: [Int] = []
        var parameters: [String] = []
        func add(_ value: Int) -> String {
            extents.append(value)
            parameters.append("int k\(extents.count)")
            return "k\(extents.count)"
        }
        // Coordinates of the element, only if an operand needs them.
        let dimensions = layout.outer + [layout.inner]
        let isGeneral = inputs.map { $0.shape.elementCount != shape.elementCount && $0.shape.elementCount != 1 }
        var lines: [String] = []
        if isGeneral.contains(true) {
            lines.append("int rest = i;")
            for (d, extent) in dimensions.enumerated().reversed() {
                if d == 0 {
                    lines.append("int c0 = rest;")
                } else {
                    let name = add(extent)
                    lines.append("int c\(d) = rest % \(name); rest /= \(name);")
                }
            }
        }
        for (i, spec) in inputs.enumerated() {
            var place = spec.shape.elementCount == 1 ? "0" : "i"
            if isGeneral[i] {
                let strides = layout.outerStrides[i] + [layout.innerStrides[i]]
                place = strides.enumerated().compactMap { d, stride in
                    stride == 0 ? nil : stride == 1 ? "c\(d)" : "c\(d) * \(add(stride))"
                }.joined(separator: " + ")
            }
            guard let type = spec.dtype.gpuName else { return nil }
            lines.append("\(type) x\(i) = p\(i)[\(place)];")
        }
        var current = inputs.indices.map { "x\($0)" }
        for term in terms {
            let operands = term.operands.map { operand -> (text: String, type: DType) in
                switch operand {
                case .input(let i): (current[i], inputs[i].dtype)
                case .term(let i): names[i]
                }
            }
            let number =
                operands.map(\.type).first { $0 != .bool } ?? term.output.map { outputs[$0].dtype } ?? .float32
            guard let (text, type) = try compile(term.expression, operands, number), let name = type.gpuName else {
                return nil
            }
            let variable = "t\(names.count)"
            body.append("\(name) \(variable) = \(text);")
            names.append((variable, type))
            guard let output = term.output else { continue }
            if let updated = updates[output] {
                body.append("p\(updated)[i] = \(variable);")
                current[updated] = variable
            } else {
                body.append("y\(output)[i] = \(variable);")
            }
        }
        let written = Set(updates.compactMap { $0 })
        var all = ["int n"]
        for (i, spec) in inputs.enumerated() {
            all.append("GLOBAL \(written.contains(i) ? "" : "const ")\(spec.dtype.gpuName ?? "") *p\(i)")
        }
        for (i, spec) in outputs.enumerated() where updates[i] == nil {
            all.append("GLOBAL \(spec.dtype.gpuName ?? "") *y\(i)")
        }
        all.append(contentsOf: parameters)
        let signature = all.joined(separator: ", ")
        lines.append(contentsOf: body)
        let text = """
            \(functions.joined())KERNEL void elementwise(\(signature)) {
            int i = INDEX;
            if (i >= n) return;
            \(lines.joined(separator: "\n"))
            }

            """
        return (text, extents)
    }

    private mutating func compile(
        _ expression: Expression, _ operands: [(text: String, type: DType)], _ number: DType
    ) throws -> (String, DType)? {
        switch expression {
        case .input(let i): return operands[i]
        case .constant(let value): return number.gpuLiteral(value).map { ($0, number) }
        case .unary(let primitive, let x):
            guard let x = try compile(x, operands, number) else { return nil }
            return call(primitive, keep(x), nil)
        case .binary(let primitive, let x, let y):
            guard let x = try compile(x, operands, number), let y = try compile(y, operands, number) else { return nil }
            return call(primitive, keep(x), keep(y))
        case .select(let condition, let x, let y):
            guard let c = try compile(condition, operands, number), let x = try compile(x, operands, number),
                let y = try compile(y, operands, number)
            else { return nil }
            return ("(\(c.0) ? \(x.0) : \(y.0))", x.1)
        }
    }

    /// A value under a name, for expressions that mention it more than once.
    private mutating func keep(_ value: (String, DType)) -> (String, DType) {
        guard value.0.contains("("), let name = value.1.gpuName else { return value }
        count += 1
        body.append("\(name) v\(count) = \(value.0);")
        return ("v\(count)", value.1)
    }

    private mutating func call(
        _ primitive: Expression.Primitive, _ x: (String, DType), _ y: (String, DType)?
    ) -> (String, DType)? {
        let type = x.1
        guard let name = type.gpuName, let row = type.tileType,
            let function = tributary_primitive_text(primitive.row, row)
        else { return nil }
        if let prelude = tributary_primitive_prelude(primitive.row) { use(String(cString: prelude)) }
        use(String(cString: function))
        let call = "\(primitive)_\(name)(\(x.0)\(y.map { ", \($0.0)" } ?? ""))"
        return (call, primitive.isPredicate ? .bool : type)
    }

    /// Puts the text of functions before the kernel, once.
    private mutating func use(_ functions: String) {
        if !self.functions.contains(functions) { self.functions.append(functions) }
    }
}
