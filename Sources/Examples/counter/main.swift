import Dataflow
import Display

let graph = Graph()
let state = graph.variable(0.0, name: "counter")
let update = state.assign(state + 1)

let session = try Session(graph)

// A Variable has no value before its initialiser has run; reading it is an error.
do {
    print(try session.run(state).text)
} catch {
    print("error: \(error)")
}

try session.execute(graph.globalVariablesInitializer())
print(try session.run(state).text)
for _ in 1...3 {
    try session.execute(update)
    print(try session.run(state).text)
}
