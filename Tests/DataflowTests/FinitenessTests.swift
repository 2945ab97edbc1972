import Dataflow
import Testing

@Suite("Numbers that are not finite")
struct FinitenessTests {
    @Test(
        "one is found wherever it stands, and nothing else is taken for one", arguments: [1, 7, 64, 8191, 8192, 20_001])
    func everywhere(count: Int) {
        func check<Scalar: BinaryFloatingPoint>(_ type: Scalar.Type, _ dtype: DType, _ extremes: [Scalar]) {
            var numbers = (0..<count).map { extremes[$0 % extremes.count] }
            func first() -> String? { numbers.withUnsafeBytes { Finiteness.first(in: $0, dtype) } }
            #expect(first() == nil)
            for place in Set([0, count / 2, count - 1]) {
                for (value, name) in [(Scalar.nan, "NaN"), (.infinity, "inf"), (-.infinity, "-inf")] {
                    let old = numbers[place]
                    numbers[place] = value
                    #expect(first() == name)
                    numbers[place] = old
                }
            }
        }
        check(Float.self, .float32, [0, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 1.5])
        check(Double.self, .float64, [0, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 1.5])
        let halves: [UInt16] = [0x7F7F, 0xFF7F, 0x0001, 0x8000]
        #expect(halves.withUnsafeBytes { Finiteness.holds($0, .bfloat16) })
        for (bits, name) in [(0x7F80, "inf"), (0xFF80, "-inf"), (0x7FC0, "NaN")] as [(UInt16, String)] {
            #expect((halves + [bits]).withUnsafeBytes { Finiteness.first(in: $0, .bfloat16) } == name)
        }
    }

    @Test("whole numbers are finite, whatever their bits")
    func wholeNumbers() {
        let numbers: [Int32] = [-1, .max, 0x7F80_0000]
        #expect(numbers.withUnsafeBytes { Finiteness.first(in: $0, .int32) } == nil)
    }
}
