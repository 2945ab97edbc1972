/// `SparseCross`: for each row of a batch every combination of one value of each column, columns being sparse or dense
/// matrices: as texts joined with "_X_", or hashed into `num_buckets`.
public enum SparseCross: CrossingOperation {
    public static let signature = Signature(
        [
            "indices": "N * int64", "values": "list sparse_types", "shapes": "N * int64",
            "dense_inputs": "list dense_types",
        ], to: ["output_indices": "int64", "output_values": "out_type", "output_shape": "int64"],
        types: ["out_type": [.int64, .string], "internal_type": [.int64, .string]],
        required: ["hashed_output", "num_buckets", "hash_key"])

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let crossing = try Crossing(call)
        guard try call.attributes.bool("hashed_output") else {
            guard try call.attributes.type("out_type") == .string else {
                throw GraphError("texts are no int64; set 'hashed_output'")
            }
            return try crossing.texts(separator: Array("_X_".utf8))
        }
        guard try call.attributes.type("out_type") == .int64 else {
            throw GraphError("hashed values are no texts; set 'out_type' to int64")
        }
        let key = UInt64(bitPattern: Int64(try call.attributes.int("hash_key")))
        return try crossing.numbers(buckets: try call.attributes.int("num_buckets"), start: key) { value, _ in
            switch value {
            case .text(let text): Fingerprint.farm64(text)
            case .number(let number): UInt64(bitPattern: number)
            }
        }
    }
}

/// `SparseCrossV2`: as `SparseCross`, as texts joined with `sep`.
public enum SparseCrossV2: CrossingOperation {
    public static let signature = Signature(
        [
            "indices": "N * int64", "values": "list sparse_types", "shapes": "N * int64",
            "dense_inputs": "list dense_types", "sep": "string",
        ], to: ["output_indices": "int64", "output_values": "string", "output_shape": "int64"])

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        guard let separator = call.inputs.last, separator.dtype == .string, separator.elementCount == 1 else {
            throw GraphError("'sep' must be one text")
        }
        return try Crossing(call, trailing: 1).texts(separator: separator.knownStrings[0])
    }
}

/// `SparseCrossHashed`: as `SparseCross`, hashed into `num_buckets`, texts by SipHash with `salt` if `strong_hash`.
public enum SparseCrossHashed: CrossingOperation {
    public static let signature = Signature(
        [
            "indices": "N * int64", "values": "list sparse_types", "shapes": "N * int64",
            "dense_inputs": "list dense_types", "num_buckets": "int64", "strong_hash": "bool", "salt": "int64",
        ], to: ["output_indices": "int64", "output_values": "int64", "output_shape": "int64"])

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let crossing = try Crossing(call, trailing: 3)
        let options = call.inputs.suffix(3).map { $0 }
        guard options.count == 3, options[0].dtype == .int64, options[0].elementCount == 1, options[1].dtype == .bool,
            options[1].elementCount == 1, options[2].dtype == .int64, options[2].elementCount == 2
        else { throw GraphError("'num_buckets' and 'strong_hash' must be one value each, 'salt' two") }
        let salt = options[2].elements(of: Int64.self).map { UInt64(bitPattern: $0) }
        let isStrong = options[1].elements(of: Bool.self)[0]
        return try crossing.numbers(buckets: options[0].knownIntegers[0], start: nil) { value, isDense in
            switch value {
            case .text(let text):
                return isStrong ? Fingerprint.sip(key: (salt[0], salt[1]), text) : Fingerprint.farm64(text)
            case .number(let number):
                if isDense, !isStrong { return UInt64(bitPattern: number) }
                // TensorFlow takes the lower half of the number as bytes.
                let bytes = withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).littleEndian) { Array($0) }
                return isStrong ? Fingerprint.sip(key: (salt[0], salt[1]), bytes) : Fingerprint.farm64(bytes)
            }
        }
    }
}

protocol CrossingOperation: WholeTensorOperation {}

extension CrossingOperation {
    static func shapes(_ node: ShapeContext) throws -> [Shape] { [[nil, 2], [nil], [2]] }
}

/// The columns that are crossed: for each row of the batch its values.
private struct Crossing {
    enum Value {
        case number(Int64)
        case text([UInt8])
    }

    private var columns: [[[Value]]] = []
    private let batch: Int
    private let sparseCount: Int
    private let call: WholeTensors

