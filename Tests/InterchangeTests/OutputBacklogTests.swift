import Interchange
import Testing

@Suite("Texts that wait to be written")
struct OutputBacklogTests {
    /// Everything that comes next, as it would be written.
    private static func drain(_ backlog: inout OutputBacklog) -> [String] {
        var texts: [String] = []
        while let piece = backlog.next() { texts.append((piece.isResult ? "=" : "") + piece.text) }
        return texts
    }

    @Test("texts come in their order")
    func order() {
        var backlog = OutputBacklog()
        backlog.add(.line("a"))
        backlog.add(.result("b\n"))
        backlog.add(.line("c"))
        #expect(!backlog.isEmpty && backlog.resultBytes == 2)
        #expect(Self.drain(&backlog) == ["a\n", "=b\n", "c\n"])
        #expect(backlog.isEmpty && backlog.resultBytes == 0)
    }

    @Test("of live lines only the newest waits; in a terminal what follows takes it away")
    func live() {
        var backlog = OutputBacklog(isInPlace: true)
        for step in 0..<1000 { backlog.add(.live("step \(step)")) }
        #expect(Self.drain(&backlog) == ["\rstep 999\u{1b}[K"])
        backlog.add(.line("message"))
        backlog.add(.clear)
        backlog.add(.live("step 1000"))
        #expect(Self.drain(&backlog) == ["\r\u{1b}[Kmessage\n", "\rstep 1000\u{1b}[K"])
        backlog.add(.live("never seen"))
        backlog.add(.clear)
        backlog.add(.result("done\n"))
        #expect(Self.drain(&backlog) == ["\r\u{1b}[K", "=done\n"])

        var plain = OutputBacklog()
        plain.add(.live("step 1"))
        plain.add(.line("message"))
        #expect(Self.drain(&plain) == ["step 1\n", "message\n"])
    }

    @Test("too many messages: live lines go first, then the oldest, and one line says how many")
    func limit() {
        var backlog = OutputBacklog(limit: 100)
        backlog.add(.live("progress"))
        for i in 0..<10 { backlog.add(.line("message \(i)")) }
        #expect(Self.drain(&backlog).first == "progress\n")
        backlog.add(.live("progress"))
        for i in 0..<11 { backlog.add(.line("message \(i)")) }
        let texts = Self.drain(&backlog)
        #expect(texts.first == "(2 lines are missing here: nobody read them in time)\nmessage 2\n" && texts.count == 9)
        for i in 0..<100_000 { backlog.add(.line("message \(i)")) }
        #expect(
            Self.drain(&backlog)
                == ["(99993 lines are missing here: nobody read them in time)\nmessage 99993\n"]
                + (99_994..<100_000).map { "message \($0)\n" })
        backlog.add(.line("next"))
        #expect(Self.drain(&backlog) == ["next\n"])
    }

    @Test("results are never dropped, nor the newest message however long it is")
    func results() {
        var backlog = OutputBacklog(limit: 100)
        backlog.add(.result("first\n"))
        for i in 0..<1000 {
            backlog.add(.line("message \(i)"))
            backlog.add(.result("\(i)\n"))
        }
        backlog.add(.line(String(repeating: "x", count: 1000)))
        let texts = Self.drain(&backlog)
        #expect(texts.filter { $0.hasPrefix("=") } == ["=first\n"] + (0..<1000).map { "=\($0)\n" })
        #expect(texts.filter { !$0.hasPrefix("=") }.count == 1 && texts.last?.hasSuffix("x\n") == true)
    }
}
