/// Kernels over rows, on a GPU: a work item for each short row, a group for each long one.
enum GPURows {
    /// - Parameter entry: the kernel `void entry(int rows, memory…, int columns, integers…)`. It handles row `ROW`, in steps of
    ///   `STEP` columns from `FIRST` on, and joins what its work items have with `ALL_MAX` and `ALL_SUM`.
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
