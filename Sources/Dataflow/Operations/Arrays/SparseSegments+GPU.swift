/// Sums of gathered rows on a GPU: a work item adds up a column, row by row, so that the sums are the same in every run. What
/// is out of range, which the CPU refuses, is dropped.
///
/// Of what these operations do only that is left to a GPU whose shapes are known before the run.
private struct SegmentedRows {
    let combination: SegmentCombination
    /// The gradient: rows of segments go back to where they came from.
    let isBackward: Bool

    func program(_ binding: KernelBinding) -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32, let index = binding.inputs[1].dtype.gpuName,
            let segment = binding.inputs[2].dtype.gpuName, binding.outputCount() > 0
        else { return nil }
        let (from, to) = (binding.inputs[0].shape.knownExtents[0], binding.outputs[0].shape.knownExtents[0])
        let inner = binding.outputs[0].shape.knownExtents.dropFirst().reduce(1, *)
        let (rows, segments, count) = isBackward ? (to, from, binding.count(1)) : (from, to, binding.count(1))
        var program = GPUProgram(binding.gpuClearing())
        let counts = program.temporary(max(segments, 1) * 4)
        // How many rows a segment has; a sum needs none.
        let source = """
            KERNEL void count_rows(int segments, GLOBAL const \(segment) *ids, GLOBAL int *counts, int count) {
                int s = INDEX;
                if (s >= segments) return;
                int found = 0;
                for (int r = 0; r < count; r++) found += ids[r] == s;
                counts[s] = found;
            }

            KERNEL void gather_rows(int inner, GLOBAL const float *x, GLOBAL const \(index) *indices,
                GLOBAL const \(segment) *ids, GLOBAL const int *counts, GLOBAL float *y, int count, int rows,
                int segments, int kind, int backward) {
                int c = INDEX;
                if (c >= inner) return;
                for (int r = 0; r < count; r++) {
                    \(segment) s = ids[r];
                    \(index) row = indices[r];
                    if (s < 0 || s >= segments || row < 0 || row >= rows) continue;
                    float n = (float)counts[(int)s];
                    float weight = kind == 0 ? 1.0f : kind == 1 ? 1.0f / n : 1.0f / sqrt(n);
                    int a = (int)row * inner + c, b = (int)s * inner + c;
                    if (backward) y[a] += x[b] * weight; else y[b] += x[a] * weight;
                }
            }

            """
        program.add(
            .launch(
                GPULaunch("count_rows", source, items: segments, memory: [.input(2), counts], integers: [count])))
        program.add(
            .launch(
                GPULaunch(
                    "gather_rows", source, items: inner, memory: [.input(0), .input(1), .input(2), counts, .output(0)],
                    integers: [count, rows, segments, kind, isBackward ? 1 : 0])))
        return program
    }

    private var kind: Int {
        switch combination {
        case .mean: 1
        case .rootedMean: 2
        default: 0
        }
    }
}

extension SparseSegmentSumWithNumSegments: GPUOperation {
    static func gpu(_ binding: KernelBinding) -> GPUProgram? {
        SegmentedRows(combination: .sum, isBackward: false).program(binding)
    }
}

extension SparseSegmentMeanWithNumSegments: GPUOperation {
    static func gpu(_ binding: KernelBinding) -> GPUProgram? {
        SegmentedRows(combination: .mean, isBackward: false).program(binding)
    }
}

extension SparseSegmentSqrtNWithNumSegments: GPUOperation {
    static func gpu(_ binding: KernelBinding) -> GPUProgram? {
        SegmentedRows(combination: .rootedMean, isBackward: false).program(binding)
    }
}

extension SparseSegmentSumGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) -> GPUProgram? {
        SegmentedRows(combination: .sum, isBackward: true).program(binding)
    }
}

extension SparseSegmentMeanGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) -> GPUProgram? {
        SegmentedRows(combination: .mean, isBackward: true).program(binding)
    }
}

extension SparseSegmentSqrtNGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) -> GPUProgram? {
        SegmentedRows(combination: .rootedMean, isBackward: true).program(binding)
    }
}
