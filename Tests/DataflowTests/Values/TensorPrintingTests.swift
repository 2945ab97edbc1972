import Dataflow
import Testing

/// What numpy 1.26 prints of the same arrays.
@Suite("Printing tensors")
struct TensorPrintingTests {
    @Test("scalars and vectors stand in one line")
    func oneLine() {
        #expect("\(Tensor(0.5))" == "float32[] 0.5" && "\(Tensor(3))" == "int32[] 3")
        #expect("\(Tensor([1, 20, -3]))" == "int32[3] [ 1 20 -3]")
        #expect("\(Tensor([1.0, 2.5, -3]))" == "float32[3] [ 1.   2.5 -3. ]")
        #expect("\(Tensor([1.0, 2]))" == "float32[2] [1. 2.]")
        #expect("\(Tensor([true, false]))" == "bool[2] [ true false]")
        #expect("\(Tensor(["a", "bcd"]))" == "string[2] [\"a\" \"bcd\"]")
        #expect("\(Tensor([]))" == "float32[0] []")
        #expect("\(Tensor([0.1, 0.2], dtype: .float64))" == "float64[2] [0.1 0.2]")
        #expect("\(Tensor([.nan, 1, -.infinity]))" == "float32[3] [ nan   1. -inf]")
    }

    @Test("numbers of many sizes have exponents, all digits that are needed, and at most eight")
    func decimals() {
        #expect("\(Tensor([1e-5, 1.5]))" == "float32[2] [1.0e-05 1.5e+00]")
        #expect("\(Tensor([1e10, 1]))" == "float32[2] [1.e+10 1.e+00]")
        #expect("\(Tensor([123456.789, 1], dtype: .float64))" == "float64[2] [1.23456789e+05 1.00000000e+00]")
        #expect("\(Tensor([0.3333333333333, 1], dtype: .float64))" == "float64[2] [0.33333333 1.        ]")
        #expect("\(Tensor([0.1, 100]))" == "float32[2] [  0.1 100. ]")
        #expect("\(Tensor([0.999999999, 1], dtype: .float64))" == "float64[2] [1. 1.]")
        #expect("\(Tensor([0.0, -0.0]))" == "float32[2] [ 0. -0.]")
        #expect("\(Tensor([9.9999999999, 2], dtype: .float64))" == "float64[2] [10.  2.]")
        #expect("\(Tensor([0.001, 0.01]))" == "float32[2] [0.001 0.01 ]")
    }

    @Test("matrices stand in lines, columns aligned")
    func lines() {
        #expect("\(Tensor([[1, 2], [30, 4]]))" == "int32[2, 2]\n[[ 1  2]\n [30  4]]")
        #expect("\(Tensor([[[1], [2]], [[3], [4]]]))" == "int32[2, 2, 1]\n[[[1]\n  [2]]\n\n [[3]\n  [4]]]")
    }

    @Test("of more than 1000 elements the first and last three of each dimension are shown")
    func shortened() {
        #expect("\(Tensor((0..<1001).map { Int32($0) }))" == "int32[1001] [   0    1    2 ...  998  999 1000]")
        let wide = "\(Tensor((0..<1000).map { Int32($0) }))"
        #expect(
            wide.hasPrefix("int32[1000]\n[  0   1   2") && wide.split(separator: "\n").allSatisfy { $0.count <= 75 })
        let matrix = "\(Tensor.zeros(.float32, sized: [1000, 1000]))"
        let row = "[0. 0. 0. ... 0. 0. 0.]"
        let rows = [row, row, row].joined(separator: "\n ")
        #expect(matrix == "float32[1000, 1000]\n[\(rows)\n ...\n \(rows)]")
    }
}
