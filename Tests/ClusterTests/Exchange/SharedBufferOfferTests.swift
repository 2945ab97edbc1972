import Cluster
import Messaging
import Testing

@Suite("Offers of memory")
struct SharedBufferOfferTests {
    private static let offer = SharedBufferOffer(
        memory: .init(process: 12, descriptor: 3, count: 1024, key: .max - 5), values: [[0, 512]], pushes: [64])

    private static func read(_ bytes: [UInt8], values: [Int] = [16, 512], pushes: [Int] = [100]) -> SharedBufferOffer? {
        bytes.withUnsafeBytes { SharedBufferOffer($0, valueSizes: values, pushSizes: pushes) }
    }

    @Test("an offer that fits its shard is read as it was written")
    func written() { #expect(Self.read(Self.offer.bytes) == Self.offer) }

    @Test("a pipelined worker's offer has two places for each block's values")
    func second() {
        var offer = Self.offer
        offer.values = [[0, 128], [640, 528]]
        #expect(Self.read(offer.bytes) == nil, "the last goes beyond the end")
        #expect(Self.read(offer.bytes, values: [16, 384])?.values == [[0, 128], [640, 528]])
        offer.values[1].removeLast()
        #expect(Self.read(offer.bytes, values: [16, 384]) == nil)
    }

    @Test("an offer is refused whose places are not all within the memory, at multiples of 16, one for each part")
    func refused() {
        #expect(Self.read(Self.offer.bytes, values: [16, 513]) == nil)
        #expect(Self.read(Self.offer.bytes, pushes: [.max]) == nil)
        #expect(Self.read(Self.offer.bytes, pushes: []) == nil)
        #expect(Self.read(Self.offer.bytes, pushes: [4, 4]) == nil)
        #expect(Self.read(Array(Self.offer.bytes.dropLast())) == nil)
        #expect(Self.read([]) == nil)
        for place in [-16, 8, 1024, Int.max - 15, .min] {
            var offer = Self.offer
            offer.pushes = [place]
            #expect(Self.read(offer.bytes) == nil, "\(place)")
        }
        for count in [0, -1, .max, .min] {
            var offer = Self.offer
            offer.memory.count = count
            #expect(Self.read(offer.bytes) == nil, "\(count)")
        }
    }
}
