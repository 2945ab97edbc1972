import Dataflow
import Display

// A graph only says what is to be computed, and here also where: on the first CPU.
let graph = Graph()
let product = graph.device("/cpu:0") {
    let row = graph.constant([[Float(3), 3]])
    let column = graph.constant([[Float(2)], [2]])
    return matmul(row, column)
}

// A session computes it: 3·2 + 3·2.
let session = try Session(graph)
print(try session.run(product).text)
