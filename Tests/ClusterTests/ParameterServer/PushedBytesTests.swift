import Cluster
import Dataflow
import Testing

@Suite("Bytes of a push")
struct PushedBytesTests {
    private final class Owner {}

    /// A worker of this machine that writes indices after its server has checked them must not reach other memory.
    @Test("of memory that a worker shares whole numbers are copied before a server looks at them")
    func shared() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        let place = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        defer {
            memory.deallocate()
            place.deallocate()
        }
        memory.initializeMemory(as: Int64.self, repeating: 3, count: 8)
        let shared = PushedBytes(memory, at: [(0, 32), (32, 32)], owner: Owner(), isShared: true)
        for dtype in [DType.int32, .int64, .uint8, .bool] {
            let numbers = shared.numbers(0, at: place, dtype, floats: 0)
            #expect(numbers == UnsafeRawPointer(place), "\(dtype)")
        }
        let indices = shared.numbers(1, at: place, .int64, floats: 0)
        memory.storeBytes(of: 1 << 40, toByteOffset: 32, as: Int64.self)
        #expect(indices.load(as: Int64.self) == 3)
        // Of gradients nothing is checked: they stay where they are, and cost nothing.
        for dtype in [DType.float32, .float64, .bfloat16] {
            #expect(shared.numbers(1, at: place, dtype, floats: 8) == UnsafeRawPointer(memory + 32), "\(dtype)")
        }
        let own = PushedBytes(memory, at: [(0, 32)], owner: Owner())
        #expect(own.numbers(0, at: place, .int64, floats: 0) == UnsafeRawPointer(memory))
    }
}
