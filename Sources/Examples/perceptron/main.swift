// A neuron in plain Swift: no graph, no session.

struct Perceptron {
    var weights: [Double]
    var bias = 0.0

    init(inputs: Int) { weights = [Double](repeating: 0, count: inputs) }

    /// 1 if the weighted sum of the inputs and the bias is above 0.
    func predict(_ inputs: [Double]) -> Double {
        zip(inputs, weights).map { $0 * $1 }.reduce(bias, +) > 0 ? 1 : 0
    }

    /// Rosenblatt's rule: each weight moves by rate · error · its input.
    mutating func train(_ cases: [[Double]], _ labels: [Double], epochs: Int, rate: Double) {
        for _ in 0..<epochs {
            for (inputs, label) in zip(cases, labels) {
                let step = rate * (label - predict(inputs))
                weights = zip(weights, inputs).map { $0 + step * $1 }
                bias += step
            }
        }
    }
}

let cases: [[Double]] = [[1, 1], [0, 0], [1, 0], [0, 1]]
var and = Perceptron(inputs: 2)
and.train(cases, [1, 0, 0, 0], epochs: 10, rate: 0.1)

print("weights: \(and.weights)")
print("bias: \(and.bias)")
for inputs in cases { print("\(Int(inputs[0])) and \(Int(inputs[1])) = \(Int(and.predict(inputs)))") }
