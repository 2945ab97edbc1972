import Dataflow
import Testing

@Suite("Subscripts of tensors")
struct TensorSubscriptTests {
    private let t = Tensor([[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]])

    @Test("indices, ranges, ellipsis and new axes are numpy's")
    func places() throws {
        let k = 2
        let range = 1..<3
        #expect(try t[0] == Tensor([0, 1, 2, 3]) && t[-1] == t[k] && t[0, 1] == Tensor(1))
        #expect(try t[range] == Tensor([[10, 11, 12, 13], [20, 21, 22, 23]]))
        #expect(try t[1...1, ..<2] == Tensor([[10, 11]]))
        #expect(try t[..., 0] == Tensor([0, 10, 20]) && t[0, ...] == t[0] && t[...] == t)
        #expect(try t[..., -2...] == Tensor([[2, 3], [12, 13], [22, 23]]))
        #expect(try t[(-2)..., 0] == Tensor([10, 20]) && t[...(-2), 0] == Tensor([0, 10]))
        #expect(try t[.newAxis].shape == [1, 3, 4] && t[..., .newAxis].shape == [3, 4, 1])
        #expect(try t[.range(step: 2), 0] == Tensor([0, 20]))
        #expect(try t[.range(step: -1), 3] == Tensor([23, 13, 3]))
        #expect(try t[.range(from: 1, to: -1), 1] == Tensor([11]))
        #expect(try t[5..<9].shape == [0, 4] && t[0..<100].shape == [3, 4])
        #expect(try t[0, ..., 1] == Tensor(1) && t[.ellipsis, 1..<3].shape == [3, 2])
        #expect(try Tensor(["a", "b"])[1].texts == ["b"])
        #expect(try t[.range(step: .max)].shape == [1, 4] && t[0..<Int.max].shape == [3, 4])
        for (i, row) in try (0..<3).map({ try t[$0] }).enumerated() { #expect(row.shape == [4] && (try t[i]) == row) }
    }

    @Test("mistakes are thrown", arguments: 0..<6)
    func mistakes(number: Int) {
        #expect(throws: GraphError.self) {
            switch number {
            case 0: _ = try t[3]
            case 1: _ = try t[-4, 0]
            case 2: _ = try t[0, 0, 0]
            case 3: _ = try t[.ellipsis, .ellipsis]
            case 4: _ = try t[.range(step: 0)]
            default: _ = try Tensor(1)[Int.min]
            }
        }
    }

    @Test("places are written as in Python")
    func description() {
        let places: [TensorIndex] = [0, .range(from: 1, to: 3), .range(step: 2), .ellipsis, .newAxis]
        #expect("\(places)" == "[0, 1:3, ::2, ..., newaxis]")
    }
}
