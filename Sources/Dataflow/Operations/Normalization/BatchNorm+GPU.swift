/// Batch normalisation on a GPU: sums channel by channel, then one pass over all elements.
extension ChannelLayout {
    fileprivate var reduction: ReductionLayout { ReductionLayout([outer, channels, inner], axes: [0, 2]) }
    private var count: Int { outer * channels * inner }

    /// A work item for each element `i` of channel `c`: `body` says what it does.
    fileprivate func forEachElement(_ memory: [(name: String, operand: GPUOperand)], _ body: String) -> GPUCommand {
        launch(items: count, memory, "int c = i / inner % channels;\n    \(body)", [channels, inner])
    }

    /// A work item for each channel `c`.
    fileprivate func forEachChannel(
        _ memory: [(name: String, operand: GPUOperand)], _ body: String
    ) -> GPUCommand {
        launch(items: channels, memory, "int c = i;\n    \(body)", [channels, inner])
    }

    private func launch(
        items: Int, _ memory: [(name: String, operand: GPUOperand)], _ body: String, _ integers: [Int]
    ) -> GPUCommand {
        let names = memory.map { "GLOBAL float *\($0.name)" }.joined(separator: ", ")
        let source = """
            KERNEL void batch_norm(int n, \(names), int channels, int inner) {
                int i = INDEX;
                if (i >= n) return;
                \(body)
            }

            """
        return .launch(
            GPULaunch(
                "batch_norm", source, items: items, memory: memory.map(\.operand), integers: integers))
    }
}

extension BatchNormOperation {
    static func gpuNormalization(_ binding: KernelBinding) throws -> GPUProgram? {
        let attributes = binding.attributes
        let layout = ChannelLayout(
            binding.inputs[0].shape.knownExtents, axis: try batchNormAxis(attributes, formats).axis)
        guard binding.inputs[0].dtype == .float32, layout.perChannel > 0, layout.channels > 0 else { return nil }
        let epsilon = try DType.float32.gpuLiteral(Double(attributes.float("epsilon"))) ?? "0"
        let factor = Double(try attributes.float("exponential_avg_factor"))
        var program = GPUProgram()
        let (mean, variance) = (GPUOperand.output(3), GPUOperand.output(4))
        if try attributes.bool("is_training") {
            GPUReduction.mean.commands(layout.reduction, from: .input(0), to: mean, &program)
            GPUReduction(
                map: "(v - m[k]) * (v - m[k])", finish: "t / (float)count", memory: [("m", mean)]
            ).commands(layout.reduction, from: .input(0), to: variance, &program)
            let n = Double(layout.perChannel)
            let correction = DType.float32.gpuLiteral(n / Swift.max(n - 1, 1)) ?? "1"
            var body = "bm[c] = m[c]; bv[c] = s[c] * \(correction);"
            var memory: [(name: String, operand: GPUOperand)] = [
                ("m", mean), ("s", variance), ("bm", .output(1)), ("bv", .output(2)),
            ]
            if factor != 1 {
                let (new, old) = (
                    DType.float32.gpuLiteral(factor) ?? "1", DType.float32.gpuLiteral(1 - factor) ?? "0"
                )
                body += " bm[c] = bm[c] * \(new) + om[c] * \(old); bv[c] = bv[c] * \(new) + ov[c] * \(old);"
                memory += [("om", .input(3)), ("ov", .input(4))]
            }
            program.add(layout.forEachChannel(memory, body))
        } else {
            let bytes = layout.channels * 4
            for (from, targets) in [(3, [1, 3]), (4, [2, 4])] {
                for to in targets { program.add(.copy(from: .input(from), to: .output(to), bytes: bytes)) }
            }
        }
        program.add(
            layout.forEachElement(
                [
                    ("x", .input(0)), ("scale", .input(1)), ("offset", .input(2)), ("m", mean), ("s", variance),
                    ("y", .output(0)),
                ], "y[i] = (x[i] - m[c]) * (scale[c] / sqrt(s[c] + \(epsilon))) + offset[c];"))
        return program
    }
}

extension BatchNormGradOperation {
    static func gpuGradient(_ binding: KernelBinding) throws -> GPUProgram? {
        let attributes = binding.attributes
        let layout = ChannelLayout(
            binding.inputs[1].shape.knownExtents, axis: try batchNormAxis(attributes, formats).axis)
        guard binding.inputs[1].dtype == .float32, layout.perChannel > 0, layout.channels > 0 else { return nil }
        let epsilon = try DType.float32.gpuLiteral(Double(attributes.float("epsilon"))) ?? "0"
        var program = GPUProgram()
        let product = program.temporary(layout.channels * 4)
        GPUReduction.sum.commands(layout.reduction, from: .input(0), to: .output(2), &program)
        GPUReduction(map: "v * (e[o] - m[k])", memory: [("e", .input(1)), ("m", .input(3))])
            .commands(layout.reduction, from: .input(0), to: product, &program)
        program.add(
            layout.forEachChannel(
                [("p", product), ("s", .input(4)), ("ds", .output(1))], "ds[c] = p[c] / sqrt(s[c] + \(epsilon));"))
        let n = DType.float32.gpuLiteral(Double(layout.perChannel)) ?? "1"
        let direction =
            try attributes.bool("is_training")
            ? "dy[i] - total[c] / \(n) - (x[i] - m[c]) * (p[c] / \(n) * r * r)" : "dy[i]"
        program.add(
            layout.forEachElement(
                [
                    ("dy", .input(0)), ("x", .input(1)), ("scale", .input(2)), ("m", .input(3)), ("s", .input(4)),
                    ("total", .output(2)), ("p", product), ("dx", .output(0)),
                ], "float r = 1 / sqrt(s[c] + \(epsilon)); dx[i] = scale[c] * r * (\(direction));"))
        return program
    }
}
