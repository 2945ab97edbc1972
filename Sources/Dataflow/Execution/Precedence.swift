/// Which vertices run after which: by values, by control edges, and round loops.
///
/// It is made from all that the fetches need, before known values are taken out: TensorFlow often hangs a control edge on a
/// constant alone, such as the 2 of `v * 2` under `control_dependencies([update])`.
struct Precedence {
    private var followers: [Int: [Int]] = [:]
    /// The heads of loops that follow the vertices at their ends.
    private var heads: [Int: [Int]] = [:]

    /// - Parameters:
    ///   - vertices: all that the fetches need.
    ///   - feeds: values that come from outside; what makes them does not count.
    init(_ vertices: [Vertex], feeds: [Node: TensorSpec]) {
        for vertex in vertices {
            let before = vertex.inputs.filter { feeds[$0] == nil }.map(\.vertex.id) + vertex.controls.map(\.id)
            for id in Set(before) { followers[id, default: []].append(vertex.id) }
            if let carried = vertex.loopInput { heads[carried.vertex.id, default: []].append(vertex.id) }
        }
    }

    /// Whether each run of `second` comes after a run of `first` in the same iteration, or after all runs of it. In a loop
    /// each follows the other in some later iteration: what counts is who is first within one iteration.
    func isBefore(_ first: Int, _ second: Int) -> Bool {
        after(first, goesRound: false).contains(second)
            || after(first, goesRound: true).contains(second) && !after(second, goesRound: true).contains(first)
    }

    /// The vertices that run after `vertex`.
    /// - Parameter goesRound: whether in later iterations, too; then itself among them, if a loop leads back to it.
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
