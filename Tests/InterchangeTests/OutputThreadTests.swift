import Foundation
import Interchange
import Synchronization
import Testing

@Suite("Output on a thread of its own")
struct OutputThreadTests {
    /// A reader that reads nothing until it is told to.
    private final class Reader: Sendable {
        private let gate = DispatchSemaphore(value: 0)
        private let isOpen = Atomic(false)
        let bytes = Mutex<[UInt8]>([])
        var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

        func open() {
            isOpen.store(true, ordering: .releasing)
            gate.signal()
        }

        func take(_ bytes: UnsafeRawBufferPointer) {
            if !isOpen.load(ordering: .acquiring) { gate.wait() }
            self.bytes.withLock { $0 += bytes }
        }
    }

    @Test("a reader that does not read holds up nobody, and what waits for it stays small")
    func blocked() {
        let reader = Reader()
        let output = OutputThread(OutputBacklog(limit: 10_000), write: { bytes, _ in reader.take(bytes) })
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for i in 0..<25_000 {
                output.post(.line("thread \(thread) says \(i)"))
                output.post(.live("\(i)"))
            }
        }
        output.post(.result("the result\n"))
        #expect(!output.flush(patience: .milliseconds(50)))
        #expect(ContinuousClock.now - start < .seconds(60))
        reader.open()
        #expect(output.flush())
        let text = reader.text
        #expect(text.utf8.count < 11_000 && text.hasSuffix("the result\n"), "\(text.utf8.count)")
        let lines = text.split(separator: "\n")
        let missing = lines.compactMap { $0.hasPrefix("(") ? Int($0.dropFirst().prefix { $0.isNumber }) : nil }
        // All but the live lines.
        let written = lines.count { $0.hasPrefix("thread ") }
        #expect(written + missing.reduce(0, +) == 100_000)
    }

    @Test("a slow reader that reads is waited for")
    func slow() {
        let output = OutputThread(write: { _, _ in usleep(30_000) })
        for i in 0..<30 { output.post(.line("\(i)")) }
        #expect(output.flush(patience: .milliseconds(500)))
    }

    @Test("once a result cannot be written none is, and it is told; messages go on")
    func failure() {
        let written = Mutex<[String]>([])
        let output = OutputThread(
            write: { bytes, isResult in
                let text = String(decoding: bytes, as: UTF8.self)
                written.withLock { $0.append(text) }
                throw FormatError(writing: "file", "is full", systemCode: ENOSPC)
            })
        output.post(.line("message"))
        output.flush()
        #expect(output.failure == nil)
        for i in 0..<3 { output.post(.result("\(i)\n")) }
        output.post(.line("end"))
        output.flush()
        #expect((output.failure as? FormatError)?.systemCode == ENOSPC)
        #expect(written.withLock { $0 } == ["message\n", "0\n", "end\n"])
    }

    @Test("the end comes when all is written, also of what was never written to")
    func end() {
        for count in [0, 3] {
            let written = Mutex<[String]>([])
            let output = OutputThread(
                write: { bytes, _ in written.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) } },
                end: { written.withLock { $0.append("end") } })
            for i in 0..<count { output.post(.result("\(i)")) }
            output.finish()
            output.flush()
            while !output.isOver { usleep(1000) }
            #expect(written.withLock { $0 } == (0..<count).map { "\($0)" } + ["end"])
        }
    }

    @Test("a reader that has gone is an error of the call, also where SIGPIPE would end the program")
    func brokenPipe() {
        let before = signal(SIGPIPE, SIG_DFL)
        defer { _ = signal(SIGPIPE, before) }
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        for _ in 0..<3 {
            let code = [UInt8](repeating: 1, count: 10).withUnsafeBytes { Descriptor.write($0, to: ends[1]) }
            #expect(code == EPIPE)
        }
        var waiting = sigset_t()
        sigpending(&waiting)
        #expect(sigismember(&waiting, SIGPIPE) == 0)
    }
}
