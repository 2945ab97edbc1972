import Foundation
import Messaging
import Testing

@Suite("Shared memory")
struct SharedMemoryTests {
    @Test("both sides see what the other writes, also after the offer is withdrawn")
    func shared() throws {
        let own = try SharedMemory(count: 5000)
        let other = try SharedMemory(own.offer)
        own.withdraw()
        #expect(own.bytes.count == 5000 && other.bytes.count == 5000)
        #expect(own.bytes.baseAddress != other.bytes.baseAddress)
        own.bytes[4999] = 7
        other.bytes[0] = 9
        #expect(other.bytes[4999] == 7 && own.bytes[0] == 9)
    }

    @Test("bytes of any number go to any place, and to no other, past the caches or not", arguments: [true, false])
    func written(isPastCaches: Bool) throws {
        let size = 1 << 16
        let own = try SharedMemory(count: size)
        let other = try SharedMemory(own.offer)
        let values = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
        for (place, count) in [(0, 1000), (2000, 17), (4001, 999), (size - 1000, 1000), (8192, 0), (9008, 64)] {
            values.withUnsafeBytes { bytes in
                own.write(
                    UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: own.bytes.baseAddress! + place,
                    isPastCaches: isPastCaches)
            }
            #expect(Array(other.bytes[place..<place + count]) == Array(values[..<count]))
            if place > 0 { #expect(other.bytes[place - 1] == 0) }
            if place + count < size { #expect(other.bytes[place + count] == 0) }
        }
    }

    @Test("it starts with zeros, at a page, and has no name")
    func fresh() throws {
        let memory = try SharedMemory(count: 100)
        #expect(memory.bytes.allSatisfy { $0 == 0 })
        #expect(UInt(bitPattern: memory.bytes.baseAddress) % 4096 == 0)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
        #expect(!names.contains { $0.contains("tributary") })
    }

    @Test("what is not exactly what was offered is refused", arguments: 0..<6)
    func refused(_ kind: Int) throws {
        let memory = try SharedMemory(count: 100)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("shared-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        #expect(FileManager.default.createFile(atPath: file, contents: Data(count: 4196)))
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        var offer = memory.offer
        switch kind {
        case 0: offer.count += 1
        case 1: offer.key += 1
        case 2: offer.process = 1 << 30
        case 3: offer.descriptor = handle.fileDescriptor
        case 4: offer.count = .max
        default: memory.withdraw()
        }
        #expect(throws: SharedMemory.Failure.self) { try SharedMemory(offer) }
    }

    @Test("more than there is cannot be had, and says so")
    func tooMuch() throws {
        let failure = #expect(throws: SharedMemory.Failure.self) { try SharedMemory(count: 1 << 39) }
        #expect(failure?.description.contains("bytes") == true)
    }
}
