import Dataflow
import Testing

@Suite("Text for terminals")
struct TerminalTextTests {
    @Test(
        "what a terminal obeys is written out, all else stays",
        arguments: [
            ("plain text, é, 漢字, 👩‍👩‍👧", "plain text, é, 漢字, 👩‍👩‍👧"),
            ("a\tb\nc", "a\tb\nc"),
            ("\u{1B}[31mred\u{1B}[0m", "\\x1b[31mred\\x1b[0m"),
            ("\u{1B}]0;title\u{7}", "\\x1b]0;title\\x07"),
            ("a\rb\r\nc", "a\\x0db\\x0d\nc"),
            ("\0\u{8}\u{7F}", "\\x00\\x08\\x7f"),
            ("\u{9B}31m\u{85}", "\\x9b31m\\x85"),
            ("a\u{2028}b\u{2029}c", "a\\u2028b\\u2029c"),
            ("\u{202A}\u{202E}\u{2066}\u{2069}\u{200E}\u{61C}", "\\u202a\\u202e\\u2066\\u2069\\u200e\\u061c"),
            ("\u{FEFF}\u{E0041}", "\\ufeff\\u{e0041}"),
            ("\\x1b", "\\x1b"),
        ])
    func escaped(text: String, expected: String) {
        #expect(TerminalText.escaped(text) == expected)
        // What is written out stays as it is when it is passed on.
        #expect(TerminalText.escaped(expected) == expected)
    }

    @Test("what came from outside cannot begin a line")
    func line() {
        #expect(TerminalText.line("host\ntributary: all is well\r\n") == "host\\ntributary: all is well\\x0d\\n")
    }

    @Test("every control character is written out")
    func controls() {
        for value in Array(0..<0x20) + Array(0x7F..<0xA0) where value != 9 && value != 10 {
            let text = TerminalText.escaped(String(Character(Unicode.Scalar(UInt8(value)))))
            #expect(text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "\(value)")
        }
    }

    @Test("bytes that are no UTF-8 are written out, in time that grows as they do")
    func bytes() {
        func text(_ bytes: [UInt8]) -> String? { String(validating: TerminalText.escaped(bytes), as: UTF8.self) }
        #expect(text([0x61, 0xFF, 0x1B, 0xC3, 0xA9, 0xC3]) == "a\\xff\\x1bé\\xc3")
        #expect(text([0xE2, 0x82, 0x41, 0xF0, 0x9F, 0x98]) == "\\xe2\\x82A\\xf0\\x9f\\x98")
        #expect(text([0xC2, 0x9B, 0x80]) == "\\x9b\\x80")
        #expect(text([UInt8](repeating: 0xFE, count: 200_000))?.utf8.count == 800_000)
    }

    @Test("JSON keeps its meaning")
    func json() {
        #expect(TerminalText.escaped(json: "{\n  \"a\" : \"é\"\n}") == "{\n  \"a\" : \"é\"\n}")
        #expect(
            TerminalText.escaped(json: "[\"\u{7F}\u{9B}\u{2028}\u{202E}\u{E0041}\"]")
                == "[\"\\u007f\\u009b\\u2028\\u202e\\udb40\\udc41\"]")
    }
}
