import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf
import Testing

@Suite("Tensors of graph files")
struct TensorEncodingTests {
    /// A `Const` whose `TensorProto` is `make`'s.
    private func decode(_ dtype: TFDataType, _ shape: [Int64], _ make: (inout TFTensorProto) -> Void) throws -> Tensor {
        var definition = TFGraphDef()
        var node = TFNodeDef()
        node.name = "c"
        node.op = "Const"
        node.attr["dtype"] = .with { $0.type = dtype }
        node.attr["value"] = .with { attribute in
            attribute.tensor = .with { tensor in
                tensor.dtype = dtype
                tensor.tensorShape.dim = shape.map { extent in .with { $0.size = extent } }
                make(&tensor)
            }
        }
        definition.node = [node]
        let graph = try GraphDefinition.decode(definition.serializedBytes())
        return try graph.node(named: "c").vertex.attributes.tensor("value")
    }

    @Test("typed values are read, and the last one repeats")
    func typed() throws {
        #expect(try decode(.dtFloat, [2, 2]) { $0.floatVal = [1, 2, 3, 4] } == Tensor([[1.0, 2], [3, 4]]))
        #expect(try decode(.dtFloat, [4]) { $0.floatVal = [1, 2] } == Tensor([Float(1), 2, 2, 2]))
        #expect(try decode(.dtDouble, [2]) { $0.doubleVal = [0.1] } == Tensor([0.1, 0.1], dtype: .float64))
        #expect(try decode(.dtInt32, []) { $0.intVal = [-7] } == Tensor(Int32(-7)))
        #expect(try decode(.dtInt64, [2]) { $0.int64Val = [1 << 40] } == Tensor([Int64(1) << 40, 1 << 40]))
        #expect(try decode(.dtUint8, [2]) { $0.intVal = [255, 3] } == Tensor([UInt8(255), 3]))
        #expect(try decode(.dtBool, [3]) { $0.boolVal = [true] } == Tensor([true, true, true]))
        #expect(try decode(.dtBfloat16, [2]) { $0.halfVal = [0x3F80] } == Tensor([BFloat16(1), BFloat16(1)]))
    }

    @Test("without any value all elements are zero, and a tensor may be empty")
    func zeros() throws {
        #expect(try decode(.dtFloat, [2]) { _ in } == Tensor([Float(0), 0]))
        #expect(try decode(.dtInt32, [0, 5]) { _ in } == .zeros(.int32, sized: [0, 5]))
    }

    @Test("bytes are read as they are, except that a bool is 0 or 1")
    func content() throws {
        #expect(
            try decode(.dtInt32, [2]) { $0.tensorContent = .init([1, 0, 0, 0, 255, 255, 255, 255]) }
                == Tensor([Int32(1), -1]))
        #expect(try decode(.dtBool, [3]) { $0.tensorContent = .init([0, 1, 77]) } == Tensor([false, true, true]))
    }

    @Test(
        "a tensor that its file does not account for is refused before memory is taken",
        arguments: [
            ([1_000_000, 1_000_000], 1), ([1 << 62, 4], 1), ([1 << 33], 1), ([1 << 25], 1), ([1 << 25], 0), ([2], 3),
            ([-1], 1), ([-5], 1), ([], 2), (Array(repeating: 1, count: 255), 1), ([0], 1),
        ] as [([Int64], Int)])
    func refused(_ shape: [Int64], _ count: Int) {
        #expect(throws: GraphError.self) {
            try decode(.dtFloat, shape) { $0.floatVal = Array(repeating: 1, count: count) }
        }
    }

    @Test("bytes that do not fill the shape are refused")
    func wrongContent() {
        for count in [1, 7, 9] {
            #expect(throws: GraphError.self) {
                try decode(.dtFloat, [2]) { $0.tensorContent = .init(repeating: 0, count: count) }
            }
        }
    }

    @Test("all repeated elements of a file together have a limit")
    func total() throws {
        var definition = TFGraphDef()
        for i in 0..<5 {
            definition.node.append(
                .with { node in
                    node.name = "c\(i)"
                    node.op = "Const"
                    node.attr["dtype"] = .with { $0.type = .dtUint8 }
                    node.attr["value"] = .with { attribute in
                        attribute.tensor.dtype = .dtUint8
                        attribute.tensor.tensorShape.dim = [.with { $0.size = 64 << 20 }]
                    }
                })
        }
        let bytes: [UInt8] = try definition.serializedBytes()
        #expect(throws: GraphError.self) { try GraphDefinition.decode(bytes) }
    }
}
