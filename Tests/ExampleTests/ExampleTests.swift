import Foundation
import Testing

@Suite("Examples")
struct ExampleTests {
    @Test("matmul prints the product")
    func product() throws {
        #expect(try Example(name: "matmul").run().lines == ["[[12.]]"])
    }

    @Test("counter is told that the Variable has no value yet, then counts")
    func counter() throws {
        let lines = try Example(name: "counter").run().lines
        #expect(lines.first?.contains("counter") == true && lines.first?.hasPrefix("error: ") == true)
        #expect(lines.dropFirst() == ["0.0", "1.0", "2.0", "3.0"])
    }

    @Test("feed prints a fed product and a list of fetches")
    func feed() throws {
        #expect(try Example(name: "feed").run().lines == ["[14.]", "[21.0, 7.0]"])
    }

    @Test("xor is learnt, with one output and with two", arguments: [1, 2])
    func xor(outputs: Int) throws {
        let lines = try Example(name: "xor").run(["--outputs", "\(outputs)"]).lines
        #expect(numbers(lines[0])[0] < 1e-3)
        let wanted = [0.0, 1, 1, 0].flatMap { [Double](repeating: $0, count: outputs) }
        let found = numbers(lines[1])
        #expect(found.count == wanted.count)
        #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 0.05 }, "\(found)")
    }

    @Test("dynamic-bpnn learns XOR with any hidden layers", arguments: ["10,5", "8,8,4", "16"])
    func dynamic(hidden: String) throws {
        let lines = try Example(name: "dynamic-bpnn").run(["--hidden", hidden]).lines
        #expect(lines[0] == "layers 2-\(hidden.replacing(",", with: "-"))-1")
        #expect(zip(numbers(lines[2]), [0.0, 1, 1, 0]).allSatisfy { abs($0 - $1) < 0.1 }, "\(lines)")
    }

    @Test("an option that an example does not know is told with those it does")
    func unknownOption() throws {
        let result = try Example(name: "dynamic-bpnn").run(["--layers", "3"])
        #expect(result.status == 2)
        #expect(result.errors.contains("--layers") && result.errors.contains("--hidden VALUE"))
    }

    @Test("perceptron learns AND")
    func perceptron() throws {
        let lines = try Example(name: "perceptron").run().lines
        #expect(lines.suffix(4) == ["1 and 1 = 1", "0 and 0 = 0", "1 and 0 = 0", "0 and 1 = 0"])
        let (weights, bias) = (numbers(lines[0]), numbers(lines[1])[0])
        #expect(weights.count == 2 && weights[0] + weights[1] + bias > 0)
        #expect(weights[0] + bias <= 0 && weights[1] + bias <= 0 && bias <= 0)
    }

    @Test("activations prints and draws three functions and their derivatives")
    func activations() throws {
        try Example.withFolder { folder in
            let lines = try Example(name: "activations").run(in: folder).lines
            #expect(lines[0].split(separator: " ") == ["x", "sigmoid", "sigmoid'", "tanh", "tanh'", "relu", "relu'"])
            #expect(lines.count == 1 + 21 + 1)
            let zero = try #require(lines.map(numbers).first { $0.count == 7 && $0[0] == 0 })
            #expect(zero == [0, 0.5, 0.25, 0, 1, 0, 0])
            let two = try #require(lines.map(numbers).first { $0.count == 7 && $0[0] == 2 })
            let s = 1 / (1 + exp(-2.0))
            for (a, b) in zip(two, [2, s, s * (1 - s), tanh(2.0), 1 - tanh(2.0) * tanh(2.0), 2, 1]) {
                #expect(abs(a - b) < 1e-6)
            }
            try checkDrawing(folder.appending(path: "activations.svg"), lines: 6)
        }
    }

    @Test("vanishing-gradient shows the gradient fade under sigmoid, stay where weights fit, and half of ReLUs at 0")
    func vanishing() throws {
        try Example.withFolder { folder in
            let path = folder.appending(path: "norms.svg")
            let lines = try Example(name: "vanishing-gradient").run(["--svg", path.path]).lines
            func table(_ name: String) throws -> ArraySlice<[Double]> {
                let start = try #require(lines.firstIndex { $0.hasPrefix(name + ":") })
                return lines[(start + 2)..<(start + 13)].map(numbers)[...]
            }
            let (sigmoid, tanh, relu) = (try table("sigmoid"), try table("tanh"), try table("relu"))
            // Columns: layer, normal, Xavier, He; the last row is the share of zeros in percent.
            #expect(sigmoid[0][2] < 1e-3 * sigmoid[9][2])
            #expect(relu[0][3] > 0.02 * relu[9][3] && relu[0][3] < relu[9][3])
            #expect(tanh[0][2] > 0.2 * tanh[9][2] && tanh[0][2] < 5 * tanh[9][2])
            // Standard normal weights are too large for 64 inputs: the gradient explodes.
            #expect(relu[0][1] > 1e6 * relu[0][3] && tanh[0][1] > 100 * tanh[9][1])
            #expect(relu[10].allSatisfy { (35...65).contains($0) }, "\(relu[10])")
            #expect(sigmoid[10].allSatisfy { $0 == 0 })
            try checkDrawing(path, lines: 9)
        }
    }

    /// The file is well-formed XML with this many curves.
    private func checkDrawing(_ file: URL, lines: Int) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
        #expect(text.components(separatedBy: "<polyline ").count - 1 == lines)
        #expect(!text.contains("nan") && !text.contains("inf"))
    }
}
