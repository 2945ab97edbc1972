/// How tensors lie one after another along an axis of a larger one: for each of `outer` rows, a run of each part.
struct Joining {
    private let outer: Int
    private let runs: [Int]

    /// - Parameters:
    ///   - extents: of the whole; the axis itself does not matter.
    ///   - parts: extents of the parts along the axis.
    init(_ extents: [Int], axis: Int, parts: [Int]) {
        outer = extents[..<axis].reduce(1, *)
        let inner = extents[(axis + 1)...].reduce(1, *)
        runs = parts.map { $0 * inner }
    }

    /// Copies the inputs (those at the positions `inputs`, by default as many as there are parts) into output 0.
    func join(_ binding: KernelBinding, inputs: [Int]? = nil) -> Kernel {
        pieces(binding) { copy, i, size in
            copy(false).kernel(
                from: binding.input(inputs?[i] ?? i), to: binding.output(), size: size, threads: binding.threads)
        }
    }

    /// Copies `input` to the outputs.
    func split(_ binding: KernelBinding, input: Int) -> Kernel {
        pieces(binding) { copy, i, size in
            copy(true).kernel(from: binding.input(input), to: binding.output(i), size: size, threads: binding.threads)
        }
    }

    private func pieces(
        _ binding: KernelBinding, _ make: (_ copy: (_ splits: Bool) -> StridedCopy, Int, Int) -> Kernel
    ) -> Kernel {
        let kernels = runs.indices.map { i in make({ copy(i, splits: $0) }, i, binding.outputs[0].dtype.size) }
        return { memory in for kernel in kernels { try kernel(memory) } }
    }

    /// The copy of part `i` into the whole, or (`splits`) out of it.
    private func copy(_ i: Int, splits: Bool) -> StridedCopy {
        let (total, run, offset) = (runs.reduce(0, +), runs[i], runs[..<i].reduce(0, +))
        return splits
            ? StridedCopy([outer, run], from: [total, 1], to: [run, 1], fromOffset: offset)
            : StridedCopy([outer, run], from: [run, 1], to: [total, 1], toOffset: offset)
    }

    /// `join` on a GPU.
    func gpuJoin(_ binding: KernelBinding, inputs: [Int]? = nil) -> GPUProgram {
        GPUProgram(
            runs.indices.map { i in
                copy(i, splits: false).gpu(
                    from: .input(inputs?[i] ?? i), to: .output(0), size: binding.outputs[0].dtype.size)
            })
    }

    /// `split` on a GPU.
    func gpuSplit(_ binding: KernelBinding, input: Int) -> GPUProgram {
        GPUProgram(
            runs.indices.map { i in
                copy(i, splits: true).gpu(from: .input(input), to: .output(i), size: binding.outputs[0].dtype.size)
            })
    }
}
