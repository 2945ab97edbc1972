import Dataflow
import Testing

@Suite("Arithmetic on tensors")
struct TensorArithmeticTests {
    private let a = Tensor([[1.0, 2], [3, 4]])

    @Test("operators broadcast, and numbers take the tensor's dtype")
    func operators() throws {
        let (half, k) = (0.5, 2)
        #expect(try a + a == Tensor([[2.0, 4], [6, 8]]) && a - a == a * 0 && -a == 0 - a)
        #expect(try a * half == Tensor([[0.5, 1], [1.5, 2]]) && a / k == a * half && k * a == a + a)
        #expect(try a + [10, 20] == Tensor([[11.0, 22], [13, 24]]) && 1 / a * a == Tensor([[1.0, 1], [1, 1]]))
        // Of literals a quotient is no division of Ints.
        #expect(try a * (1 / 2) == a * half)
        #expect(try 1 / 2 * a == a * half)
        #expect(try (a + Tensor([[1.0], [2]])) == Tensor([[2.0, 3], [5, 6]]))
        #expect(
            try Tensor([1, 2]) * 3 + 1 == Tensor([4, 7])
                && Tensor([1, 2], dtype: .int64) - 1 == Tensor([0, 1], dtype: .int64))
    }

    @Test("what does not fit is thrown")
    func mistakes() throws {
        let shapes = #expect(throws: GraphError.self) { try a + Tensor([1.0, 2, 3]) }
        #expect(shapes?.message.contains("[2, 2]") == true && shapes?.message.contains("[3]") == true)
        #expect(shapes?.location == nil)
        #expect(throws: GraphError.self) { try a + Tensor([1, 2]) }
        #expect(throws: GraphError.self) { try Tensor([1, 2]) * 0.5 }
        #expect(throws: GraphError.self) { try a + "text" }
        #expect(throws: GraphError.self) { try Tensor([true]) + 1 }
    }

    @Test("isClose is numpy's allclose")
    func tolerance() throws {
        #expect(a.isClose(to: Tensor([[1.000001, 2], [3, 4]])) && !a.isClose(to: Tensor([[1.1, 2], [3, 4]])))
        #expect(try a.isClose(to: [[1, 2], [3, 4]]) && a.isClose(to: [[1.1, 2], [3, 4]], absolute: 0.11))
        #expect(try Tensor([1e-9, 0]).isClose(to: 0) && !Tensor([1e-7]).isClose(to: 0, relative: 1))
        #expect(try Tensor([100.0]).isClose(to: 101, absolute: 0, relative: 0.01))
        #expect(
            !Tensor([.nan]).isClose(to: Tensor([.nan])) && Tensor([.nan]).isClose(to: Tensor([.nan]), equalNaN: true))
        #expect(Tensor([.infinity]).isClose(to: Tensor([.infinity])) && !Tensor([.infinity]).isClose(to: Tensor([1.0])))
        #expect(
            !Tensor([1.0]).isClose(to: Tensor([.infinity])) && !Tensor([.infinity]).isClose(to: Tensor([-.infinity])))
        #expect(!a.isClose(to: Tensor([1.0, 2, 3])) && Tensor([[1.0, 2], [1, 2]]).isClose(to: Tensor([1.0, 2])))
        #expect(
            Tensor([1, 2]).isClose(to: Tensor([1.0, 2], dtype: .float64)) && Tensor(["a"]).isClose(to: Tensor(["a"])))
        #expect(Tensor([]).isClose(to: Tensor([])) && !Tensor(["a"]).isClose(to: Tensor([1])))
    }
}
