internal import CKernels

/// LSTMs over whole sequences on a GPU: products for all steps at once where no step waits for another, then step by step
/// a product and a kernel over the cells. Those with peepholes, and shorter sequences, are left to the CPU.
private struct LSTMOnGPU {
    let geometry: LSTMGeometry
    let time: Int, batch: Int, inputs: Int, cells: Int

    init?(_ binding: KernelBinding, _ order: GateOrder) throws {
        guard binding.outputs[0].dtype == .float32, let steps = binding.constant(0)?.knownIntegers.first else {
            return nil
        }
        geometry = try LSTMGeometry(binding, order, hasTime: true)
        (time, batch, inputs, cells) = (geometry.time, geometry.batch, geometry.inputs, geometry.cells)
        guard steps == time, !geometry.usesPeepholes, time * batch * inputs * cells > 0 else { return nil }
    }

    var state: Int { batch * cells }
    var columns: Int { 4 * cells }
    /// Where the weights of the last output begin.
    var stateWeights: Int { inputs * columns }

    func kernel(_ name: String, _ source: String, memory: [GPUOperand], step: Int, previous: Int) -> GPUCommand {
        .launch(
            GPULaunch(
                name, source, items: state, memory: memory,
                integers: [cells, geometry.layout.cell_input, geometry.layout.forget_gate, step * state, previous]))
    }
}

extension LSTMForwardOperation {
    static func gpuForward(_ binding: KernelBinding) throws -> GPUProgram? {
        guard hasTime, let pass = try LSTMOnGPU(binding, order) else { return nil }
        let bias = binding.attributes["forget_bias"] == nil ? 0 : try binding.attributes.float("forget_bias")
        let clip = try binding.attributes.float("cell_clip")
        let literal = { (value: Float) in DType.float32.gpuLiteral(Double(value)) ?? "0" }
        let source = """
            KERNEL void lstm_cell(int n, GLOBAL const float *gates, GLOBAL const float *bias, GLOBAL const float *before,
                GLOBAL float *i, GLOBAL float *cs, GLOBAL float *f, GLOBAL float *o, GLOBAL float *ci, GLOBAL float *co,
                GLOBAL float *h, int cells, int input_column, int forget_column, int at, int previous) {
                int k = INDEX;
                if (k >= n) return;
                int j = k % cells, p = at + k;
                GLOBAL const float *g = gates + (at / cells + k / cells) * 4 * cells;
                float in = sigmoid(g[j] + bias[j]);
                float keep = sigmoid(g[forget_column + j] + bias[forget_column + j] + \(literal(bias)));
                float cell = tanh(g[input_column + j] + bias[input_column + j]);
                float state = cell * in + keep * before[previous + k];
                float limit = \(clip > 0 ? literal(clip) : "INFINITY");
                state = state < -limit ? -limit : state;
                state = state > limit ? limit : state;
                float out = sigmoid(g[3 * cells + j] + bias[3 * cells + j]), shown = tanh(state);
                i[p] = in; cs[p] = state; f[p] = keep; o[p] = out; ci[p] = cell; co[p] = shown; h[p] = out * shown;
            }

            """
        let (csPrev, hPrev, w) = (GPUOperand.input(2), GPUOperand.input(3), GPUOperand.input(4))
        var program = GPUProgram()
        let gates = program.temporary(pass.time * pass.batch * pass.columns * 4)
        program.add(
            .multiply(
                GPUMultiplication(
                    a: .input(1), b: w, c: gates, m: pass.time * pass.batch, n: pass.columns, k: pass.inputs)))
        for t in 0..<pass.time {
            let before = Swift.max(t - 1, 0) * pass.state
            program.add(
                .multiply(
                    GPUMultiplication(
                        a: t == 0 ? hPrev : .output(6), b: w, c: gates, m: pass.batch, n: pass.columns, k: pass.cells,
                        adds: true, offsets: (before, pass.stateWeights, t * pass.batch * pass.columns))))
            // A step reads the state that it follows, and writes its own.
            program.add(
                pass.kernel(
                    "lstm_cell", source,
                    memory: [gates, .input(8), t == 0 ? csPrev : .output(1)] + (0..<7).map { .output($0) }, step: t,
                    previous: before))
        }
        return program
    }
}

