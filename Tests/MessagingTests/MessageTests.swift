import Messaging
import Testing

@Suite("Messages")
struct MessageTests {
    @Test("a message holds and shrinks its bytes")
    func bytes() {
        var message = Message(Array(0..<100))
        #expect(message.count == 100)
        message.shrink(to: 5)
        #expect(message.bytes == [0, 1, 2, 3, 4])
        message.withUnsafeMutableBytes { $0[0] = 99 }
        #expect(message.withUnsafeBytes { $0[0] } == 99)
    }

    @Test("an empty message has no bytes")
    func empty() {
        #expect(Message().bytes == [])
        #expect(Message(count: 0).count == 0)
        let sum = Message().withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } }
        #expect(sum == 0)
    }

    @Test("a box gives its value once")
    func box() {
        let box = Box(Message([1]))
        #expect(box.take()?.bytes == [1])
        #expect(box.take()?.bytes == nil)
    }
}
