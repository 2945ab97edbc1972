private let softmaxSource = """
    KERNEL void softmax(int rows, GLOBAL const float *x, GLOBAL float *y, int columns, int logarithm) {
        SHARED
        int r = ROW;
        if (r >= rows) return;
        x += r * columns;
        y += r * columns;
        float m = -INFINITY, sum = 0;
        for (int c = FIRST; c < columns; c += STEP) m = maximum(m, x[c]);
        ALL_MAX(m)
        for (int c = FIRST; c < columns; c += STEP) sum += exp(x[c] - m);
        ALL_SUM(sum)
        float shift = log(sum);
        for (int c = FIRST; c < columns; c += STEP) y[c] = logarithm ? x[c] - m - shift : exp(x[c] - m) / sum;
    }

    """

extension Softmax: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { rowsProgram(binding, logarithm: false) }
}

extension LogSoftmax: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { rowsProgram(binding, logarithm: true) }
}

private func rowsProgram(_ binding: KernelBinding, logarithm: Bool) -> GPUProgram? {
    guard binding.inputs[0].dtype == .float32 else { return nil }
    let columns = binding.inputs[0].shape.knownExtents.last ?? 1
    guard binding.count(0) > 0 else { return GPUProgram() }
    return GPUProgram(
        .launch(
            GPURows.launch(
                "softmax", softmaxSource, rows: binding.count(0) / columns, columns: columns,
                memory: [.input(0), .output(0)], integers: [logarithm ? 1 : 0])))
}
