import Testing
import TributaryCommand

@Suite("Lines of CSV")
struct CSVLineTests {
    @Test("cells stand in quotes where they must (RFC 4180)")
    func quotes() {
        #expect(csvLine(["class", "p(rose)", "0.5"]) == "class,p(rose),0.5")
        #expect(
            csvLine(["a,b", "say \"x\"", "two\nlines", "cr\r\nlf"])
                == "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"cr\r\nlf\"")
        #expect(csvLine([" a", "b\t", "", "ü;|"]) == "\" a\",\"b\t\",\"\",ü;|")
        // A combining mark makes one character of the quote and itself.
        #expect(csvLine(["\"\u{301}"]) == "\"\"\"\u{301}\"")
    }
}
