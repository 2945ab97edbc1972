import Testing

/// Configurations of some hundred bytes that stand for gigabytes, or for calls within calls without end.
@Suite("Hostile configurations")
struct HostileConfigurationTests {
    /// Aliases of aliases, each eight times, behind line ends of a kind that a search for `*` may not know.
    private static func bomb(_ end: String) -> String {
        "model:" + end + "  a0: &a0 x" + end
            + (1..<10).map { n in
                "  a\(n): &a\(n) [" + (0..<8).map { _ in "\(end)*a\(n - 1)" }.joined(separator: ",") + "]\(end)"
            }.joined()
    }

    /// Each alias within one more list.
    private static func chain(_ count: Int) -> String {
        "model:\n  a0: &a0 [x]\n" + (1..<count).map { "  a\($0): &a\($0) [\u{2028}*a\($0 - 1)]\n" }.joined()
    }

    private static func keyChain(_ count: Int) -> String {
        "a0: &a0 [x]\n" + (1..<count).map { "? &a\($0) [\u{2028}*a\($0 - 1)]\n: 1\n" }.joined()
    }

    private static let long = String(repeating: "x", count: 500_000)

    static let cases: [(name: String, text: String, words: String)] = [
        ("aliases after U+2028", bomb("\u{2028}"), "more than 100000 values"),
        ("aliases after U+2029", bomb("\u{2029}"), "more than 100000 values"),
        ("aliases after U+0085", bomb("\u{85}"), "more than 100000 values"),
        ("aliases after line ends", bomb("\n "), "more than 100000 values"),
        ("a chain of aliases", chain(30_000), "more than 64 deep"),
        ("a chain of aliases as keys", keyChain(30_000), "more than 64 deep"),
        (
            "aliases of a long text",
            "model:\n  a: &a '\(long)'\n  b: [" + (0..<50_000).map { _ in "\u{2028}*a" }.joined(separator: ",") + "]\n",
            "more than 1048576 bytes of text"
        ),
        ("lists", String(repeating: "[\u{2028}", count: 900) + String(repeating: "]", count: 900), "more than 64 deep"),
        ("braces", String(repeating: "{a: ", count: 900) + String(repeating: "}", count: 900), "more than 64 deep"),
        ("blocks", (0..<900).map { String(repeating: " ", count: $0) + "a:\n" }.joined(), "more than 64 deep"),
        ("dashes", String(repeating: "- ", count: 900) + "x", "more than 64 deep"),
        ("mappings as keys", String(repeating: "? ", count: 900) + "x", "more than 64 deep"),
        (
            "braces as keys", String(repeating: "{? ", count: 900) + "x" + String(repeating: "}", count: 900),
            "more than 64 deep"
        ),
        (
            "many values", "model: {hidden: [" + String(repeating: "1,", count: 200_000) + "]}",
            "more than 100000 values"
        ),
        ("directives", (0..<60_000).map { "%TAG !\($0)! b\n" }.joined() + "---\nseed: 1\n", "%TAG has no use here"),
        (
            "a long tag", "%TAG !a! \(long)\n---\nmodel: [" + String(repeating: "!a!b 0,", count: 60_000) + "]\n",
            "%TAG has no use here"
        ),
    ]

    @Test("one is refused soon, with the limit, in little memory and on a small stack", arguments: cases.indices)
    func refused(index: Int) throws {
        let example = Self.cases[index]
        let program = try LimitedProgram()
        defer { program.remove() }
        let outcome = try program.run(
            ["train", program.write(Array(example.text.utf8), "job.yaml")], megabytes: 2048, seconds: 20)
        #expect(outcome.status == 78, "\(example.name): \(outcome.status) \(outcome.text.prefix(400))")
        #expect(outcome.text.contains(example.words), "\(example.name): \(outcome.text.prefix(400))")
    }

    @Test("some aliases are as good as what they stand for, an override takes none")
    func aliases() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let text =
            "job: &a \"*b\"\nmodel: {kind: mlp, hidden: &b [8, 8], activation: &c relu}\nlist: [*a, *b, *c, *c]\n"
        let job = try program.write(Array(text.utf8), "job.yaml")
        let outcome = try program.run(["train", job])
        // Only the key that is not known is wrong.
        #expect(outcome.status == 78 && outcome.text.contains("1 mistake\n"), "\(outcome.text)")
        #expect(outcome.text.contains("unknown key 'list'"))
        for value in ["*a", "&a x", "[\u{2028}&a 1, *a]"] {
            let outcome = try program.run(["train", "--set", "seed=\(value)"])
            #expect(outcome.status == 78 && outcome.text.contains("needs quotes within YAML"), "\(outcome.text)")
        }
    }
}
