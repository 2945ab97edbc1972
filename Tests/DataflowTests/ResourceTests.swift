import Dataflow
import OperationCoverage
import Testing

/// Variables by handles, and updates of some of their rows.
@Suite("Variables by handles", .exercises(.handles))
struct ResourceTests {
    private struct Handle {
        let graph: Graph
        let node: Node
        let value: Node
        let initializer: Node

        init(_ g: Graph, _ initial: Tensor, name: String) {
            graph = g
            let attributes: Attributes = ["dtype": .type(initial.dtype), "shape": .shape(initial.shape)]
            node = g.add(VarHandleOp.self, [], attributes, name: name).node
            value = g.add(ReadVariableOp.self, [node], ["dtype": .type(initial.dtype)]).node
            initializer = g.add(AssignVariableOp.self, [node, g.constant(initial)]).node
        }
    }

    @Test("a handle's Variable is told its shape, and reading it before it is initialised is an error")
    func states() throws {
        let g = Graph()
        let v = Handle(g, Tensor([[1.0, 2], [3, 4]]), name: "v")
        let extents = g.add(VariableShape.self, [v.node]).node
        let isReady = g.add(VarIsInitializedOp.self, [v.node]).node
        let session = try Session(g)
        #expect(try session.run([extents, isReady]).map { try $0.doubles } == [[2, 2], [0]])
        let error = #expect(throws: GraphError.self) { try session.run(v.value) }
        #expect(error?.description.contains("'v' is not initialised") == true)
        try session.execute(v.initializer)
        #expect(try session.run([isReady, v.value]).map { try $0.doubles } == [[1], [1, 2, 3, 4]])
    }

    @Test("what turns copies off changes nothing")
    func copyOnRead() throws {
        let g = Graph()
        let v = Handle(g, Tensor(2.0), name: "v")
        let session = try Session(g)
        try session.execute(v.initializer)
        try session.execute(g.add(DisableCopyOnRead.self, [v.node]).node)
        #expect(try session.run(v.value).doubles == [2])
    }

    /// A change of [[1, 2], [3, 4]], by references and by handles.
    struct Change: Sendable, CustomTestStringConvertible {
        let reference: any Operation.Type
        let handle: any Operation.Type
        let inputs: @Sendable (Graph) -> [Node]
        let expected: [Double]
        var testDescription: String { reference.name }

        static func element(
            _ reference: any Operation.Type, _ handle: any Operation.Type, _ expected: [Double]
        ) -> Change {
            Change(
                reference: reference, handle: handle,
                inputs: { g in
                    [g.constant([[Int32(0), 1], [1, 0]]), g.constant([-1.0, 5], dtype: .float64)]
                }, expected: expected)
        }
    }

