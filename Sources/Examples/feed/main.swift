import Dataflow
import Display

// Placeholders get their values with each run.
let graph = Graph()
let input1 = graph.placeholder(.float32, name: "input1")
let input2 = graph.placeholder(.float32, name: "input2")
let output = mul(input1, input2)
let session = try Session(graph)
print(try session.run(output, feeds: [input1: [7], input2: [2]]).text)

// A list of fetches: all are computed in one run, each operation once.
let three = graph.constant(3.0)
let two = graph.constant(2.0)
let five = graph.constant(5.0)
let sum = add(two, five)
let product = mul(three, sum)
let results = try session.run([product, sum])
print("[" + results.map(\.text).joined(separator: ", ") + "]")
