import Display

// `dynamic-bpnn --hidden 8,8,4 --steps 3000`: any hidden layers, by their widths.
let names = ["hidden", "steps", "rate", "seed"]
let hidden = (option("hidden", of: names) ?? "10,5").split(separator: ",").compactMap { Int($0) }
let steps = option("steps", of: names).flatMap(Int.init) ?? 2000
let rate = option("rate", of: names).flatMap(Double.init) ?? 0.05

// Small networks of ReLUs may die, each unit at 0 for all cases: then another seed helps.
let seed = option("seed", of: names).flatMap(Int.init) ?? 2

let cases: [[Float]] = [[0, 0], [0, 1], [1, 0], [1, 1]]
let labels: [[Float]] = [[0], [1], [1], [0]]

let network = BPNeuralNetwork()
network.setup(ni: 2, nh: hidden, no: 1, seed: seed)
let loss = try network.train(cases, labels, limit: steps, learnRate: rate)
print("layers " + ([2] + hidden + [1]).map { "\($0)" }.joined(separator: "-"))
print("loss \(loss)")
print(try network.predict(cases).text)