extension BlockLSTMGradientOperation {
    static func gpuGradient(_ binding: KernelBinding) throws -> GPUProgram? {
        guard let pass = try LSTMOnGPU(binding, order) else { return nil }
        let source = """
            KERNEL void lstm_cell_gradient(int n, GLOBAL const float *before, GLOBAL const float *i, GLOBAL const float *f,
                GLOBAL const float *o, GLOBAL const float *ci, GLOBAL const float *co, GLOBAL const float *dcs,
                GLOBAL const float *dh, GLOBAL float *dcs_next, GLOBAL const float *dh_next, GLOBAL float *gates,
                int cells, int input_column, int forget_column, int at, int previous) {
                int k = INDEX;
                if (k >= n) return;
                int j = k % cells, p = at + k;
                GLOBAL float *g = gates + (at / cells + k / cells) * 4 * cells;
                float d = dh[p] + dh_next[k];
                g[3 * cells + j] = o[p] * (1 - o[p]) * d * co[p];
                float s = (1 - co[p] * co[p]) * d * o[p] + dcs[p] + dcs_next[k];
                g[input_column + j] = (1 - ci[p] * ci[p]) * s * i[p];
                g[forget_column + j] = f[p] * (1 - f[p]) * s * before[previous + k];
                g[j] = i[p] * (1 - i[p]) * s * ci[p];
                dcs_next[k] = s * f[p];
            }

            """
        let (w, hGrad, csGrad) = (GPUOperand.input(4), GPUOperand.output(2), GPUOperand.output(1))
        let (rows, columns) = (pass.time * pass.batch, pass.columns)
        var program = GPUProgram()
        let gates = program.temporary(rows * columns * 4)
        for output in [1, 2, 4, 5, 6] {
            program.add(.fill(.output(output), byte: 0, bytes: binding.outputCount(output) * 4))
        }
        for t in (0..<pass.time).reversed() {
            program.add(
                pass.kernel(
                    "lstm_cell_gradient", source,
                    memory: [
                        t == 0 ? .input(2) : .input(10), .input(9), .input(11), .input(12), .input(13), .input(14),
                        .input(16), .input(17), csGrad, hGrad, gates,
                    ], step: t, previous: Swift.max(t - 1, 0) * pass.state))
            program.add(
                .multiply(
                    GPUMultiplication(
                        a: gates, b: w, c: hGrad, m: pass.batch, n: pass.cells, k: columns, transposeB: true,
                        offsets: (t * pass.batch * columns, pass.stateWeights, 0))))
        }
        program.add(
            .multiply(
                GPUMultiplication(a: gates, b: w, c: .output(0), m: rows, n: pass.inputs, k: columns, transposeB: true))
        )
        program.add(
            .multiply(
                GPUMultiplication(
                    a: .input(1), b: gates, c: .output(3), m: pass.inputs, n: columns, k: rows, transposeA: true)))
        // The outputs that the steps started from: h_prev for the first, for the others h of the step before.
        program.add(
            .multiply(
                GPUMultiplication(
                    a: .input(3), b: gates, c: .output(3), m: pass.cells, n: columns, k: pass.batch, transposeA: true,
                    offsets: (0, 0, pass.stateWeights))))
        if pass.time > 1 {
            program.add(
                .multiply(
                    GPUMultiplication(
                        a: .input(15), b: gates, c: .output(3), m: pass.cells, n: columns, k: rows - pass.batch,
                        transposeA: true, adds: true, offsets: (0, pass.batch * columns, pass.stateWeights))))
        }
        GPUReduction.sum.commands(
            ReductionLayout([rows, columns], axes: [0]), from: gates, to: .output(7), &program)
        return program
    }
}
