import Dataflow
import Foundation
import Testing

/// Every operation's signature against TensorFlow's OpDef, as `Tests/conformance/make_signatures.py` writes them.
@Suite("Signatures")
struct SignatureTests {
    struct Row: Decodable, Sendable {
        struct Argument: Decodable, Sendable, Equatable {
            let name: String
            let type: String
        }

        let inputs: [Argument]
        let outputs: [Argument]
        let types: [String: [String]]
        let defaults: [String: VectorFile.Value?]
        let required: [String]
    }

    private static let rows: [String: Row] = {
        let url = Bundle.module.bundleURL.appendingPathComponent("Signatures.json")
        return (try? JSONDecoder().decode([String: Row].self, from: Data(contentsOf: url))) ?? [:]
    }()

    /// Attributes that say how TensorFlow is to run an operation, and change no result.
    private static let aside: Set<String> = [
        "container", "shared_name", "use_locking", "validate_indices", "grad_a", "grad_b", "use_cudnn_on_gpu",
        "grad_x", "grad_y", "sparse_gradient", "config_proto", "parallel_iterations",
    ]

    /// Dtypes that TensorFlow has kernels for and that are not taken here.
    private static let untaken: Set<String> = ["bfloat16", "string", "resource", "variant"]
    private static let untakenOf: [String: Set<String>] = [
        "BatchMatMulV3": ["uint8"], "ScatterNd": ["bool"], "ScatterNdNonAliasingAdd": ["bool"],
        "ResourceScatterNdAdd": ["bool"], "ResourceScatterNdSub": ["bool"],
    ]

    /// Dtypes that TensorFlow has no kernel for on the CPU.
    private static let moreOf: [String: Set<String>] = [
        "Multinomial": ["int32", "int64", "uint8"], "ListDiff": ["bool"], "SpaceToBatch": ["bool"],
        "SpaceToBatchND": ["bool"], "BatchToSpace": ["bool"], "BatchToSpaceND": ["bool"],
        "TensorArrayGatherV3": ["resource"], "TensorArrayConcatV3": ["resource", "variant"],
        "Snapshot": ["string", "resource", "variant"], "TensorListPopBack": ["resource"],
        "TensorListConcat": ["resource"], "TensorListConcatV2": ["resource"], "TensorListFromTensor": ["resource"],
        "TensorListGather": ["resource"], "TensorListGetItem": ["resource"], "TensorListPushBackBatch": ["resource"],
        "TensorListScatter": ["resource"], "TensorListScatterIntoExistingList": ["resource"],
        "TensorListScatterV2": ["resource"], "TensorListSplit": ["resource"], "TensorListStack": ["resource"],
    ]

    /// Operations that also take float64, which TensorFlow does not, so that their gradients can be compared with differences.
    private static let alsoFloat64: Set<String> = [
        "BlockLSTM", "BlockLSTMGrad", "BlockLSTMV2", "BlockLSTMGradV2", "LSTMBlockCell", "LSTMBlockCellGrad",
        "GRUBlockCell", "GRUBlockCellGrad", "LRN", "LRNGrad", "FusedBatchNorm", "FusedBatchNormGrad",
        "FusedBatchNormV2",
        "FusedBatchNormGradV2", "FusedBatchNormV3", "FusedBatchNormGradV3",
    ]

    /// The arguments as TensorFlow's file writes them.
    private func text(_ arguments: [Signature.Argument]) -> [String] {
        arguments.map { argument in
            let list = argument.isList ? "list " : argument.count.map { "\($0) * " } ?? ""
            return "\(argument.name): \(argument.isReference ? "ref " : "")\(list)\(argument.type)"
        }
    }

    @Test("inputs, outputs and attributes are TensorFlow's", arguments: OperationTableTests.names)
    func agrees(name: String) throws {
        let row = try #require(Self.rows[name], "Signatures.json lacks \(name)")
        let own = try #require(OperationCatalog.operation(named: name)).signature
        // What TensorFlow's batch normalisation says is float32 is of the wider type where that is float64.
        let theirInputs = row.inputs.map {
            name.hasPrefix("FusedBatchNormGradV") && $0.name == "scale" ? "scale: U" : "\($0.name): \($0.type)"
        }
        #expect(text(own.inputs) == theirInputs)
        #expect(text(own.outputs) == row.outputs.map { "\($0.name): \($0.type)" })
        for (type, allowed) in own.types {
            let theirs = try #require(row.types[type], "TensorFlow has no type \(type)")
            let missing = Set(theirs).subtracting(allowed.map(\.rawValue)).subtracting(Self.untaken)
                .subtracting(Self.untakenOf[name] ?? [])
            let more = Set(allowed.map(\.rawValue)).subtracting(theirs).subtracting(Self.moreOf[name] ?? [])
            #expect(more.isSubset(of: Self.alsoFloat64.contains(name) ? ["float64"] : []), "\(type) takes \(more)")
            #expect(missing.isEmpty, "\(type) does not take \(missing.sorted())")
        }
        // What begins with an underscore is nobody's business in TensorFlow.
        for (attribute, value) in own.defaults where !attribute.hasPrefix("_") {
            let theirs = try #require(row.defaults[attribute], "TensorFlow has no default for '\(attribute)'")
            #expect(
                try Self.same(value, theirs),
                "'\(attribute)' is \(value) by default, theirs \(String(describing: theirs))")
        }
        for attribute in row.defaults.keys where own.types[attribute] == nil && !Self.aside.contains(attribute) {
            #expect(own.defaults[attribute] != nil, "'\(attribute)' is not known")
        }
        #expect(Set(own.required) == Set(row.required), "required")
    }

    private static func same(_ own: AttributeValue, _ theirs: VectorFile.Value?) throws -> Bool {
        switch (own, theirs) {
        case (.shape(let shape), nil): shape == .unknown
        case (.int(let a), .int(let b)?): a == b
        case (.bool(let a), .bool(let b)?): a == b
        case (.bool(let a), .int(let b)?): a == (b != 0)
        case (.float(let a), let b?): a == Float(b.number)
        case (.string(let a), .string(let b)?): a == b
        case (.type(let a), .string(let b)?): a.rawValue == b
        case (.tensor(let a), .list(let b)?): try a.doubles == b.map(\.number)
        case (.ints(let a), .list(let b)?): a == b.map { Int($0.number) }
        case (.floats(let a), .list(let b)?): a == b.map { Float($0.number) }
        case (.strings(let a), .list(let b)?): a.isEmpty && b.isEmpty
        case (.types(let a), .list(let b)?): a.isEmpty && b.isEmpty
        case (.shapes(let a), .list(let b)?): a.isEmpty && b.isEmpty
        case (.shape(let a), .list(let b)?): a == Shape(b.map { Int($0.number) })
        default: false
        }
    }
}
