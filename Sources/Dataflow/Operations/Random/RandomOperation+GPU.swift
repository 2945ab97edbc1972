/// Random numbers on a GPU: the CPU's, up to the rounding of logarithms and sines.
enum GPURandom {
    /// A kernel that fills output 0 in groups of four numbers, each of its own place of the generator.
    ///
    /// - Parameters:
    ///   - group: C that makes `v[0]` to `v[3]`, from `philox(counter, key, w)`.
    ///   - stride: how many groups of four words lie between the groups of numbers.
    static func program(_ binding: KernelBinding, _ group: String, stride: Int) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32 else { return nil }
        let count = binding.outputCount()
        let next = try binding.generator(groups: UInt64(count) &* 256)
        let drawn = Drawn(next)
        let source = """
            FUNCTION void philox(ulong low, ulong high, uint k0, uint k1, uint *w) {
                uint c0 = (uint)low, c1 = (uint)(low >> 32), c2 = (uint)high, c3 = (uint)(high >> 32);
                for (int i = 0; i < 10; i++) {
                    uint ah = HIGH(0xD2511F53u, c0), al = 0xD2511F53u * c0;
                    uint bh = HIGH(0xCD9E8D57u, c2), bl = 0xCD9E8D57u * c2;
                    c0 = bh ^ c1 ^ k0; c1 = bl; c2 = ah ^ c3 ^ k1; c3 = al;
                    k0 += 0x9E3779B9u;
                    k1 += 0xBB67AE85u;
                }
                w[0] = c0; w[1] = c1; w[2] = c2; w[3] = c3;
            }
            FUNCTION float uniform(uint w) { return BITS_TO_FLOAT(0x3F800000u | (w & 0x007FFFFFu)) - 1.0f; }
            FUNCTION void normals(float first, float second, float *pair) {
                float angle = (float)((real)6.283185307179586 * second);
                float radius = sqrt(-2 * log(first < 1e-7f ? 1e-7f : first));
                pair[0] = sin(angle) * radius;
                pair[1] = cos(angle) * radius;
            }
            KERNEL void draw(int groups, GLOBAL float *y, ulong low, ulong high, ulong key, int n, int stride) {
                int g = INDEX;
                if (g >= groups) return;
                uint k0 = (uint)key, k1 = (uint)(key >> 32), w[4];
                ulong begin = low;
                low += (ulong)g * (ulong)stride;
                if (low < begin) high++;
                float v[4];
                \(group)
                for (int i = 0; i < 4 && g * 4 + i < n; i++) y[g * 4 + i] = v[i];
            }

            """
        let place: [GPULaunch.Argument] = [
            .perRun { drawn.low() }, .perRun { drawn.high }, .perRun { drawn.key },
        ]
        return GPUProgram(
            .launch(
                GPULaunch(
                    "draw", source, items: (count + 3) / 4, memory: [.output(0)], others: place,
                    integers: [count, stride])))
    }

    /// Where a run's numbers begin: drawn with the first of its arguments.
    private final class Drawn {
        private let next: () -> Philox
        private(set) var high: UInt64 = 0
        private(set) var key: UInt64 = 0

        init(_ next: @escaping () -> Philox) { self.next = next }

        func low() -> UInt64 {
            let generator = next()
            high = generator.counter.high
            key = UInt64(generator.key.0) | UInt64(generator.key.1) << 32
            return generator.counter.low
        }
    }
}

extension RandomUniform: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try GPURandom.program(
            binding, "philox(low, high, k0, k1, w); for (int i = 0; i < 4; i++) v[i] = uniform(w[i]);", stride: 1)
    }
}

extension RandomStandardNormal: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try GPURandom.program(
            binding,
            """
            philox(low, high, k0, k1, w);
            normals(uniform(w[0]), uniform(w[1]), v);
            normals(uniform(w[2]), uniform(w[3]), v + 2);
            """, stride: 1)
    }
}

extension TruncatedNormal: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try GPURandom.program(
            binding,
            """
            int filled = 0, used = 4;
            while (filled < 4) {
                if (used == 4) { philox(low, high, k0, k1, w); low++; if (low == 0) high++; used = 0; }
                float pair[2];
                normals(uniform(w[used]), uniform(w[used + 1]), pair);
                used += 2;
                for (int i = 0; i < 2 && filled < 4; i++) if (fabs(pair[i]) < 2) v[filled++] = pair[i];
            }
            """, stride: stride(Float.self))
    }
}
