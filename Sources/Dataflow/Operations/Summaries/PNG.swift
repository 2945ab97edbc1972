internal import CZlib

/// Images as PNG (ISO/IEC 15948), byte for byte as libpng with its own settings writes them: each row filtered so that the sum
/// of its bytes, taken as signed, is smallest; deflated at zlib's usual level with all the memory it takes, as TensorFlow asks
/// for; in chunks of 8 KiB.
enum PNG {
    private static let chunkSize = 8192

    /// - Parameter pixels: rows from the top, of `channels` (1 grey, 2 with alpha, 3 RGB, 4 with alpha) bytes a pixel.
    static func encode(_ pixels: [UInt8], width: Int, height: Int, channels: Int) throws -> [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let colorType: UInt8 = [0, 4, 2, 6][channels - 1]
        append("IHDR", big(width) + big(height) + [8, colorType, 0, 0, 0], to: &file)
        let data = try deflated(pixels, width: width, height: height, channels: channels)
        for start in stride(from: 0, to: data.count, by: chunkSize) {
            append("IDAT", Array(data[start..<min(start + chunkSize, data.count)]), to: &file)
        }
        append("IEND", [], to: &file)
        return file
    }

    private static func big(_ value: Int) -> [UInt8] {
        (0..<4).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func append(_ type: String, _ data: [UInt8], to file: inout [UInt8]) {
        let chunk = Array(type.utf8) + data
        file += big(data.count) + chunk + big(Int(crc32(0, chunk, uInt(chunk.count))))
    }

    private static func deflated(_ pixels: [UInt8], width: Int, height: Int, channels: Int) throws -> [UInt8] {
        let rowBytes = width * channels
        let size = (rowBytes + 1) * height
        // What a row or column alone cannot use is not tried.
        var filters = Set(0...4)
        if height == 1 { filters.subtract([2, 3, 4]) }
        if width == 1 { filters.subtract([1, 3, 4]) }
        // No larger a window than the image.
        var windowBits: Int32 = 15
        if size <= 16384 {
            while size + 262 <= 1 << Int(windowBits - 1) { windowBits -= 1 }
        }
        var stream = z_stream()
        let strategy = filters == [0] ? Z_DEFAULT_STRATEGY : Z_FILTERED
        guard
            deflateInit2_(
                &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, max(windowBits, 8), MAX_MEM_LEVEL, strategy, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw GraphError("zlib has no memory to compress an image of \(width) × \(height)") }
        defer { deflateEnd(&stream) }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: chunkSize)
        func run(_ input: [UInt8], _ flush: Int32) {
            var input = input
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = uInt(input.count)
                var status = Z_OK
                repeat {
                    buffer.withUnsafeMutableBufferPointer { buffer in
                        stream.next_out = buffer.baseAddress
                        stream.avail_out = uInt(buffer.count)
                        status = deflate(&stream, flush)
                        result += buffer[..<(buffer.count - Int(stream.avail_out))]
                    }
                } while status == Z_OK && (stream.avail_out == 0 || stream.avail_in > 0)
            }
        }
        var above = [UInt8](repeating: 0, count: rowBytes)
        for y in 0..<height {
            let row = Array(pixels[y * rowBytes..<(y + 1) * rowBytes])
            run(filtered(row, above, channels, filters), Z_NO_FLUSH)
            above = row
        }
        run([], Z_FINISH)
        shrinkWindow(&result, size: size)
        return result
    }

    /// The row with the number of the best filter in front.
    private static func filtered(_ row: [UInt8], _ above: [UInt8], _ channels: Int, _ filters: Set<Int>) -> [UInt8] {
        if filters == [0] { return [0] + row }
        var (best, least): ([UInt8], Int) = ([], .max)
        for filter in 0...4 where filters.contains(filter) {
            var (candidate, sum): ([UInt8], Int) = ([UInt8(filter)], 0)
            candidate.reserveCapacity(row.count + 1)
            for i in row.indices {
                let left = i >= channels ? Int(row[i - channels]) : 0
                let up = Int(above[i])
                let corner = i >= channels ? Int(above[i - channels]) : 0
                let prediction =
                    switch filter {
                    case 0: 0
                    case 1: left
                    case 2: up
                    case 3: (left + up) / 2
                    default: paeth(left, up, corner)
                    }
                let byte = row[i] &- UInt8(prediction)
                candidate.append(byte)
                sum += byte < 128 ? Int(byte) : 256 - Int(byte)
            }
            if sum < least { (best, least) = (candidate, sum) }
        }
        return best
    }

    private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
        let (a, b, c) = (abs(up - corner), abs(left - corner), abs(left + up - 2 * corner))
        if a <= b, a <= c { return left }
        return b <= c ? up : corner
    }

    /// Says in the stream's header that a reader needs no larger a window than the image.
    private static func shrinkWindow(_ data: inout [UInt8], size: Int) {
        guard size <= 16384, data.count >= 2, data[0] & 0x0F == 8, data[0] & 0xF0 <= 0x70 else { return }
        var info = Int(data[0] >> 4)
        var half = 1 << (info + 7)
        guard size <= half else { return }
        repeat {
            half >>= 1
            info -= 1
        } while info > 0 && size <= half
        let method = Int(data[0] & 0x0F) | info << 4
        let flags = Int(data[1] & 0xE0)
        data[0] = UInt8(method)
        data[1] = UInt8(flags + 0x1F - (method << 8 + flags) % 0x1F)
    }
}
