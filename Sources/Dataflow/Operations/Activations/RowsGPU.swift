/// Kernels over rows, on a GPU: a work item for each short row, a group for each long one.
enum RowsGPU {
    /// - Parameters:
    ///   - entry: the kernel `void entry(int rows, memory…, int columns, integers…)`, which handles row `ROW`, in steps of `STEP` columns from
    ///     `FIRST` on, and joins what its work items have with `ALL_MAX` and `ALL_SUM`.
    static func launch(
        _ entry: String, _ source: String, rows: Int, columns: Int, memory: [GPUOperand], integers: [Int]
    ) -> GPULaunch {
        let integers = [columns] + integers
        if columns <= 128 {
            return GPULaunch(entry, alone + source, items: rows, memory: memory, integers: integers)
        }
        return GPULaunch(entry, together + source, groups: rows, count: rows, memory: memory, integers: integers)
    }

    private static let alone = """
        #define SHARED
        #define ROW INDEX
        #define FIRST 0
        #define STEP 1
        #define ALL_MAX(x)
        #define ALL_SUM(x)
        #define IS_FIRST 1

        """

    private static let together = """
        #define SHARED LOCAL float shared[LANES];
        #define ROW GROUP
        #define FIRST LANE
        #define STEP LANES
        #define ALL(x, join) \\
            shared[LANE] = x; \\
            BARRIER; \\
            for (int s = LANES / 2; s > 0; s /= 2) { \\
                if (LANE < s) { float a = shared[LANE], b = shared[LANE + s]; shared[LANE] = join; } \\
                BARRIER; \\
            } \\
            x = shared[0]; \\
            BARRIER;
        #define ALL_MAX(x) ALL(x, maximum(a, b))
        #define ALL_SUM(x) ALL(x, a + b)
        #define IS_FIRST (LANE == 0)

        """
}

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
            RowsGPU.launch(
                "softmax", softmaxSource, rows: binding.count(0) / columns, columns: columns,
                memory: [.input(0), .output(0)], integers: [logarithm ? 1 : 0])))
}

/// Labels are a distribution for each row, or (`SPARSE`) a class, of which one out of range gives NaN.
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
                RowsGPU.launch(
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
                RowsGPU.launch(
                    "cross_entropy", source, rows: rows, columns: columns,
                    memory: [.input(0), .input(1), .output(0), .output(1)], integers: [columns, 1])))
    }
}
