package import Dataflow

extension TrainingCut {
    /// Writes that depend on data and belong together: mostly an optimizer's step on one Variable, a single vertex.
    package struct Write: Sendable {
        /// What servers run, in the graph's order: the writes, and what lies between them.
        package let members: [Vertex]
        /// The `VariableV2` or `VarHandleOp` vertices that are overwritten: the Variable that workers read, then its slots.
        package let variables: [Vertex]
        /// What workers compute and push.
        package let pushed: [Int: Node]
        /// The rows among what is pushed.
        let rows: [RowUpdate]
        /// What `pushed` stands for in the graph, where it is pushed as it is.
        let plain: [Node: Int]
        /// How the Variable may be cut.
        private(set) var division = Division.nowhere

        enum Division { case anywhere, betweenRows, nowhere }

        package var variable: Vertex { variables[0] }

        /// Elements of a row of the Variable.
        var rowWidth: Int { variable.variableSpec!.shape.elementCount.map { max($0 / rowCount, 1) } ?? 1 }
        private var rowCount: Int { max((variable.variableSpec!.shape.dimensions?.first ?? 1) ?? 1, 1) }

        /// nil for writes that depend on no data and that workers don't need the result of.
        init?(_ members: [Vertex], dependsOnData: Set<Int>, readByWorkers: Set<Int>) throws {
            self.members = members
            let writers = members.filter { !$0.operation.writes.isEmpty }
            var seen: Set<Int> = []
            var variables = try writers.flatMap { try TrainingCut.written(by: $0) }
                .filter { seen.insert($0.id).inserted }
            let inside = Set(members.map(\.id))
            func isPushed(_ node: Node) -> Bool {
                dependsOnData.contains(node.vertex.id) && !inside.contains(node.vertex.id)
                    && TrainingCut.reference(node) == nil
            }
            let read = variables.filter { readByWorkers.contains($0.id) }
            var inputs = members.flatMap(\.inputs).filter(isPushed)
            if inputs.isEmpty, !read.isEmpty {
                inputs = writers.flatMap(\.inputs).filter {
                    TrainingCut.reference($0) == nil && !inside.contains($0.vertex.id)
                }
            }
            if inputs.isEmpty { return nil }
            guard read.count <= 1 else {
                throw GraphError(
                    "the Variables \(read.map { "'\($0.name)'" }.joined(separator: ", ")) are written together, and the loss "
                        + "depends on more than one of them; servers can do one", node: writers[0].name)
            }
            if let first = read.first {
                variables.removeAll { $0 === first }
                variables.insert(first, at: 0)
            }
            if let text = variables.first(where: { $0.variableSpec?.dtype == .string }) {
                throw GraphError(
                    "'\(text.name)' is a Variable of texts, which servers do not keep", node: writers[0].name)
            }
            self.variables = variables
            for writer in writers { try Write.check(writer) }
            var pushed: [Int: Node] = [:]
            var rows: [RowUpdate] = []
            for writer in writers {
                guard let (values, indices) = RowUpdate.inputs(of: writer),
                    isPushed(writer.inputs[values]) || isPushed(writer.inputs[indices])
                else { continue }
                guard !inside.contains(writer.inputs[values].vertex.id),
                    !inside.contains(writer.inputs[indices].vertex.id)
                else {
                    throw GraphError("servers cannot update rows that depend on another write", node: writer.name)
                }
                try RowUpdate.add(writer, writer.inputs[values], writer.inputs[indices], to: &rows, &pushed)
            }
            let replaced = Set(rows.flatMap { [$0.values, $0.indices] })
            var plain: [Node: Int] = [:]
            for node in inputs where !replaced.contains(node) && plain[node] == nil {
                plain[node] = pushed.count
                pushed[pushed.count] = node
            }
            self.rows = rows
            self.plain = plain
            self.pushed = pushed
            division = possibleDivision
        }

        private static func check(_ writer: Vertex) throws {
            let operation = writer.operation
            guard
                operation is any ElementwiseUpdate.Type || operation == Assign.self
                    || operation == AssignVariableOp.self || RowUpdate.inputs(of: writer) != nil
            else {
                throw GraphError(
                    "servers do not run \(operation.name); they take updates of whole Variables, SparseApply…, ScatterAdd "
                        + "and ScatterSub", node: writer.name)
            }
        }

        /// Each element, or each row, must be updated on its own, and what is pushed for it be of the Variable's shape.
        private var possibleDivision: Division {
            let spec = variable.variableSpec!
            let isUniform =
                variables.allSatisfy { $0.variableSpec == spec }
                && plain.keys.allSatisfy { $0.dtype == spec.dtype && $0.shape.isCompatible(with: spec.shape) }
            let elementwise: [any Operation.Type] = [
                Assign.self, AssignVariableOp.self, Identity.self, ReadVariableOp.self,
            ]
            let isElementwise = runs.allSatisfy { vertex in
                vertex.operation is any ElementwiseUpdate.Type || vertex.operation is any ElementwiseOperation.Type
                    || RowUpdate.inputs(of: vertex) != nil || elementwise.contains { $0 == vertex.operation }
            }
            // Between the writes every value is one number, or has one for each element.
            let between = runs.filter { $0.operation.writes.isEmpty }.flatMap(\.inputs)
            let isAlike = between.allSatisfy { node in
                node.shape.rank == 0 || node.shape == spec.shape || TrainingCut.reference(node) != nil
            }
            guard isUniform, isElementwise, isAlike else { return .nowhere }
            return rows.isEmpty ? .anywhere : .betweenRows
        }

        /// The members, and what depends on the Variables alone, such as a decay of theirs; in the graph's order.
        var runs: [Vertex] {
            let inside = Set(members.map(\.id))
            let own = Set(variables.map(\.id))
            let inputs = Set(members.flatMap(\.inputs).filter(isReplaced))
            var result: [Vertex] = []
            var following: Set<Int> = []
            for vertex in TrainingCut.ancestors(of: members, controls: false, stop: inputs)
            where !vertex.operation.isVariable {
                let follows = vertex.inputs.contains { input in
                    following.contains(input.vertex.id)
                        || (TrainingCut.reference(input).map { own.contains($0.id) } ?? false)
                }
                guard inside.contains(vertex.id) || follows else { continue }
                following.insert(vertex.id)
                result.append(vertex)
            }
            return result
        }

        /// What the members take that depends on no data and on none of the Variables: vertices that all blocks share.
        var shared: [Vertex] {
            let runs = self.runs
            let own = Set(runs.map(\.id) + variables.map(\.id))
            return runs.flatMap(\.inputs).filter { !own.contains($0.vertex.id) && !isReplaced($0) }.map(\.vertex)
        }

        /// Whether workers push something for the node.
        private func isReplaced(_ node: Node) -> Bool {
            plain[node] != nil || rows.contains { $0.values == node || $0.indices == node }
        }

        /// How many bytes of pushed input `key` belong to `count` elements from `offset` on, and where they start in it.
        func extent(of key: Int, offset: Int, count: Int, isWhole: Bool) -> (start: Int, bytes: Int) {
            let node = pushed[key]!
            let size = node.dtype.size
            if rows.contains(where: { $0.count == key }) {
                return (offset / rowWidth * size, count / rowWidth * size)
            }
            return isWhole ? (0, (node.shape.elementCount ?? count) * size) : (offset * size, count * size)
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
