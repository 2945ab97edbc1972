import Dataflow
import Display

// Placeholders get their values with each run.
let graph = Graph()
let input1 = graph.placeholder(.float32, name: "input1")
let input2 = graph.placeholder(.float32, name: "input2")
let output = mul(input1, input2)
let session = try Session(graph)
print(try session.run(output, feeds: [input1: Tensor([Float(7)]), input2: Tensor([Float(2)])]).text)

// A list of fetches: all are computed in one run, each operation once.
let three = graph.constant(Float(3))
let two = graph.constant(Float(2))
let five = graph.constant(Float(5))
let sum = add(two, five)
let product = mul(three, sum)
let results = try session.run([product, sum])
print("[" + results.map(\.text).joined(separator: ", ") + "]")
