/// A convolution and its two gradients as plain loops, for every dtype.
extension ConvolutionGeometry {
    /// Elements between neighbouring pixels, rows, images and channels.
    private struct Steps {
        let column: Int, row: Int, image: Int, channel: Int

        init(_ format: ImageFormat, height: Int, width: Int, channels: Int) {
            channel = format == .channelsLast ? 1 : height * width
            column = format == .channelsLast ? channels : 1
            row = width * column
            image = height * width * channels
        }
    }

    private var inputSteps: Steps {
        Steps(format, height: height.input, width: width.input, channels: inputChannels)
    }
    private var outputSteps: Steps {
        Steps(format, height: height.output, width: width.output, channels: outputChannels)
    }

    /// Calls `body` with the offsets of an input pixel, the filter's matrix and an output pixel for each pair of pixels
    /// that the matrix joins.
    @inline(__always)
    private func forEachTap(images: Range<Int>, rows: Range<Int>, _ body: (_ x: Int, _ filter: Int, _ y: Int) -> Void) {
        let (x, y, matrix) = (inputSteps, outputSteps, groupInputs * outputChannels)
        for image in images {
            for outputRow in 0..<height.output {
                let first = height.start(outputRow)
                for outputColumn in 0..<width.output {
                    let left = width.start(outputColumn)
                    let columns = width.taps(outputColumn)
                    let target = image * y.image + outputRow * y.row + outputColumn * y.column
                    for row in height.taps(outputRow).clamped(to: rows) {
                        let source = image * x.image + (first + row * height.dilation) * x.row
                        for column in columns {
                            body(
                                source + (left + column * width.dilation) * x.column,
                                (row * width.size + column) * matrix, target)
                        }
                    }
                }
            }
        }
    }

    /// y = x ∗ filter.
    func convolve<Scalar: NumericScalar>(
        _ x: UnsafePointer<Scalar>, _ filter: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, threads: Int
    ) {
        let (from, to) = (inputSteps.channel, outputSteps.channel)
        forEachImage(threads) { images in
            clear(y, outputSteps.image, images)
            forEachTap(images: images, rows: 0..<height.size) { source, matrix, target in
                for group in 0..<groups {
                    let result = y + target + group * groupOutputs * to
                    for i in 0..<groupInputs {
                        let value = x[source + (group * groupInputs + i) * from]
                        let weights = filter + matrix + i * outputChannels + group * groupOutputs
                        for o in 0..<groupOutputs {
                            result[o * to] = Scalar.wrappingAdd(
                                result[o * to], Scalar.wrappingMultiply(value, weights[o]))
                        }
                    }
                }
            }
        }
    }

    /// The gradient by the input: dx = Σ dy · filter.
    func spreadBack<Scalar: NumericScalar>(
        _ dy: UnsafePointer<Scalar>, _ filter: UnsafePointer<Scalar>, _ dx: UnsafeMutablePointer<Scalar>, threads: Int
    ) {
        let (from, to) = (outputSteps.channel, inputSteps.channel)
        forEachImage(threads) { images in
            clear(dx, inputSteps.image, images)
            forEachTap(images: images, rows: 0..<height.size) { target, matrix, source in
                for group in 0..<groups {
                    let upstream = dy + source + group * groupOutputs * from
                    for i in 0..<groupInputs {
                        let weights = filter + matrix + i * outputChannels + group * groupOutputs
                        var total = Scalar(0.0)
                        for o in 0..<groupOutputs {
                            total = Scalar.wrappingAdd(total, Scalar.wrappingMultiply(upstream[o * from], weights[o]))
                        }
                        let place = target + (group * groupInputs + i) * to
                        dx[place] = Scalar.wrappingAdd(dx[place], total)
                    }
                }
            }
        }
    }

    /// The gradient by the filter: dfilter = Σ x · dy. Every thread takes rows of the filter, so that none shares a sum.
    func correlate<Scalar: NumericScalar>(
        _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ result: UnsafeMutablePointer<Scalar>, threads: Int
    ) {
        let (from, upstreamStep) = (inputSteps.channel, outputSteps.channel)
        result.update(repeating: Scalar(0.0), count: filterCount)
        let parts = min(usefulThreads(threads, work: work), height.size)
        parallel(parts) { part in
            let rows = height.size * part / parts..<height.size * (part + 1) / parts
            forEachTap(images: 0..<batch, rows: rows) { source, matrix, target in
                for group in 0..<groups {
                    let upstream = dy + target + group * groupOutputs * upstreamStep
                    for i in 0..<groupInputs {
                        let value = x[source + (group * groupInputs + i) * from]
                        let sums = result + matrix + i * outputChannels + group * groupOutputs
                        for o in 0..<groupOutputs {
                            sums[o] = Scalar.wrappingAdd(
                                sums[o], Scalar.wrappingMultiply(value, upstream[o * upstreamStep]))
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private func forEachImage(_ threads: Int, _ body: (Range<Int>) -> Void) {
        let parts = min(usefulThreads(threads, work: work), max(batch, 1))
        parallel(parts) { part in body(batch * part / parts..<batch * (part + 1) / parts) }
    }

    private func clear<Scalar: NumericScalar>(_ y: UnsafeMutablePointer<Scalar>, _ image: Int, _ images: Range<Int>) {
        (y + images.lowerBound * image).update(repeating: Scalar(0.0), count: images.count * image)
    }
}
