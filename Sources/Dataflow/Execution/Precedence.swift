/// Which vertices run after which: by values, by control edges, and round loops.
///
/// It is made from all that the fetches need, before known values are taken out: TensorFlow often hangs a control edge on a
/// constant alone, such as the 2 of `v * 2` under `control_dependencies([update])`.
struct Precedence {
    private var followers: [Int: [Int]] = [:]

    /// - Parameters:
    ///   - vertices: all that the fetches need.
    ///   - feeds: values that come from outside; what makes them does not count.
    init(_ vertices: [Vertex], feeds: [Node: TensorSpec]) {
        for vertex in vertices {
            var sources = vertex.inputs
            if let carried = vertex.loopInput { sources.append(carried) }
            let before = sources.filter { feeds[$0] == nil }.map(\.vertex.id) + vertex.controls.map(\.id)
            for id in Set(before) { followers[id, default: []].append(vertex.id) }
        }
    }

    /// The vertices that run after `vertex`; itself among them if a loop leads back to it.
    func after(_ vertex: Int) -> Set<Int> {
        var found: Set<Int> = []
        var stack = followers[vertex] ?? []
        while let next = stack.popLast() {
            if found.insert(next).inserted { stack += followers[next] ?? [] }
        }
        return found
    }
}
