package import Dataflow

extension TrainingCut {
    /// Writes that depend on examples and belong together: mostly an optimizer's step on one Variable, a single vertex.
    package struct Write: Sendable {
        /// What servers run, in the graph's order: the writes, and what lies between them.
        package let members: [Vertex]
        /// The `VariableV2` or `VarHandleOp` vertices that are overwritten: first those that workers read, then slots.
        package let variables: [Vertex]
        /// The Variables that workers get: those that they read, or the first one.
        package let readable: [Vertex]
        /// What workers compute and push.
        package let pushed: [Int: Node]
        /// The rows among what is pushed.
        let rows: [RowUpdate]
        /// Ids of the members that run only if a predicate says so.
        let conditional: Set<Int>
        /// What `pushed` stands for in the graph, where it is pushed as it is.
        let plain: [Node: Int]
        /// How what several workers push is put together, by key; the mean, where nothing is said.
        let weightings: [Int: WireServerProgram.Weighting]
        /// The shape of what is pushed.
        private let shapes: [Int: Shape]
        /// How the Variable may be cut.
        private(set) var division = Division.nowhere

        enum Division { case anywhere, betweenRows, nowhere }

        package var variable: Vertex { variables[0] }

        /// Elements of a row of the Variable.
        var rowWidth: Int { variable.variableSpec!.shape.elementCount.map { max($0 / rowCount, 1) } ?? 1 }
        private var rowCount: Int { max((variable.variableSpec!.shape.dimensions?.first ?? 1) ?? 1, 1) }

        /// - Parameters:
        ///   - isMean: whether servers put together what several workers push of one step.
        ///   - lossIsSum: the loss is a sum over the examples, and so are its gradients.
        init(
            _ members: [Vertex], _ frontier: Frontier, _ order: WriteOrder, _ batchShapes: BatchShapes,
            _ reductions: Reductions, conditional: Set<Int>, isMean: Bool, lossIsSum: Bool
        ) throws {
            self.members = members
            self.conditional = conditional.intersection(members.map(\.id))
            let writers = members.filter { order.variables[$0.id] != nil }
            var seen: Set<Int> = []
            let written = writers.flatMap { order.variables[$0.id] ?? [] }.filter { seen.insert($0.id).inserted }
            let read = written.filter { frontier.readByWorkers.contains($0.id) }
            variables = read + written.filter { !frontier.readByWorkers.contains($0.id) }
            readable = read.isEmpty ? Array(written.prefix(1)) : read
            guard let first = variables.first, variables.allSatisfy({ $0.variableSpec != nil }) else {
                throw GraphError("it writes no Variable of the graph", node: writers.first?.name ?? members[0].name)
            }
            if let text = variables.first(where: { $0.variableSpec?.dtype == .string }) {
                throw GraphError(
                    "'\(text.name)' is a Variable of texts, which servers do not keep", node: first.name)
            }
            if let open = readable.first(where: { $0.variableSpec?.shape.isFullyDefined != true }) {
                throw GraphError("servers keep only Variables whose shape is known, not '\(open.name)'")
            }
            var pushed: [Int: Node] = [:]
            var shapes: [Int: Shape] = [:]
            var rows: [RowUpdate] = []
            for writer in writers {
                guard let place = RowUpdate.inputs(of: writer) else { continue }
                let inputs = [writer.inputs[place.values], writer.inputs[place.indices]]
                guard let (values, indices) = frontier.rows[writer.id] else {
                    guard !inputs.contains(where: { frontier.dependent.contains($0.vertex.id) }) else {
                        throw GraphError(
                            "servers cannot update rows that depend on another write", node: writer.name)
                    }
                    continue
                }
                let row = try RowUpdate.add(writer, values, indices, to: &rows, &pushed)
                if let own = writer.inputs[0].variable?.variableSpec?.shape {
                    shapes[row.dense] = own
                    shapes[row.count] = [row.extent]
                }
            }
            let replaced = Set(rows.flatMap { [$0.values, $0.indices] })
            var plain: [Node: Int] = [:]
            var weightings: [Int: WireServerProgram.Weighting] = [:]
            if lossIsSum { for key in pushed.keys { weightings[key] = .sum } }
            for vertex in members {
                for node in vertex.inputs
                where frontier.isPushed(node) && !replaced.contains(node) && plain[node] == nil {
                    let key = pushed.count
                    shapes[key] = try Write.shape(of: node, for: vertex, batchShapes)
                    weightings[key] = try Write.weighting(
                        of: node, for: vertex, frontier, reductions, isMean: isMean, lossIsSum: lossIsSum,
                        isState: read.isEmpty)
                    plain[node] = key
                    pushed[key] = node
                }
            }
            self.rows = rows
            self.plain = plain
            self.weightings = weightings
            self.pushed = pushed
            self.shapes = shapes
            division = possibleDivision(frontier)
        }

        /// How servers put together what workers push of a node.
        ///
        /// - Parameter isState: the loss reads none of what it goes into: a count, or an average of losses.
        private static func weighting(
            of node: Node, for vertex: Vertex, _ frontier: Frontier, _ reductions: Reductions, isMean: Bool,
            lossIsSum: Bool, isState: Bool
        ) throws -> WireServerProgram.Weighting {
            guard isMean else { return .mean }
            switch reductions.reduction(of: node) {
            // A gradient may be a sum, too, of numbers that are divided by the number of examples.
            case .sum where isState && node.dtype.isFloating || [.int32, .int64].contains(node.dtype): return .sum
            case .constant where !node.dtype.isFloating: return .mean
            case _ where !node.dtype.isFloating:
                throw GraphError(
                    "synchronous steps take the mean of what the workers compute of their parts of a batch, and "
                        + "'\(node.name)' is \(node.dtype); train with consistency async", node: vertex.name)
            case .mean: return .mean
            default: return lossIsSum ? .sum : frontier.isSumOfSquares(node) ? .squares : .mean
            }
        }

        /// The shape of a pushed node, which must be the same for any number of examples.
        private static func shape(of node: Node, for vertex: Vertex, _ shapes: BatchShapes) throws -> Shape {
            let shape = shapes.shape(node)
            if shape.isFullyDefined { return shape }
            let operation = vertex.operation
            // What an update takes for a whole Variable has its shape.
            let isWhole =
                operation is any ElementwiseUpdate.Type || operation == Assign.self
                || operation == AssignVariableOp.self
            if isWhole, let own = vertex.inputs[0].variable?.variableSpec?.shape, own.isFullyDefined,
                shape.isCompatible(with: own), shape.rank != 0, own.rank != 0
            {
                return own
            }
            if !operation.writes.isEmpty {
                throw GraphError(
                    "servers do not run \(operation.name) with what each example brings; they take updates of whole "
                        + "Variables, SparseApply…, ScatterAdd and ScatterSub", node: vertex.name)
            }
            throw GraphError(
                "servers cannot compute it: it depends on Variables that are written, and on '\(node.name)', which has "
                    + "another shape for other examples", node: vertex.name)
        }

        /// Each element, or each row, must be updated on its own, and what is pushed for it be of the Variable's shape.
        private func possibleDivision(_ frontier: Frontier) -> Division {
            let spec = variable.variableSpec!
            guard readable.count == 1, variables.allSatisfy({ $0.variableSpec == spec }),
                plain.allSatisfy({ $0.key.dtype == spec.dtype && shapes[$0.value] == spec.shape })
            else { return .nowhere }
            let elementwise: [any Operation.Type] = [
                Assign.self, AssignVariableOp.self, Identity.self, ReadVariableOp.self,
            ]
            let inside = Set(members.map(\.id))
            let own = Set(variables.map(\.id))
            for vertex in members where !frontier.rowwise.contains(vertex.id) {
                guard
                    vertex.operation is any ElementwiseUpdate.Type || vertex.operation is any ElementwiseOperation.Type
                        || RowUpdate.inputs(of: vertex) != nil
                        || elementwise.contains(where: { $0 == vertex.operation })
                else { return .nowhere }
            }
            // Every value is one number, or has one for each element.
            for node in members.flatMap(\.inputs) where !isReplaced(node) {
                if own.contains(node.variable?.id ?? -1) || frontier.rowwise.contains(node.vertex.id) { continue }
                let isOwn = inside.contains(node.vertex.id) && node.shape == spec.shape
                guard node.shape.rank == 0 || isOwn else { return .nowhere }
            }
            return rows.isEmpty ? .anywhere : .betweenRows
        }

        /// What the members take that depends on no example and on none of the Variables: vertices that all blocks share.
        var shared: [Vertex] {
            let own = Set(members.map(\.id) + variables.map(\.id))
            return members.flatMap { vertex in
                vertex.inputs.filter { !own.contains($0.vertex.id) && !isReplaced($0) }.map(\.vertex)
            }
        }

        /// Whether workers push something for the node.
        private func isReplaced(_ node: Node) -> Bool {
            plain[node] != nil || rows.contains { $0.values == node || $0.indices == node }
        }

        /// Whether the key counts how often each row of a Variable was touched.
        private func isCount(_ key: Int) -> Bool { rows.contains { $0.count == key } }

        /// How many bytes of pushed input `key` belong to `count` elements from `offset` on, and where they start in it.
        func extent(of key: Int, offset: Int, count: Int, isWhole: Bool) -> (start: Int, bytes: Int) {
            let size = pushed[key]!.dtype.size
            if isWhole { return (0, (shapes[key]?.elementCount ?? count) * size) }
            return isCount(key) ? (offset / rowWidth * size, count / rowWidth * size) : (offset * size, count * size)
        }

        /// The shape of a block's part of a pushed input.
        func shape(of block: Block, pushed key: Int) -> Shape {
            if block.isWhole, let shape = shapes[key] { return shape }
            return isCount(key)
                ? [block.count / rowWidth] : shape(of: block, variable.variableSpec!.shape)
        }

        /// The shape of a block of a Variable of this shape.
        func shape(of block: Block, _ shape: Shape) -> Shape {
            if block.isWhole { return shape }
            guard division == .betweenRows, let extents = shape.dimensions else { return [block.count] }
            return Shape([block.count / rowWidth] + extents.dropFirst())
        }

        /// The bytes of what workers compute for pushed input `key`.
        func pushedBytes(_ key: Int) -> Int {
            extent(of: key, offset: 0, count: variable.variableSpec!.shape.elementCount ?? 0, isWhole: true).bytes
        }

        /// The most elements of a block: what is pushed for it, and its values, each have `limit` bytes at most.
        func blockElements(limit: Int) -> Int {
            let spec = variable.variableSpec!
            let total = max(spec.shape.elementCount ?? 0, 1)
            switch division {
            case .nowhere: return total
            case .anywhere: return limit / (spec.dtype.size * max(pushed.count, 1))
            case .betweenRows:
                let row = pushed.keys.reduce(0) {
                    $0 + extent(of: $1, offset: 0, count: rowWidth, isWhole: false).bytes
                }
                // Inputs start at multiples of 16.
                return max((limit - 16 * pushed.count) / max(row, rowWidth * spec.dtype.size), 1) * rowWidth
            }
        }
    }
}
