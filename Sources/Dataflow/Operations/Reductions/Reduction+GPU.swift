/// A reduction on a GPU: a kernel made of the C expressions that follow, over the dimensions of a `ReductionLayout`.
///
/// Where there are many results each work item computes one; where there are few, a group shares each, in two steps if it
/// has very many elements. Sums are made in blocks, so that they round less.
struct GPUReduction {
    var type = "float"
    /// Where each result starts.
    var initial = "0"
    /// What becomes of an element `v` at offset `o`; `k` is the result it goes to, `r` its number among those.
    var map = "v"
    /// `a` and `b` joined.
    var combine = "a + b"
    /// What becomes of the whole `t` of `count` elements.
    var finish = "t"
    /// Memory that the expressions name beside the elements: `GLOBAL const float *` each.
    var memory: [(name: String, operand: GPUOperand)] = []

    static let sum = GPUReduction()
    static let mean = GPUReduction(finish: "t / (float)count")

    /// Commands that reduce `input` to `output`.
    func commands(
        _ layout: ReductionLayout, from input: GPUOperand, to output: GPUOperand, _ program: inout GPUProgram
    ) {
        let (results, count) = (layout.keptCount, layout.reducedCount)
        guard results > 0 else { return }
        guard count >= 64, results < 4096 else {
            program.add(.launch(launch(layout, input, output, isShared: false, parts: 1, finish: finish)))
            return
        }
        let parts = results < 64 && count > 1 << 16 ? Swift.min(256, count >> 12) : 1
        guard parts > 1 else {
            program.add(.launch(launch(layout, input, output, isShared: true, parts: 1, finish: finish)))
            return
        }
        let partial = program.temporary(results * parts * (type == "long" ? 8 : 4))
        program.add(.launch(launch(layout, input, partial, isShared: true, parts: parts, finish: "t")))
        var second = self
        second.map = "v"
        second.memory = []
        second.finish = finish.replacing("count", with: "\(count)")
        program.add(
            .launch(
                second.launch(
                    ReductionLayout([results, parts], axes: [1]), partial, output, isShared: true, parts: 1,
                    finish: second.finish)))
    }

    private func launch(
        _ layout: ReductionLayout, _ input: GPUOperand, _ output: GPUOperand, isShared: Bool, parts: Int, finish: String
    ) -> GPULaunch {
        var extents: [Int] = []
        var parameters: [String] = []
        func add(_ value: Int) -> String {
            extents.append(value)
            parameters.append("int d\(extents.count)")
            return "d\(extents.count)"
        }
        /// Adds to `o` the offset of number `index` among the dimensions.
        func walk(_ dimensions: [(extent: Int, stride: Int)], _ index: String) -> String {
            if dimensions.isEmpty { return "" }
            var lines = ["int rest = \(index);"]
            for (i, dimension) in dimensions.enumerated().reversed() {
                let (extent, step) = (i == 0 ? "" : add(dimension.extent), add(dimension.stride))
                lines.append(i == 0 ? "o += rest * \(step);" : "o += rest % \(extent) * \(step); rest /= \(extent);")
            }
            return "{ \(lines.joined(separator: " ")) }"
        }
        let (kept, reduced) = (walk(layout.kept, "k"), walk(layout.reduced, "r"))
        let element = "int o = base; \(reduced) \(type) v = x[o]; \(type) b = \(map);"
        let body =
            isShared
            ? """
            LOCAL \(type) shared[LANES];
            int k = GROUP / parts;
            int base; { int o = 0; \(kept) base = o; }
            \(type) a = \(initial);
            for (int r = GROUP % parts * LANES + LANE; r < count; r += parts * LANES) { \(element) a = \(combine); }
            shared[LANE] = a;
            BARRIER;
            for (int s = LANES / 2; s > 0; s /= 2) {
                if (LANE < s) { \(type) a = shared[LANE], b = shared[LANE + s]; shared[LANE] = \(combine); }
                BARRIER;
            }
            if (LANE == 0) { \(type) t = shared[0]; y[GROUP] = \(finish); }
            """
            : """
            int k = INDEX;
            if (k >= n) return;
            int base; { int o = 0; \(kept) base = o; }
            \(type) t = \(initial);
            for (int start = 0; start < count; start += 64) {
                \(type) a = \(initial);
                int end = start + 64 < count ? start + 64 : count;
                for (int r = start; r < end; r++) { \(element) a = \(combine); }
                \(type) b = a;
                a = t;
                t = \(combine);
            }
            y[k] = \(finish);
            """
        var all = ["int n", "GLOBAL const \(type) *x", "GLOBAL \(type) *y"]
        all.append(contentsOf: memory.map { "GLOBAL const float *\($0.name)" })
        all.append(contentsOf: ["int count", "int parts"])
        all.append(contentsOf: parameters)
        let source = """
            KERNEL void reduce(\(all.joined(separator: ", "))) {
            \(body)
            }

            """
        let operands: [GPUOperand] = [input, output] + memory.map(\.operand)
        let integers: [Int] = [layout.reducedCount, parts] + extents
        let results = layout.keptCount
        return isShared
            ? GPULaunch("reduce", source, groups: results * parts, count: results, memory: operands, integers: integers)
            : GPULaunch("reduce", source, items: results, memory: operands, integers: integers)
    }
}

extension KernelBinding {
    /// The program of a reduction of input 0 to output 0, whose axes are input 1.
    func gpu(_ reduction: GPUReduction) throws -> GPUProgram {
        var program = GPUProgram()
        reduction.commands(try reductionLayout(self), from: .input(0), to: .output(0), &program)
        return program
    }
}

extension Sum: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        switch binding.inputs[0].dtype {
        case .float32: try binding.gpu(.sum)
        case .int64: try binding.gpu(GPUReduction(type: "long"))
        default: nil
        }
    }
}

extension Mean: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        binding.inputs[0].dtype == .float32 ? try binding.gpu(.mean) : nil
    }
}

extension Max: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        return try binding.gpu(GPUReduction(initial: "-INFINITY", combine: "maximum(a, b)"))
    }
}

extension Min: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        return try binding.gpu(GPUReduction(initial: "INFINITY", combine: "minimum(a, b)"))
    }
}

extension Prod: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        return try binding.gpu(GPUReduction(initial: "1", combine: "a * b"))
    }
}

extension EuclideanNorm: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        return try binding.gpu(GPUReduction(map: "v * v", finish: "sqrt(t)"))
    }
}

extension All: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try binding.gpu(GPUReduction(type: "uchar", initial: "1", combine: "a & b"))
    }
}

extension AnyOperation: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try binding.gpu(GPUReduction(type: "uchar", initial: "0", combine: "a | b"))
    }
}
