/// Which vertices run after which others: because of values, control edges, and loops.
///
/// It is made from all vertices that the fetches need, before folding leaves some out. In TensorFlow often only a
/// constant has the control edge, such as the 2 of `v * 2` under `control_dependencies([update])`.
struct Precedence {
    private var followers: [Int: [Int]] = [:]
    /// By the last vertex of a loop, the heads of the loop, which follow it in the next iteration.
    private var heads: [Int: [Int]] = [:]

    /// - Parameters:
    ///   - vertices: all that the fetches need.
    ///   - feeds: values from outside. The vertices that would make them do not count.
    init(_ vertices: [Vertex], feeds: [Node: TensorSpec]) {
        for vertex in vertices {
            let before = vertex.inputs.filter { feeds[$0] == nil }.map(\.vertex.id) + vertex.controls.map(\.id)
            for id in Set(before) { followers[id, default: []].append(vertex.id) }
            if let carried = vertex.loopInput { heads[carried.vertex.id, default: []].append(vertex.id) }
        }
    }

    /// Whether `second` runs after `first`: in the same iteration of a loop, or after the whole loop. (In a later
    /// iteration, each vertex of a loop follows each other. That does not count.)
    func isBefore(_ first: Int, _ second: Int) -> Bool {
        after(first, goesRound: false).contains(second)
            || after(first, goesRound: true).contains(second) && !after(second, goesRound: true).contains(first)
    }

    /// The vertices that run after `vertex`.
    /// - Parameter goesRound: whether later iterations count too. Then `vertex` follows itself if it is in a loop.
    func after(_ vertex: Int, goesRound: Bool) -> Set<Int> {
        func next(_ id: Int) -> [Int] { (followers[id] ?? []) + (goesRound ? heads[id] ?? [] : []) }
        var found: Set<Int> = []
        var stack = next(vertex)
        while let id = stack.popLast() {
            if found.insert(id).inserted { stack += next(id) }
        }
        return found
    }
}
