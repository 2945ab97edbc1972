import Display
import Training

// Ten hidden layers, and how much of the loss's gradient reaches each of them before training. Sigmoid loses a million
// times over what tanh keeps under Xavier's weights; ReLU keeps its size under He's, with half of its activations exactly 0.
// Standard normal weights are too large for 64 inputs: the gradient explodes.
let activations: [Activation] = [.sigmoid, .tanh, .relu]
let initializers: [(name: String, rule: Initializer)] = [
    ("normal", .normal()), ("Xavier", .glorotNormal), ("He", .heNormal),
]

func column(_ text: String) -> String { String(repeating: " ", count: max(11 - text.count, 1)) + text }

/// Three digits and a power of ten.
func scientific(_ value: Double) -> String {
    guard value > 0, value.isFinite else { return "\(value)" }
    var (mantissa, exponent) = (value, 0)
    while mantissa >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 0.9995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    return "\(mantissa.text(2))e\(exponent)"
}

var charts: [Chart] = []
for activation in activations {
    let results = try initializers.map { name, rule in
        (name: name, result: try DeepNetwork(activation: activation, initializer: rule).measure())
    }
    print("\(activation): gradient norm of each layer")
    print("  layer" + results.map { column($0.name) }.joined())
    for layer in 0..<DeepNetwork.depth {
        print(
            (Double(layer + 1)).text(0, width: 7) + results.map { column(scientific($0.result.norms[layer])) }.joined())
    }
    print("  zeros" + results.map { column(($0.result.zeros * 100).text(1) + "%") }.joined() + "\n")
    charts.append(
        Chart(
            "\(activation)", x: "layer", y: "gradient norm", logarithmic: true,
            results.map { name, result in
                Chart.Line(name, result.norms.enumerated().map { (Double($0.offset + 1), $0.element) })
            }))
}
let path = option("svg", of: ["svg"]) ?? "vanishing-gradient.svg"
try Chart.write(charts, to: path)
print("drawn in \(path)")