    @Test(
        "elements, rows and slices change as told",
        arguments: [
            .element(ScatterNdUpdate.self, ResourceScatterNdUpdate.self, [1, -1, 5, 4]),
            .element(ScatterNdAdd.self, ResourceScatterNdAdd.self, [1, 1, 8, 4]),
            .element(ScatterNdSub.self, ResourceScatterNdSub.self, [1, 3, -2, 4]),
            .element(ScatterNdMin.self, ResourceScatterNdMin.self, [1, -1, 3, 4]),
            .element(ScatterNdMax.self, ResourceScatterNdMax.self, [1, 2, 5, 4]),
            Change(
                reference: ScatterDiv.self, handle: ResourceScatterDiv.self,
                inputs: { g in [g.constant([Int32(1)]), g.constant([[2.0, 4]], dtype: .float64)] },
                expected: [1, 2, 1.5, 1]),
            Change(
                reference: StridedSliceAssign.self, handle: ResourceStridedSliceAssign.self,
                inputs: { g in
                    [
                        g.constant([Int32(0), 1]), g.constant([Int32(2), 2]), g.constant([Int32(1), 1]),
                        g.constant([[7.0], [8]], dtype: .float64),
                    ]
                }, expected: [1, 7, 3, 8]),
        ] as [Change])
    func changes(change: Change) throws {
        let g = Graph()
        let start = Tensor([[1.0, 2], [3, 4]], dtype: .float64)
        let (variable, handle) = (g.variable(start), Handle(g, start, name: "h"))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer(), handle.initializer)
        try session.execute(g.add(change.reference, [variable.reference] + change.inputs(g)).node)
        try session.execute(g.add(change.handle, [handle.node] + change.inputs(g)).node)
        #expect(try session.value(of: variable).doubles == change.expected)
        #expect(try session.run(handle.value).doubles == change.expected)
    }

    @Test("scattered changes", arguments: ["Min", "Max", "Mul"])
    func scatter(kind: String) throws {
        let g = Graph()
        let start = Tensor([[2.0, 5], [3, 4]], dtype: .float64)
        let (reference, handle) = (g.variable(start), Handle(g, start, name: "h"))
        let operations: [String: (any Operation.Type, any Operation.Type, [Double])] = [
            "Min": (ScatterMin.self, ResourceScatterMin.self, [2, 5, 1, 1]),
            "Max": (ScatterMax.self, ResourceScatterMax.self, [2, 5, 3, 6]),
            "Mul": (ScatterMul.self, ResourceScatterMul.self, [2, 5, 3, 24]),
        ]
        let (plain, twin, expected) = try #require(operations[kind])
        let (indices, updates) = (g.constant([Int32(1)]), g.constant([[1.0, kind == "Min" ? 1 : 6]], dtype: .float64))
        let changed = g.add(plain, [reference.reference, indices, updates]).node
        let change = g.add(twin, [handle.node, indices, updates]).node
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer(), handle.initializer)
        #expect(try session.run(changed).doubles == expected)
        try session.execute(change)
        #expect(try session.run(handle.value).doubles == expected)
        let beyond = g.add(plain, [reference.reference, g.constant([Int32(2)]), updates]).node
        let error = #expect(throws: GraphError.self) { try session.run(beyond) }
        #expect(error?.description.contains("indices[0] = 2 is not in [0, 2)") == true)
    }

    @Test("an update of rows does what the update of all does, for those rows and in both spellings")
    func rows() throws {
        let g = Graph()
        let (w, a) = (Tensor([[1.0, 2], [3, 4], [5, 6]], dtype: .float64), Tensor(repeating: 0.5, sized: [3, 2]))
        let (dense, slot) = (g.variable(w), g.variable(a))
        let (sparse, sparseSlot) = (g.variable(w), g.variable(a))
        let (handle, handleSlot) = (Handle(g, w, name: "w"), Handle(g, a, name: "a"))
        let (all, allSlot) = (Handle(g, w, name: "all"), Handle(g, a, name: "all_slot"))
        let scalars = [g.constant(0.1, dtype: .float64), g.constant(1e-3, dtype: .float64)]
        let rows = g.constant([[1.0, -2], [0.5, 3]], dtype: .float64)
        let whole = g.constant([[0.5, 3], [0, 0], [1, -2]], dtype: .float64)
        let indices = g.constant([Int32(2), 0])
        let updates = [
            g.add(ApplyAdagradV2.self, [dense.reference, slot.reference] + scalars + [whole]).node,
            g.add(SparseApplyAdagradV2.self, [sparse.reference, sparseSlot.reference] + scalars + [rows, indices]).node,
            g.add(ResourceSparseApplyAdagradV2.self, [handle.node, handleSlot.node] + scalars + [rows, indices]).node,
            g.add(ResourceApplyAdagradV2.self, [all.node, allSlot.node] + scalars + [whole]).node,
        ]
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        for handle in [handle, handleSlot, all, allSlot] { try session.execute(handle.initializer) }
        for update in updates { try session.execute(update) }
        let expected = try session.value(of: dense)
        #expect(try expected.doubles != w.doubles)
        #expect(try session.value(of: sparse) == expected)
        #expect(try session.run([handle.value, all.value]) == [expected, expected])
        let wrong = g.add(SparseApplyAdagradV2.self, [sparse.reference, slot.reference] + scalars + [whole, indices])
        let error = #expect(throws: GraphError.self) { try Session(g).run(wrong.node) }
        #expect(error?.description.contains("must have a row for each index, [2, 2], got the shape [3, 2]") == true)
    }

    @Test("Keras's momentum", arguments: [false, true])
    func kerasMomentum(nesterov: Bool) throws {
        let g = Graph()
        let (w, m) = (
            Handle(g, Tensor([1.0, 2], dtype: .float64), name: "w"),
            Handle(g, Tensor([0.5, 0], dtype: .float64), name: "m")
        )
        let step = g.add(
            ResourceApplyKerasMomentum.self,
            [
                w.node, m.node, g.constant(0.1, dtype: .float64), g.constant([1.0, -1], dtype: .float64),
                g.constant(0.9, dtype: .float64),
            ],
            ["use_nesterov": .bool(nesterov)]
        ).node
        let session = try Session(g)
        try session.execute(w.initializer, m.initializer)
        try session.execute(step)
        // m = 0.9 m − 0.1 g; w += m, or with Nesterov w += 0.9 m − 0.1 g.
        let momentum = [0.35, 0.1]
        let moved = nesterov ? [1 + 0.9 * 0.35 - 0.1, 2 + 0.9 * 0.1 + 0.1] : [1.35, 2.1]
        for (got, expected) in zip(try session.run([m.value, w.value]).map { try $0.doubles }, [momentum, moved]) {
            #expect(zip(got, expected).allSatisfy { abs($0 - $1) < 1e-12 })
        }
    }

    @Test("who waits for a write sees it, who does not sees what was before")
    func order() throws {
        let g = Graph()
        let v = g.variable(Tensor(1.0, dtype: .float64))
        let read = v.value
        let before = read * 10
        let write = v.assign(read + 1)
        let after = g.controlDependencies([write]) { read * 100 }
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run([before, after]).map { try $0.doubles } == [[10], [200]])
        let handle = Handle(g, Tensor(1.0, dtype: .float64), name: "h")
        let assigned = g.add(AssignVariableOp.self, [handle.node, handle.value + 1]).node
        // The value of a handle is that of the moment when it was read.
        let later = g.controlDependencies([assigned]) { handle.value * 100 }
        try session.execute(handle.initializer)
        #expect(try session.run(later).doubles == [100])
    }
}
