/// Labels are a distribution for each row, or (`SPARSE`) a class; one out of range gives NaN.
private let crossEntropySource = """
    KERNEL void cross_entropy(int rows, GLOBAL const float *x, GLOBAL const LABEL *labels,
        GLOBAL float *loss, GLOBAL float *gradient, int columns, int step, int label_step) {
        SHARED
        int r = ROW;
        if (r >= rows) return;
        x += r * step;
        labels += r * label_step;
        gradient += r * columns;
        float m = -INFINITY, sum = 0, total = 0;
        for (int c = FIRST; c < columns; c += STEP) m = maximum(m, x[c]);
        ALL_MAX(m)
        for (int c = FIRST; c < columns; c += STEP) sum += exp(x[c] - m);
        ALL_SUM(sum)
        float shift = log(sum);
        int valid = VALID;
        for (int c = FIRST; c < columns; c += STEP) {
            float label = AT(c);
            if (label != 0) total += label * (shift - (x[c] - m));
            gradient[c] = valid ? exp(x[c] - m) / sum - label : NAN;
        }
        ALL_SUM(total)
        if (IS_FIRST) loss[r] = valid ? total : NAN;
    }

    """

extension SoftmaxCrossEntropyWithLogits: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        let (rows, columns) = (binding.outputCount(), binding.inputs[0].shape.knownExtents[1])
        let steps = binding.inputs.map { $0.shape.knownExtents[0] == 1 ? 0 : columns }
        let source = "#define LABEL float\n#define VALID 1\n#define AT(c) labels[c]\n" + crossEntropySource
        return GPUProgram(
            .launch(
                GPURows.launch(
                    "cross_entropy", source, rows: rows, columns: columns,
                    memory: [.input(0), .input(1), .output(0), .output(1)], integers: steps)))
    }
}

extension SparseSoftmaxCrossEntropyWithLogits: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32, let label = binding.inputs[1].dtype.gpuName else { return nil }
        let (rows, columns) = (binding.outputCount(), binding.inputs[0].shape.knownExtents[1])
        let source =
            "#define LABEL \(label)\n#define VALID (labels[0] >= 0 && labels[0] < columns)\n"
            + "#define AT(c) (labels[0] == (c) ? 1.0f : 0.0f)\n" + crossEntropySource
        return GPUProgram(
            .launch(
                GPURows.launch(
                    "cross_entropy", source, rows: rows, columns: columns,
                    memory: [.input(0), .input(1), .output(0), .output(1)], integers: [columns, 1])))
    }
}
