import Foundation
import Schemas
import SwiftProtobuf

/// Graphs whose functions call each other.
enum HostileFunctions {
    /// `f0` to `f(depth − 1)`, of which each body is what `body` makes for the next; the last one negates its argument.
    static func chain(
        _ depth: Int, root: [TFNodeDef], attribute: String? = nil,
        arguments: [(String, TFDataType)] = [("x", .dtFloat)],
        last: (nodes: [TFNodeDef], result: String) = ([node("n", "Neg", ["x"])], "n:y:0"),
        _ body: (Int) -> (nodes: [TFNodeDef], result: String)
    ) -> TFGraphDef {
        var graph = TFGraphDef()
        graph.node = root
        graph.library.function = (0..<depth).map { i in
            let (nodes, result) = i == depth - 1 ? last : body(i)
            return .with {
                $0.signature.name = "f\(i)"
                $0.signature.inputArg = arguments.map { name, type in
                    .with {
                        $0.name = name
                        $0.type = type
                    }
                }
                $0.signature.outputArg = [
                    .with {
                        $0.name = "y"
                        $0.type = .dtFloat
                    }
                ]
                if let attribute {
                    $0.signature.attr = [
                        .with {
                            $0.name = attribute
                            $0.type = "func"
                        }
                    ]
                }
                $0.nodeDef = nodes
                $0.ret = ["y": result]
            }
        }
        return graph
    }

    static func node(
        _ name: String, _ op: String, _ inputs: [String] = [], _ attributes: [String: TFAttrValue] = [:]
    ) -> TFNodeDef {
        .with {
            $0.name = name
            $0.op = op
            $0.input = inputs
            $0.attr = attributes
            if attributes.isEmpty { $0.attr["T"] = .with { $0.type = .dtFloat } }
        }
    }

    static let x = node("x", "Placeholder", [], ["dtype": type(.dtFloat), "shape": .with { $0.shape = .init() }])

    static func type(_ type: TFDataType) -> TFAttrValue { .with { $0.type = type } }

    static func types(_ types: [TFDataType]) -> TFAttrValue { .with { $0.list.type = types } }

    static func function(_ name: String) -> TFAttrValue { .with { $0.func.name = name } }

    /// A call of a function of floats, or of Variables' handles.
    static func call(
        _ name: String, _ function: String, _ inputs: [String], of type: TFDataType = .dtFloat,
        op: String = "PartitionedCall"
    ) -> TFNodeDef {
        node(
            name, op, inputs,
            [
                "Tin": types(inputs.map { _ in type }), "Tout": types([.dtFloat]), "f": self.function(function),
            ])
    }

    /// Each calls the next one twice, through `op`.
    static func doubling(_ depth: Int, op: String = "PartitionedCall", root: [TFNodeDef]? = nil) -> TFGraphDef {
        chain(depth, root: root ?? [x, call("c", "f0", ["x"], op: op)]) { i in
            (
                [
                    call("a", "f\(i + 1)", ["x"], op: op), call("b", "f\(i + 1)", ["x"], op: op),
                    node("s", "AddV2", ["a:output:0", "b:output:0"]),
                ], "s:z:0"
            )
        }
    }

    /// The gradient of functions that call the next one twice.
    static func doubledGradients(_ depth: Int) -> TFGraphDef {
        let attributes: [String: TFAttrValue] = [
            "Tin": types([.dtFloat, .dtFloat]), "Tout": types([.dtFloat]), "f": function("f0"),
        ]
        return doubling(depth, root: [x, node("g", "SymbolicGradient", ["x", "x"], attributes)])
    }

    /// Both branches of each are the next one.
    static func branches(_ depth: Int) -> TFGraphDef {
        func choice(_ name: String, _ function: String, _ argument: String) -> TFNodeDef {
            node(
                name, "StatelessIf", [argument, argument],
                [
                    "Tcond": type(.dtFloat), "Tin": types([.dtFloat]), "Tout": types([.dtFloat]),
                    "then_branch": self.function(function), "else_branch": self.function(function),
                ])
        }
        return chain(depth, root: [x, choice("c", "f0", "x")]) { i in ([choice("a", "f\(i + 1)", "x")], "a:output:0") }
    }

    /// Each calls the next one with the handles as they are, turned round by one, and with two of them exchanged.
    static func permuted(_ depth: Int, handles count: Int) -> TFGraphDef {
        let names = (0..<count).map { "h\($0)" }
        let orders = [
            names, Array(names[1...] + names[..<1]), [names[1], names[0]] + names[2...],
        ]
        let variables = (0..<count).map { i in
            node(
                "v\(i)", "VarHandleOp", [],
                [
                    "dtype": type(.dtFloat), "shape": .with { $0.shape = .init() },
                    "shared_name": .with { $0.s = .init("v\(i)".utf8) },
                ])
        }
        let read = node("r", "ReadVariableOp", ["h0"], ["dtype": type(.dtFloat)])
        return chain(
            depth, root: variables + [call("c", "f0", (0..<count).map { "v\($0)" }, of: .dtResource)],
            arguments: names.map { ($0, .dtResource) }, last: ([read], "r:value:0")
        ) { i in
            (orders.enumerated().map { call("c\($0)", "f\(i + 1)", $1, of: .dtResource) }, "c0:output:0")
        }
    }

    /// Each hands on an attribute that holds its own twice.
    static func attributes(_ depth: Int) -> TFGraphDef {
        let own = TFAttrValue.with { $0.placeholder = "A" }
        let twice = TFAttrValue.with {
            $0.func.name = "g"
            $0.func.attr = ["p": own, "q": own]
        }
        return chain(depth, root: [x, node("c", "f0", ["x"], ["A": function("g")])], attribute: "A") { i in
            ([node("n", "f\(i + 1)", ["x"], ["A": twice])], "n:y:0")
        }
    }

    /// Each calls the next one with what it got, and with 2ⁿ elements more.
    static func shapes(_ depth: Int) -> TFGraphDef {
        func constant(_ name: String, _ type: TFDataType, _ extents: [Int64]) -> TFNodeDef {
            node(
                name, "Const", [],
                [
                    "dtype": self.type(type),
                    "value": .with {
                        $0.tensor.dtype = type
                        $0.tensor.tensorShape.dim = extents.map { size in .with { $0.size = size } }
                    },
                ])
        }
        let start = node(
            "x", "Placeholder", [],
            ["dtype": type(.dtFloat), "shape": .with { $0.shape.dim = [.with { $0.size = 3 }] }])
        let sum = node(
            "sum", "Sum", ["x", "axis:output:0"], ["T": type(.dtFloat), "Tidx": type(.dtInt32)])
        return chain(
            depth, root: [start, call("c", "f0", ["x"])], last: ([constant("axis", .dtInt32, []), sum], "sum:output:0")
        ) { i in
            (
                [
                    constant("k", .dtFloat, [1 << Int64(i)]), constant("axis", .dtInt32, []),
                    node(
                        "more", "ConcatV2", ["x", "k:output:0", "axis:output:0"],
                        ["N": .with { $0.i = 2 }, "T": type(.dtFloat), "Tidx": type(.dtInt32)]),
                    call("a", "f\(i + 1)", ["x"]), call("b", "f\(i + 1)", ["more:output:0"]),
                    node("s", "AddV2", ["a:output:0", "b:output:0"]),
                ], "s:z:0"
            )
        }
    }
}
