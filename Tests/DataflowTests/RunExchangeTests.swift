import Dataflow
import Testing

@Suite("Exchanging values while a run goes on")
struct RunExchangeTests {
    /// Two dense layers; gradients of the last are made first.
    private struct Network {
        let graph = Graph(seed: 1)
        let x: Node
        let weights: [Variable]
        let loss: Node
        let gradients: [Node]

        init() throws {
            x = graph.placeholder(.float32, [2, 3])
            weights = [
                graph.variable(Tensor(repeating: Float(0.5), sized: [3, 4]), name: "first"),
                graph.variable(Tensor(repeating: Float(0.25), sized: [4, 2]), name: "last"),
            ]
            loss = mean(square(matmul(relu(matmul(x, weights[0])), weights[1])))
            gradients = graph.gradients(of: loss, by: weights).compactMap { $0 }
        }

        let batch = Tensor([[1.0, 2, 3], [4, 5, 6]])
    }

    private final class Diary {
        var lines: [String] = []
    }

    @Test("values are asked for in the order of the forward pass, gradients given in that of the backward pass")
    func order() throws {
        let network = try Network()
        let session = try Session(network.graph, options: SessionOptions(threads: 1))
        try session.execute(network.graph.globalVariablesInitializer())
        let expected = try session.run(network.gradients, feeds: [network.x: network.batch])
        let destinations = network.gradients.map { Tensor.zeros($0.dtype, sized: $0.shape) }
        let diary = Diary()
        let exchange = RunExchange(
            groups: zip(network.gradients, network.weights).map {
                .init(fetches: [$0], variables: [$1.reference.vertex])
            }, destinations: Dictionary(uniqueKeysWithValues: zip(network.gradients, destinations)),
            willUse: { diary.lines.append("read \($0)") },
            isFinal: { group in
                diary.lines.append("final \(group)")
                // Final means that the destination has the value already.
                #expect(destinations[group] == expected[group])
            })
        for _ in 0..<2 {
            diary.lines = []
            let values = try session.run(
                network.gradients + [network.loss], feeds: [network.x: network.batch], exchange: exchange)
            #expect(diary.lines == ["read 0", "read 1", "final 1", "final 0"])
            #expect(Array(values.prefix(2)) == expected)
        }
    }

    @Test("a Variable may be written anew as soon as its group is final: no later step reads it")
    func overwriting() throws {
        let network = try Network()
        let session = try Session(network.graph, options: SessionOptions(threads: 1))
        try session.execute(network.graph.globalVariablesInitializer())
        let expected = try session.run(network.gradients, feeds: [network.x: network.batch])
        let memory = network.weights.map { weight in Tensor(repeating: Float(0), sized: weight.shape) }
        for (weight, tensor) in zip(network.weights, memory) {
            try session.bind(weight.reference.vertex, to: tensor.storage)
        }
        func fill(_ group: Int, _ value: Float) {
            memory[group].storage.pointer.withMemoryRebound(to: Float.self, capacity: memory[group].elementCount) {
                $0.update(repeating: value, count: memory[group].elementCount)
            }
        }
        let exchange = RunExchange(
            groups: zip(network.gradients, network.weights).map {
                .init(fetches: [$0], variables: [$1.reference.vertex])
            }, destinations: [:], willUse: { fill($0, $0 == 0 ? 0.5 : 0.25) }, isFinal: { fill($0, .nan) })
        let values = try session.run(network.gradients, feeds: [network.x: network.batch], exchange: exchange)
        #expect(values == expected)
        #expect(try memory.allSatisfy { try $0.doubles[0].isNaN })
    }

    @Test("a group that has its values is told of only before its gradients are made")
    func groupsWithValues() throws {
        let network = try Network()
        let session = try Session(network.graph, options: SessionOptions(threads: 1))
        try session.execute(network.graph.globalVariablesInitializer())
        let destinations = network.gradients.map { Tensor.zeros($0.dtype, sized: $0.shape) }
        let expected = try session.run(network.gradients, feeds: [network.x: network.batch])
        let diary = Diary()
        let exchange = RunExchange(
            groups: zip(network.gradients, network.weights).map {
                .init(fetches: [$0], variables: [$1.reference.vertex], hasValues: true)
            }, destinations: Dictionary(uniqueKeysWithValues: zip(network.gradients, destinations)),
            willUse: { group in
                diary.lines.append("use \(group)")
                // Nothing of it has been made.
                #expect(try destinations[group].doubles.allSatisfy { $0 == 0 })
            }, isFinal: { diary.lines.append("final \($0)") })
        let values = try session.run(network.gradients, feeds: [network.x: network.batch], exchange: exchange)
        #expect(values == expected)
        #expect(diary.lines == ["use 1", "final 1", "use 0", "final 0"])
    }

    @Test("a fetch that is another value's memory reaches its destination at the end")
    func sharedFetch() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [2])
        let w = g.variable(Tensor([Float(1), 2]), name: "w")
        let read = identity(w)
        let fed = identity(x)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let destinations = [read: Tensor([Float(0), 0]), fed: Tensor([Float(0), 0])]
        let diary = Diary()
        let exchange = RunExchange(
            groups: [.init(fetches: [read, fed], variables: [w.reference.vertex])], destinations: destinations,
            willUse: { _ in
                diary.lines.append("use")
                #expect(try destinations.values.allSatisfy { try $0.doubles == [0, 0] })
            }, isFinal: { diary.lines.append("final \($0)") })
        _ = try session.run([read, fed], feeds: [x: Tensor([Float(3), 4])], exchange: exchange)
        #expect(try destinations[read]?.doubles == [1, 2] && destinations[fed]?.doubles == [3, 4])
        #expect(diary.lines.last == "final 0" && diary.lines.dropLast().contains("use"))
    }

    @Test("an error in the exchange ends the run, and the session goes on with the next")
    func failure() throws {
        struct Broken: Error {}
        let network = try Network()
        let session = try Session(network.graph, options: SessionOptions(threads: 1))
        try session.execute(network.graph.globalVariablesInitializer())
        let exchange = RunExchange(
            groups: [.init(fetches: [], variables: [network.weights[1].reference.vertex])], destinations: [:],
            willUse: { _ in throw Broken() }, isFinal: { _ in })
        #expect(throws: Broken.self) {
            try session.run(network.gradients, feeds: [network.x: network.batch], exchange: exchange)
        }
        #expect(try session.run(network.loss, feeds: [network.x: network.batch]).doubles[0] > 0)
    }
}
