import Display

// `xor --outputs 2` is the same network with two outputs for one column of labels.
let outputs = option("outputs", of: ["outputs"]).flatMap(Int.init) ?? 1

let cases: [[Float]] = [[0, 0], [0, 1], [1, 0], [1, 1]]
let labels: [[Float]] = [[0], [1], [1], [0]]

let network = BPNeuralNetwork(ni: 2, nh: 10, no: outputs)
let loss = try network.train(cases, labels, limit: 2000, learnRate: 0.05)
print("loss \(loss)")
print(try network.predict(cases).text)
