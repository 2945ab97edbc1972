extension StridedCopy {
    /// The copy on a GPU, of elements of `size` bytes.
    func gpu(from input: GPUOperand, to output: GPUOperand, size: Int) -> GPUCommand {
        let count = extents.reduce(1, *)
        if extents.isEmpty || (from == [1] && to == [1]), fromOffset == 0, toOffset == 0 {
            return .copy(from: input, to: output, bytes: count * size)
        }
        let type = ["uchar", "ushort", "uint", "ulong"][size.trailingZeroBitCount]
        let dimensions = extents.indices
        let parameters = dimensions.map { "int e\($0), int f\($0), int t\($0)" }
        let steps = dimensions.reversed().map {
            $0 == 0
                ? "from += rest * f0; to += rest * t0;"
                : "{ int c = rest % e\($0); rest /= e\($0); from += c * f\($0); to += c * t\($0); }"
        }
        var all = ["int n", "GLOBAL const \(type) *x", "GLOBAL \(type) *y", "int from", "int to"]
        all.append(contentsOf: parameters)
        let source = """
            KERNEL void strided_copy(\(all.joined(separator: ", "))) {
                int rest = INDEX;
                if (rest >= n) return;
                \(steps.joined(separator: "\n    "))
                y[to] = x[from];
            }

            """
        var integers = [fromOffset, toOffset]
        for d in dimensions { integers.append(contentsOf: [extents[d], from[d], to[d]]) }
        return .launch(
            GPULaunch("strided_copy", source, items: count, memory: [input, output], integers: integers))
    }

    /// The copy from input `input` to output 0 of an operation.
    func gpu(_ binding: KernelBinding, from input: Int = 0) -> GPUProgram {
        GPUProgram(gpu(from: .input(input), to: .output(0), size: binding.outputs[0].dtype.size))
    }

    /// As above, into zeros.
    func gpuIntoZeros(_ binding: KernelBinding, from input: Int = 0) -> GPUProgram {
        var program = GPUProgram(binding.gpuClearing())
        program.add(gpu(from: .input(input), to: .output(0), size: binding.outputs[0].dtype.size))
        return program
    }
}

extension KernelBinding {
    /// Sets every byte of output 0 to zero.
    func gpuClearing() -> GPUCommand {
        .fill(.output(0), byte: 0, bytes: outputCount() * outputs[0].dtype.size)
    }

    /// Sets every element of output 0 to the first element of `value`.
    func gpuFill(with value: GPUOperand) -> GPUCommand {
        StridedCopy([outputCount()], from: [0]).gpu(from: value, to: .output(0), size: outputs[0].dtype.size)
    }
}
