/// The matrix product where no library has one: tiles of 16 × 16 elements, a group for each.
enum GPUMatrixProduct {
    static func launch(_ p: GPUMultiplication) -> GPULaunch {
        let (rows, columns) = ((p.m + 15) / 16, (p.n + 15) / 16)
        let (rowA, stepA) = p.transposeA ? (1, p.m) : (p.k, 1)
        let (stepB, columnB) = p.transposeB ? (1, p.k) : (p.n, 1)
        return GPULaunch(
            "multiply", source, groups: rows * columns * p.batch, count: p.m, memory: [p.a, p.b, p.c],
            integers: [
                p.n, p.k, rowA, stepA, stepB, columnB, p.strides.a, p.strides.b, p.strides.c, p.offsets.a, p.offsets.b,
                p.offsets.c, p.adds ? 1 : 0,
            ])
    }

    private static let source = """
        KERNEL void multiply(int m, GLOBAL const float *a, GLOBAL const float *b, GLOBAL float *c, int n, int k,
            int row_a, int step_a, int step_b, int column_b, int batch_a, int batch_b, int batch_c,
            int first_a, int first_b, int first_c, int adds) {
            LOCAL float x[16][16];
            LOCAL float y[16][17];
            int columns = (n + 15) / 16, tiles = (m + 15) / 16 * columns;
            int matrix = GROUP / tiles, tile = GROUP % tiles;
            int u = LANE / 16, v = LANE % 16;
            int i = tile / columns * 16 + u, j = tile % columns * 16 + v;
            a += first_a + matrix * batch_a;
            b += first_b + matrix * batch_b;
            c += first_c + matrix * batch_c;
            float sum = 0;
            for (int start = 0; start < k; start += 16) {
                x[u][v] = i < m && start + v < k ? a[i * row_a + (start + v) * step_a] : 0.0f;
                y[u][v] = start + u < k && j < n ? b[(start + u) * step_b + j * column_b] : 0.0f;
                BARRIER;
                for (int s = 0; s < 16; s++) sum += x[u][s] * y[s][v];
                BARRIER;
            }
            if (i < m && j < n) c[i * n + j] = adds ? c[i * n + j] + sum : sum;
        }

        """
}
