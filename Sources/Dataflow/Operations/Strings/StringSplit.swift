/// `StringSplit`: the pieces of each string of a vector, between any of the bytes of `delimiter`, or single bytes if that is
/// empty; without the empty ones if `skip_empty`. A sparse matrix of a row for each string.
public enum StringSplit: StringOperation {
    public static let signature = Signature(
        ["input": "string", "delimiter": "string"], to: ["indices": "int64", "values": "string", "shape": "int64"],
        defaults: ["skip_empty": .bool(true)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try piecesShapes(node) }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (delimiters, skips) = (Set(try call.bytes(1, "'delimiter'")), try call.attributes.bool("skip_empty"))
        return pieces(call) { bytes in
            if bytes.isEmpty { return [] }
            let found =
                delimiters.isEmpty
                ? bytes.map { [$0] }
                : bytes.split(omittingEmptySubsequences: false) { delimiters.contains($0) }.map(Array.init)
            return skips ? found.filter { !$0.isEmpty } : found
        }
    }
}

/// `StringSplitV2`: the pieces of each string of a vector, as Python's `str.split(sep, maxsplit)`: between the strings `sep`,
/// or the words between white space if that is empty. As in TensorFlow and unlike Python, an empty piece follows `maxsplit`
/// words where nothing is left. A sparse matrix of a row for each string.
public enum StringSplitV2: StringOperation {
    public static let signature = Signature(
        ["input": "string", "sep": "string"], to: ["indices": "int64", "values": "string", "shape": "int64"],
        defaults: ["maxsplit": .int(-1)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try piecesShapes(node) }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (separator, limit) = (try call.bytes(1, "'sep'"), try call.attributes.int("maxsplit"))
        return pieces(call) { bytes in
            if limit == 0 { return [bytes] }
            return separator.isEmpty ? words(bytes, limit) : split(bytes, separator, limit)
        }
    }

    private static func words(_ bytes: [UInt8], _ limit: Int) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var rest = bytes.drop(while: isSpace)
        while !rest.isEmpty || (limit > 0 && result.count == limit) {
            if limit > 0, result.count == limit {
                result.append(Array(rest))
                break
            }
            result.append(Array(rest.prefix { !isSpace($0) }))
            rest = rest.dropFirst(result[result.count - 1].count).drop(while: isSpace)
        }
        return result
    }

    private static func split(_ bytes: [UInt8], _ separator: [UInt8], _ limit: Int) -> [[UInt8]] {
        var (result, start, at): ([[UInt8]], Int, Int) = ([], 0, 0)
        while at + separator.count <= bytes.count, limit < 0 || result.count < limit {
            if bytes[at] == separator[0], bytes[at..<at + separator.count].elementsEqual(separator) {
                result.append(Array(bytes[start..<at]))
                at += separator.count
                start = at
            } else {
                at += 1
            }
        }
        return result + [Array(bytes[start...])]
    }
}

private func piecesShapes(_ node: ShapeContext) throws -> [Shape] {
    guard node.shape(0).rank ?? 1 == 1 else {
        throw GraphError("'input' must be a vector, got the shape \(node.shape(0))")
    }
    guard node.shape(1).isCompatible(with: []) else {
        throw GraphError("what is split at must be a scalar, got the shape \(node.shape(1))")
    }
    return [[nil, 2], [nil], [2]]
}

/// Where the pieces of each string are, the pieces, and the extents of the matrix that holds them.
private func pieces(_ call: DynamicCall, _ split: ([UInt8]) -> [[UInt8]]) -> [Tensor] {
    let rows = call.inputs[0].knownStrings.map(split)
    let indices = rows.enumerated().flatMap { row, pieces in
        pieces.indices.flatMap { [Int64(row), Int64($0)] }
    }
    let values = rows.flatMap { $0 }
    return [
        Tensor(indices, sized: [values.count, 2]), call.texts(values, [values.count]),
        Tensor([Int64(rows.count), Int64(rows.map(\.count).max() ?? 0)]),
    ]
}
