import Cluster
import Dataflow
import Testing

@Suite("Gradients on the wire")
struct WireFormatTests {
    private static let key = GradientEncoder.Key(shard: 0, push: 0)

    /// Numbers of very different sizes, of both signs.
    private static func gradient(_ count: Int, step: Int = 0) -> [Float] {
        (0..<count).map { i in
            let x = Float((i * 7919 + step * 104_729) % 2003) / 1001.5 - 1
            return x * x * x * (i % 97 == 0 ? 40 : 1)
        }
    }

    private static func sent(
        _ gradient: [Float], _ encoder: inout GradientEncoder
    ) throws -> (numbers: [Float], bytes: [UInt8]) {
        var bytes: [UInt8] = []
        let coding = gradient.withUnsafeBufferPointer { encoder.encode(key, $0, to: &bytes) }
        var numbers = [Float](repeating: .nan, count: gradient.count)
        try bytes.withUnsafeBytes { bytes in
            try #require(coding.accepts(bytes, elements: gradient.count, plainBytes: gradient.count * 4))
            numbers.withUnsafeMutableBufferPointer { coding.decode(bytes, to: $0) }
        }
        return (numbers, bytes)
    }

    @Test("float32 arrives as it is, bfloat16 within 2⁻⁸ of it, at half the bytes")
    func plain() throws {
        let gradient = Self.gradient(3000)
        var plain = GradientEncoder(.float32)
        #expect(try Self.sent(gradient, &plain).numbers == gradient)
        var half = GradientEncoder(.bfloat16)
        let (numbers, bytes) = try Self.sent(gradient, &half)
        #expect(bytes.count == 6000)
        #expect(zip(gradient, numbers).allSatisfy { abs($0 - $1) <= abs($0) / 256 })
        #expect(try Self.sent([.nan, .infinity, -.infinity, -0.0], &half).numbers[0].isNaN)
        #expect(
            try Array(Self.sent([.nan, .infinity, -.infinity, -0.0], &half).numbers[1...]) == [
                .infinity, -.infinity, 0,
            ])
    }

    @Test(
        "what a format leaves out arrives later: the sums over many steps agree",
        arguments: [
            WireFormat.int8, .topK(0.01), .topK(0.25),
        ])
    func feedback(_ format: WireFormat) throws {
        var encoder = GradientEncoder(format)
        let count = 2500
        var made = [Double](repeating: 0, count: count)
        var arrived = made
        var size = 0
        for step in 0..<200 {
            let gradient = Self.gradient(count, step: step)
            let (numbers, bytes) = try Self.sent(gradient, &encoder)
            size = bytes.count
            for i in 0..<count {
                made[i] += Double(gradient[i])
                arrived[i] += Double(numbers[i])
            }
        }
        // What is still owed: of 8 bits a step of the scale, of the largest what waits for its turn.
        let bound = format == .int8 ? 0.4 : format == .topK(0.25) ? 3 : 45
        #expect(zip(made, arrived).allSatisfy { abs($0 - $1) <= bound })
        switch format {
        case .int8: #expect(size == 2500 + 3 * 4)
        case .topK(let part): #expect(size == 4 + 8 * Int((2500 * part).rounded(.up)))
        default: Issue.record("no such format")
        }
    }

    @Test("top-k sends exactly the largest magnitudes, ties included")
    func largest() throws {
        var encoder = GradientEncoder(.topK(0.25))
        let (numbers, _) = try Self.sent([1, -5, 5, 0, -2, 5, 0.5, 3], &encoder)
        #expect(numbers == [0, -5, 5, 0, 0, 0, 0, 0])
        // The third 5 was owed, and the others count once.
        #expect(try Self.sent([Float](repeating: 0, count: 8), &encoder).numbers == [0, 0, 0, 0, 0, 5, 0, 3])
    }

    @Test("a gradient that is no number arrives as none, and is not owed")
    func broken() throws {
        var encoder = GradientEncoder(.int8)
        #expect(try Self.sent([1, .nan, 2], &encoder).numbers.allSatisfy(\.isNaN))
        #expect(try Self.sent([1, 0, 0], &encoder).numbers == [1, 0, 0])
    }

    @Test("top-k owes nothing that is no number, however many there are")
    func brokenLargest() throws {
        var encoder = GradientEncoder(.topK(0.1))
        let first = try Self.sent([Float](repeating: .nan, count: 40), &encoder).numbers
        #expect(first.count(where: \.isNaN) == 4)
        #expect(try Self.sent([Float](repeating: 1, count: 40), &encoder).numbers.allSatisfy(\.isFinite))
    }

    @Test("bytes that are no gradient of their coding are refused")
    func refused() {
        func accepts(_ coding: GradientCoding, _ words: [UInt32], _ elements: Int) -> Bool {
            words.withUnsafeBytes { coding.accepts($0, elements: elements, plainBytes: elements * 4) }
        }
        #expect(accepts(.sparse, [2, 0, 3, 7, 7], 4))
        #expect(!accepts(.sparse, [2, 0, 4, 7, 7], 4), "an index beyond the end")
        #expect(!accepts(.sparse, [2, 3, 3, 7, 7], 4), "an index twice")
        #expect(!accepts(.sparse, [3, 0, 3, 7, 7], 4), "fewer bytes than the count says")
        #expect(!accepts(.sparse, [.max, 0, 3, 7, 7], 4))
        #expect(!accepts(.sparse, [], 4))
        #expect(!accepts(.int8, [1, 1], 5) && accepts(.int8, [1, 1], 4))
        #expect(!accepts(.bfloat16, [1], 4) && accepts(.bfloat16, [1, 2], 4))
        #expect(!accepts(.plain, [1], 4))
    }
}