    /// - Parameter trailing: inputs after the columns.
    init(_ call: WholeTensors, trailing: Int = 0) throws {
        let n = try call.attributes.int("N")
        let dense = try call.attributes.types("dense_types").count
        guard n >= 0, call.inputs.count == 3 * n + dense + trailing, n + dense > 0 else {
            throw GraphError("its attributes 'N', 'sparse_types' and 'dense_types' do not fit its inputs")
        }
        (sparseCount, self.call) = (n, call)
        var rows: Int?
        for i in 0..<n {
            let parts = try SparseParts(
                indices: call.inputs[i], values: call.inputs[n + i], shape: call.inputs[2 * n + i])
            guard parts.rank == 2, rows ?? parts.shape[0] == parts.shape[0] else {
                throw GraphError("the sparse columns must be matrices of as many rows, got the shape \(parts.shape)")
            }
            rows = parts.shape[0]
            _ = try call.told([parts.shape[0]], .int64)
            var column = [[Value]](repeating: [], count: parts.shape[0])
            for (k, value) in try Self.values(parts.values).enumerated() { column[parts[k, 0]].append(value) }
            columns.append(column)
        }
        for tensor in call.inputs[(3 * n)..<(3 * n + dense)] {
            let extents = tensor.shape.knownExtents
            guard extents.count == 2, rows ?? extents[0] == extents[0] else {
                throw GraphError("the dense columns must be matrices of as many rows, got the shape \(extents)")
            }
            rows = extents[0]
            let values = try Self.values(tensor)
            columns.append((0..<extents[0]).map { Array(values[$0 * extents[1]..<($0 + 1) * extents[1]]) })
        }
        batch = rows ?? 0
    }

    private static func values(_ tensor: Tensor) throws -> [Value] {
        switch tensor.dtype {
        case .string: tensor.knownStrings.map(Value.text)
        case .int64: tensor.elements(of: Int64.self).map(Value.number)
        default: throw GraphError("the columns must hold int64 or string, got \(tensor.dtype)")
        }
    }

    /// Calls `body` for every combination of each row, the last column's values changing fastest.
    private func combinations(_ body: ([Value]) -> Void) throws -> (indices: [Int], longest: Int) {
        var (indices, longest): ([Int], Int) = ([], 0)
        for row in 0..<batch {
            let here = columns.map { $0[row] }
            guard let count = Shape.product(here.map(\.count)) else {
                throw GraphError("row \(row) has too many combinations to cross")
            }
            // With the texts or numbers that come with each.
            _ = try call.told([indices.count / 2 &+ count, 8], .int64)
            longest = max(longest, count)
            for number in 0..<count {
                var rest = number
                var chosen: [Value] = []
                for values in here.reversed() {
                    chosen.append(values[rest % values.count])
                    rest /= values.count
                }
                body(chosen.reversed())
                indices += [row, number]
            }
        }
        return (indices, longest)
    }

    func texts(separator: [UInt8]) throws -> [Tensor] {
        var result: [[UInt8]] = []
        let (indices, longest) = try combinations { values in
            let parts = values.map { value -> [UInt8] in
                switch value {
                case .text(let text): text
                case .number(let number): Array("\(number)".utf8)
                }
            }
            result.append(Array(parts.joined(separator: separator)))
        }
        return SparseParts(
            indices: indices, values: Tensor(strings: result, sized: [result.count]), shape: [batch, longest]
        ).tensors
    }

    /// - Parameters:
    ///   - buckets: 0 for as many as there are numbers.
    ///   - start: what the hashes are joined to; nil: to the first one.
    func numbers(buckets: Int, start: UInt64?, hash: (Value, _ isDense: Bool) -> UInt64) throws -> [Tensor] {
        guard buckets >= 0 else { throw GraphError("'num_buckets' must be at least 0, got \(buckets)") }
        let limit = buckets > 0 ? UInt64(buckets) : UInt64(Int64.max)
        var result: [Int64] = []
        let (indices, longest) = try combinations { values in
            let hashes = values.enumerated().map { hash($1, $0 >= sparseCount) }
            let so = hashes.dropFirst(start == nil ? 1 : 0).reduce(start ?? hashes[0], Fingerprint.joined)
            result.append(Int64(so % limit))
        }
        return SparseParts(indices: indices, values: Tensor(result), shape: [batch, longest]).tensors
    }
}
