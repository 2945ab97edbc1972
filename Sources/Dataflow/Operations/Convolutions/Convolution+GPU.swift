/// Convolutions on a GPU: the pixels under each window as a row of a matrix (im2col), which is multiplied with the filter;
/// those in groups, depthwise ones among them, directly.
extension ConvolutionGeometry {
    /// Bytes that a matrix of windows may take; more images are taken in turns.
    private static let limit = 128 << 20

    private var rowsOfImage: Int { height.output * width.output }
    private var rowLength: Int { height.size * width.size * inputChannels }

    /// Whether the image's pixels are the windows.
    private var isPointwise: Bool {
        [height, width].allSatisfy { $0.size == 1 && $0.stride == 1 && $0.before == 0 && $0.after == 0 }
            && format == .channelsLast
    }

    /// The arguments that every kernel takes, in the order of `parameters`.
    private var arguments: [Int] {
        let last = format == .channelsLast
        let input =
            last ? (width.input * inputChannels, inputChannels, 1) : (width.input, 1, height.input * width.input)
        let output = last ? (width.output * outputChannels, outputChannels, 1) : (width.output, 1, rowsOfImage)
        return [
            height.input, width.input, height.output, width.output, height.size, width.size, height.stride,
            width.stride,
            height.dilation, width.dilation, height.before, width.before, inputChannels, outputChannels, groups,
            input.0, input.1, input.2, output.0, output.1, output.2,
        ]
    }

    private static let parameters = """
        int ih, int iw, int oh, int ow, int kh, int kw, int sh, int sw, int dh, int dw, int ph, int pw, int ci, int co,
        int groups, int xrow, int xcolumn, int xchannel, int yrow, int ycolumn, int ychannel
        """

    func gpu(_ role: ConvolutionRole, x: GPUOperand, filter: GPUOperand, y: GPUOperand) -> GPUProgram {
        var program = GPUProgram()
        guard work > 0 else {
            let (target, count) =
                switch role {
                case .output: (y, batch * rowsOfImage * outputChannels)
                case .inputGradient: (x, batch * height.input * width.input * inputChannels)
                case .filterGradient: (filter, filterCount)
                }
            return GPUProgram(.fill(target, byte: 0, bytes: count * 4))
        }
        if groups > 1 { return GPUProgram(.launch(direct(role, x, filter, y))) }
        let isLast = format == .channelsLast
        let (outputs, k) = (outputChannels, rowLength)
        // The output with its channels last.
        let rows = isLast ? y : program.temporary(batch * rowsOfImage * outputs * 4)
        let toLast = StridedCopy(
            [batch, rowsOfImage, outputs], from: [rowsOfImage * outputs, 1, rowsOfImage])
        let fromLast = StridedCopy(
            [batch, outputs, rowsOfImage], from: [rowsOfImage * outputs, 1, outputs])
        if !isLast, role != .output { program.add(toLast.gpu(from: y, to: rows, size: 4)) }
        let images = isPointwise ? batch : Swift.max(1, Swift.min(batch, Self.limit / (rowsOfImage * k * 4)))
        let windows = isPointwise ? x : program.temporary(images * rowsOfImage * k * 4)
        for first in stride(from: 0, to: batch, by: images) {
            let (count, skipped) = (Swift.min(images, batch - first), first * rowsOfImage)
            let m = count * rowsOfImage
            if role != .inputGradient, !isPointwise {
                program.add(.launch(gather(x, windows, first: first, images: count)))
            }
            switch role {
            case .output:
                program.add(
                    .multiply(
                        GPUMultiplication(
                            a: windows, b: filter, c: rows, m: m, n: outputs, k: k, offsets: (0, 0, skipped * outputs)))
                )
            case .inputGradient:
                program.add(
                    .multiply(
                        GPUMultiplication(
                            a: rows, b: filter, c: windows, m: m, n: k, k: outputs, transposeB: true,
                            offsets: (skipped * outputs, 0, 0))))
                if !isPointwise { program.add(.launch(spread(windows, x, first: first, images: count))) }
            case .filterGradient:
                program.add(
                    .multiply(
                        GPUMultiplication(
                            a: windows, b: rows, c: filter, m: k, n: outputs, k: m, transposeA: true, adds: first > 0,
                            offsets: (0, skipped * outputs, 0))))
            }
        }
        if !isLast, role == .output { program.add(fromLast.gpu(from: rows, to: y, size: 4)) }
        return program
    }

    /// The pixels under each window, in a row; 0 in the padding.
    private func gather(_ x: GPUOperand, _ windows: GPUOperand, first: Int, images: Int) -> GPULaunch {
        let source = """
            KERNEL void gather_windows(int n, GLOBAL const float *x, GLOBAL float *windows, int first, \(Self.parameters)) {
                int i = INDEX;
                if (i >= n) return;
                int c = i % ci, rest = i / ci;
                int v = rest % kw; rest /= kw;
                int u = rest % kh; rest /= kh;
                int column = rest % ow; rest /= ow;
                int row = rest % oh, image = rest / oh + first;
                int h = row * sh - ph + u * dh, w = column * sw - pw + v * dw;
                windows[i] = h >= 0 && h < ih && w >= 0 && w < iw
                    ? x[image * ih * iw * ci + h * xrow + w * xcolumn + c * xchannel] : 0;
            }

            """
        let count = images * rowsOfImage * rowLength
        return GPULaunch(
            "gather_windows", source, items: count, memory: [x, windows], integers: [first] + arguments)
    }

