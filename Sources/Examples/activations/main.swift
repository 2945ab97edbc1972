import Dataflow
import Display

// Three activation functions and their derivatives, which are nodes of the graph like any others.
let graph = Graph()
let x = graph.placeholder(.float64, [nil], name: "x")
let functions = [("sigmoid", sigmoid(x)), ("tanh", tanh(x)), ("relu", relu(x))]
let curves = functions.flatMap { name, y in [(name, y), (name + "'", graph.gradients(of: y, by: [x])[0]!)] }

let session = try Session(graph)
let xs = (-100...100).map { Double($0) / 10 }
let values = try session.run(curves.map(\.1), feeds: [x: xs]).map { try $0.array(of: Double.self) }

print("       x" + curves.map { String(repeating: " ", count: 11 - $0.0.count) + $0.0 }.joined())
for i in stride(from: 0, to: xs.count, by: 10) {
    print(xs[i].text(1, width: 8) + values.map { $0[i].text(6, width: 11) }.joined())
}

let charts = zip(functions.map(\.0), stride(from: 0, to: curves.count, by: 2)).map { name, i in
    Chart(name, x: "x", y: "y", (i...i + 1).map { Chart.Line(curves[$0].0, Array(zip(xs, values[$0]))) })
}
let path = option("svg", of: ["svg"]) ?? "activations.svg"
try Chart.write(charts, to: path)
print("drawn in \(path)")
