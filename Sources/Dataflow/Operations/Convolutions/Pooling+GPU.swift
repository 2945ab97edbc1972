/// Pooling on a GPU: a work item for each element of the result, so that sums are the same in every run.
extension PoolingGeometry {
    private var arguments: [Int] {
        [
            channels, height.input, width.input, height.output, width.output, height.size, width.size, height.stride,
            width.stride, height.before, width.before,
        ]
    }

    private static let parameters =
        "int channels, int ih, int iw, int oh, int ow, int kh, int kw, int sh, int sw, int ph, int pw"

    /// For each window of `x`: `body` sees its first and last row and column `top`, `bottom`, `left`, `right` (beyond), the
    /// offset `pixels` of the image's channel, and sets `result`.
    fileprivate func overWindows(_ memory: [(declaration: String, operand: GPUOperand)], _ body: String) -> GPUProgram {
        let source = """
            KERNEL void pool(int n, \(memory.map(\.declaration).joined(separator: ", ")), \(Self.parameters)) {
                int i = INDEX;
                if (i >= n) return;
                int c = i % channels, rest = i / channels;
                int column = rest % ow; rest /= ow;
                int row = rest % oh, image = rest / oh;
                int top = row * sh - ph, left = column * sw - pw, bottom = top + kh, right = left + kw;
                if (top < 0) top = 0;
                if (left < 0) left = 0;
                if (bottom > ih) bottom = ih;
                if (right > iw) right = iw;
                int pixels = image * ih * iw * channels + c;
                float result;
                \(body)
                y[i] = result;
            }

            """
        let count = images * outputImage
        return GPUProgram(
            .launch(
                GPULaunch(
                    "pool", source, items: count, memory: memory.map(\.operand), integers: arguments)))
    }

    /// For each pixel the sum over the windows that it lies under: `body` sees the window's bounds as above, the pixel's `h`
    /// and `w`, the offset `o` of the window's result, and adds to `sum`.
    fileprivate func overPixels(_ memory: [(declaration: String, operand: GPUOperand)], _ body: String) -> GPUProgram {
        let source = """
            KERNEL void unpool(int n, \(memory.map(\.declaration).joined(separator: ", ")), \(Self.parameters)) {
                int i = INDEX;
                if (i >= n) return;
                int c = i % channels, rest = i / channels;
                int w = rest % iw; rest /= iw;
                int h = rest % ih, image = rest / ih;
                int pixels = image * ih * iw * channels + c;
                int first_row = h + ph - kh + 1, first_column = w + pw - kw + 1;
                int row = first_row <= 0 ? 0 : (first_row + sh - 1) / sh;
                int start = first_column <= 0 ? 0 : (first_column + sw - 1) / sw;
                float sum = 0;
                for (; row < oh && row * sh - ph <= h; row++) {
                    for (int column = start; column < ow && column * sw - pw <= w; column++) {
                        int top = row * sh - ph, left = column * sw - pw, bottom = top + kh, right = left + kw;
                        if (top < 0) top = 0;
                        if (left < 0) left = 0;
                        if (bottom > ih) bottom = ih;
                        if (right > iw) right = iw;
                        int o = ((image * oh + row) * ow + column) * channels + c;
                        \(body)
                    }
                }
                y[i] = sum;
            }

            """
        let count = images * inputImage
        return GPUProgram(
            .launch(
                GPULaunch(
                    "unpool", source, items: count, memory: memory.map(\.operand), integers: arguments)))
    }
}

extension MaxPool: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32 else { return nil }
        return try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes).overWindows(
            [("GLOBAL const float *x", .input(0)), ("GLOBAL float *y", .output(0))],
            """
            result = -3.402823466e+38f;
            for (int h = top; h < bottom; h++)
                for (int w = left; w < right; w++) {
                    float v = x[pixels + (h * iw + w) * channels];
                    result = result < v ? v : result;
                }
            """)
    }
}

extension MaxPoolGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32 else { return nil }
        return try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes).overPixels(
            [
                ("GLOBAL const float *x", .input(0)), ("GLOBAL const float *dy", .input(2)),
                ("GLOBAL float *y", .output(0)),
            ],
            """
            int place = top * iw + left;
            float largest = x[pixels + place * channels];
            for (int a = top; a < bottom; a++)
                for (int b = left; b < right; b++) {
                    float v = x[pixels + (a * iw + b) * channels];
                    if (largest < v) { largest = v; place = a * iw + b; }
                }
            if (place == h * iw + w) sum += dy[o];
            """)
    }
}

extension MaxPoolGradGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32 else { return nil }
        return try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes).overWindows(
            [
                ("GLOBAL const float *x", .input(0)), ("GLOBAL const float *pooled", .input(1)),
                ("GLOBAL const float *grad", .input(2)), ("GLOBAL float *y", .output(0)),
            ],
            """
            result = 0;
            int found = 0;
            for (int h = top; h < bottom; h++)
                for (int w = left; w < right; w++) {
                    int p = pixels + (h * iw + w) * channels;
                    if (!found && x[p] == pooled[i]) { result = grad[p]; found = 1; }
                }
            """)
    }
}

extension AvgPool: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32 else { return nil }
        return try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes).overWindows(
            [("GLOBAL const float *x", .input(0)), ("GLOBAL float *y", .output(0))],
            """
            result = 0;
            for (int h = top; h < bottom; h++)
                for (int w = left; w < right; w++) result += x[pixels + (h * iw + w) * channels];
            result /= (float)((bottom - top) * (right - left));
            """)
    }
}

extension AvgPoolGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32 else { return nil }
        return try PoolingGeometry(input: binding.outputs[0].shape.knownExtents, binding.attributes).overPixels(
            [("GLOBAL const float *dy", .input(1)), ("GLOBAL float *y", .output(0))],
            "sum += dy[o] / (float)((bottom - top) * (right - left));")
    }
}
