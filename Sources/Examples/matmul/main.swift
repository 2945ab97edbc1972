import Dataflow
import Display

// A graph only says what is to be computed, and here also where: on the first CPU.
let graph = Graph()
let product = graph.device("/cpu:0") {
    let row = graph.constant([[3.0, 3.0]])
    let column = graph.constant([[2.0], [2.0]])
    return matmul(row, column)
}

// A session computes it: 3·2 + 3·2.
let session = try Session(graph)
print(try session.run(product).text)