    /// For each pixel the sum over the windows that it lies under.
    private func spread(_ windows: GPUOperand, _ x: GPUOperand, first: Int, images: Int) -> GPULaunch {
        let source = """
            KERNEL void spread_windows(int n, GLOBAL const float *windows, GLOBAL float *x, int first, \(Self.parameters)) {
                int i = INDEX;
                if (i >= n) return;
                int c = i % ci, rest = i / ci;
                int w = rest % iw; rest /= iw;
                int h = rest % ih, image = rest / ih;
                float sum = 0;
                for (int u = 0; u < kh; u++) {
                    int row = h + ph - u * dh;
                    if (row < 0 || row % sh != 0 || row / sh >= oh) continue;
                    for (int v = 0; v < kw; v++) {
                        int column = w + pw - v * dw;
                        if (column < 0 || column % sw != 0 || column / sw >= ow) continue;
                        sum += windows[((((image * oh + row / sh) * ow + column / sw) * kh + u) * kw + v) * ci + c];
                    }
                }
                x[(image + first) * ih * iw * ci + h * xrow + w * xcolumn + c * xchannel] = sum;
            }

            """
        let count = images * height.input * width.input * inputChannels
        return GPULaunch(
            "spread_windows", source, items: count, memory: [windows, x], integers: [first] + arguments)
    }

    /// A work item for each element of the result.
    private func direct(_ role: ConvolutionRole, _ x: GPUOperand, _ filter: GPUOperand, _ y: GPUOperand) -> GPULaunch {
        let memory = [x, filter, y]
        switch role {
        case .output:
            let source = """
                KERNEL void convolve(int n, GLOBAL const float *x, GLOBAL const float *f, GLOBAL float *y, \(Self.parameters)) {
                    int i = INDEX;
                    if (i >= n) return;
                    int o = i % co, rest = i / co;
                    int column = rest % ow; rest /= ow;
                    int row = rest % oh, image = rest / oh, gi = ci / groups, group = o / (co / groups);
                    float sum = 0;
                    for (int u = 0; u < kh; u++) {
                        int h = row * sh - ph + u * dh;
                        if (h < 0 || h >= ih) continue;
                        for (int v = 0; v < kw; v++) {
                            int w = column * sw - pw + v * dw;
                            if (w < 0 || w >= iw) continue;
                            for (int c = 0; c < gi; c++)
                                sum += x[image * ih * iw * ci + h * xrow + w * xcolumn + (group * gi + c) * xchannel]
                                    * f[((u * kw + v) * gi + c) * co + o];
                        }
                    }
                    y[image * oh * ow * co + row * yrow + column * ycolumn + o * ychannel] = sum;
                }

                """
            let count = batch * rowsOfImage * outputChannels
            return GPULaunch("convolve", source, items: count, memory: memory, integers: arguments)
        case .inputGradient:
            let source = """
                KERNEL void convolve(int n, GLOBAL float *x, GLOBAL const float *f, GLOBAL const float *y, \(Self.parameters)) {
                    int i = INDEX;
                    if (i >= n) return;
                    int c = i % ci, rest = i / ci;
                    int w = rest % iw; rest /= iw;
                    int h = rest % ih, image = rest / ih, gi = ci / groups, go = co / groups, group = c / gi;
                    float sum = 0;
                    for (int u = 0; u < kh; u++) {
                        int row = h + ph - u * dh;
                        if (row < 0 || row % sh != 0 || row / sh >= oh) continue;
                        for (int v = 0; v < kw; v++) {
                            int column = w + pw - v * dw;
                            if (column < 0 || column % sw != 0 || column / sw >= ow) continue;
                            for (int o = group * go; o < (group + 1) * go; o++)
                                sum += y[image * oh * ow * co + row / sh * yrow + column / sw * ycolumn + o * ychannel]
                                    * f[((u * kw + v) * gi + c % gi) * co + o];
                        }
                    }
                    x[image * ih * iw * ci + h * xrow + w * xcolumn + c * xchannel] = sum;
                }

                """
            let count = batch * height.input * width.input * inputChannels
            return GPULaunch("convolve", source, items: count, memory: memory, integers: arguments)
        case .filterGradient:
            let source = """
                KERNEL void convolve(int n, GLOBAL const float *x, GLOBAL float *f, GLOBAL const float *y, int batch, \(Self.parameters)) {
                    int i = INDEX;
                    if (i >= n) return;
                    int gi = ci / groups, o = i % co, rest = i / co;
                    int c = rest % gi; rest /= gi;
                    int v = rest % kw, u = rest / kw, group = o / (co / groups);
                    float sum = 0;
                    for (int image = 0; image < batch; image++) {
                        float part = 0;
                        for (int row = 0; row < oh; row++) {
                            int h = row * sh - ph + u * dh;
                            if (h < 0 || h >= ih) continue;
                            for (int column = 0; column < ow; column++) {
                                int w = column * sw - pw + v * dw;
                                if (w < 0 || w >= iw) continue;
                                part += x[image * ih * iw * ci + h * xrow + w * xcolumn + (group * gi + c) * xchannel]
                                    * y[image * oh * ow * co + row * yrow + column * ycolumn + o * ychannel];
                            }
                        }
                        sum += part;
                    }
                    f[i] = sum;
                }

                """
            return GPULaunch(
                "convolve", source, items: filterCount, memory: memory, integers: [batch] + arguments)
        }
    }
}

extension ConvolutionOperation {
    static func gpuConvolution(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32 else { return nil }
        let geometry = try geometry(binding)
        return switch role {
        case .output: geometry.gpu(role, x: .input(0), filter: .input(1), y: .output(0))
        case .inputGradient: geometry.gpu(role, x: .output(0), filter: .input(1), y: .input(2))
        case .filterGradient: geometry.gpu(role, x: .input(0), filter: .output(0), y: .input(2))
        }
    }
}
