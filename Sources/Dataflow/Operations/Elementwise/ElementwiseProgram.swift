internal import CKernels

/// One elementwise operation of a program.
struct ElementwiseTerm {
    enum Operand {
        /// An input of the program.
        case input(Int)
        /// What an earlier term made.
        case term(Int)
    }

    /// Over its own operands.
    let expression: Expression
    let operands: [Operand]
    /// Which output of the program it is, if it is one.
    let output: Int?
}

/// A program of tiles: operations over operands, evaluated for some hundred elements at a time, so that what lies between
/// two primitives stays in the cache.
struct ElementwiseProgram {
    /// Where a register's elements are.
    enum Register {
        case input(Int)
        case constant(Double, DType)
        case scratch
        case output(Int)
    }

    struct Instruction {
        let tile: tributary_tile
        let a: Int, b: Int, c: Int, out: Int

        var operands: [Int] { [a, b, c] }
    }

    private(set) var registers: [Register] = []
    private(set) var types: [DType] = []
    private(set) var instructions: [Instruction] = []
    /// Results that are an operand as it is: output index, register.
    private(set) var copies: [(output: Int, register: Int)] = []

    init(_ terms: [ElementwiseTerm], inputs: [DType], outputs: [DType]) throws {
        for (i, type) in inputs.enumerated() { _ = add(.input(i), type) }
        var results: [Int] = []
        for term in terms {
            let operands = term.operands.map { operand in
                switch operand {
                case .input(let i): i
                case .term(let i): results[i]
                }
            }
            let number =
                operands.map { types[$0] }.first { $0 != .bool } ?? term.output.map { outputs[$0] } ?? .float32
            let before = instructions.count
            let register = try compile(term.expression, operands, number: number)
            results.append(register)
            guard let output = term.output else { continue }
            if instructions.count > before, case .scratch = registers[register], instructions.last?.out == register {
                registers[register] = .output(output)
            } else {
                copies.append((output, register))
            }
        }
    }

    private mutating func add(_ register: Register, _ type: DType) -> Int {
        registers.append(register)
        types.append(type)
        return registers.count - 1
    }

    private mutating func compile(_ expression: Expression, _ operands: [Int], number: DType) throws -> Int {
        switch expression {
        case .input(let i): return operands[i]
        case .constant(let value): return add(.constant(value, number), number)
        case .unary(let primitive, let x):
            let a = try compile(x, operands, number: number)
            return try emit(primitive.row, on: types[a], primitive.isPredicate, [a, a, a], "\(primitive)")
        case .binary(.add, .binary(.mul, let x, let y), let z) where number.isFloating,
            .binary(.add, let z, .binary(.mul, let x, let y)) where number.isFloating:
            return try compile(TRIBUTARY_mulAdd, [x, y, z], operands, number)
        case .binary(.sub, .binary(.mul, let x, let y), let z) where number.isFloating:
            return try compile(TRIBUTARY_mulSub, [x, y, z], operands, number)
        case .binary(.sub, let z, .binary(.mul, let x, let y)) where number.isFloating:
            return try compile(TRIBUTARY_subMul, [x, y, z], operands, number)
        case .binary(let primitive, let x, let y):
            let a = try compile(x, operands, number: number)
            let b = try compile(y, operands, number: number)
            return try emit(primitive.row, on: types[a], primitive.isPredicate, [a, b, b], "\(primitive)")
        case .select(let condition, let x, let y):
            let c = try compile(condition, operands, number: number)
            let a = try compile(x, operands, number: number)
            let b = try compile(y, operands, number: number)
            return try emit(TRIBUTARY_select, on: types[a], false, [c, a, b], "select")
        }
    }

    private mutating func compile(
        _ primitive: tributary_primitive, _ expressions: [Expression], _ operands: [Int], _ number: DType
    ) throws -> Int {
        let places = try expressions.map { try compile($0, operands, number: number) }
        return try emit(primitive, on: types[places[0]], false, places, "multiplication and addition")
    }

    private mutating func emit(
        _ primitive: tributary_primitive, on type: DType, _ predicate: Bool, _ operands: [Int], _ name: String
    ) throws -> Int {
        guard let index = type.tileType, let tile = tributary_tile_for(primitive, index) else {
            throw GraphError("there is no \(name) of \(type)")
        }
        let out = add(.scratch, predicate ? .bool : type)
        instructions.append(Instruction(tile: tile, a: operands[0], b: operands[1], c: operands[2], out: out))
        return out
    }
}

extension DType {
    var tileType: tributary_type? {
        switch self {
        case .float32: TRIBUTARY_F32
        case .float64: TRIBUTARY_F64
        case .int32: TRIBUTARY_I32
        case .int64: TRIBUTARY_I64
        case .uint8: TRIBUTARY_U8
        case .bool: TRIBUTARY_BOOL
        case .bfloat16, .string, .resource, .variant: nil
        }
    }
}
