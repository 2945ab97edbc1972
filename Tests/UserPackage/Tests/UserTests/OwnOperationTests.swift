import Dataflow
import Testing

/// x³, in a program of one's own.
enum Cube: Dataflow.Operation {
    static let signature = Signature.unary([.float32])
    static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func gradient(_ node: GradientContext) throws -> [Node?] { [node.upstream() * 3 * square(node.input(0))] }
    static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let (x, y, count) = (binding.input(0), binding.output(), binding.count(0))
        return { memory in
            let (x, y) = (memory.pointer(x, Float.self), memory.pointer(y, Float.self))
            for i in 0..<count { y[i] = x[i] * x[i] * x[i] }
        }
    }
}

func cube(_ x: any Operand, file: StaticString = #fileID, line: UInt = #line) -> Node {
    x.node.graph.add(Cube.self, [x.node], location: .init(file: file, line: line)).output(0)
}

@Test("an operation of one's own, with its gradient and that one's")
func ownOperation() throws {
    let g = Graph()
    let x = g.placeholder(.float32, [nil])
    let y = cube(x + 1)
    let first = try #require(g.gradients(of: y, by: [x])[0])
    let second = try #require(g.gradients(of: first, by: [x])[0])
    let values = try Session(g).run([y, first, second], feeds: [x: [0, 1, -3]])
    #expect(try values.map { try $0.doubles } == [[1, 8, -8], [3, 12, 12], [6, 12, -12]])
}
