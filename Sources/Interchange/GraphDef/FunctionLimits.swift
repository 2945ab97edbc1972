internal import Dataflow
internal import Schemas

/// What the functions of one file may cost.
///
/// A function is made anew for each set of Variables and attributes that callers give it, and its callers are too: a file of
/// some thousand bytes can ask for 2⁶⁴ copies.
final class FunctionLimits {
    /// Functions that call each other more deeply than this are refused.
    static let depth = 64
    /// Copies of functions besides the first of each.
    static let copies = 4096
    /// Nodes in all of these copies.
    static let copiedNodes = 1_000_000
    /// Bytes of constants in these copies, and of the attributes that calls hand on.
    static let copiedBytes = 256 << 20
    /// Bytes of one attribute that a call hands on.
    static let attributeBytes = 1 << 20

    private static let remedy =
        "give the graph with its functions inlined (convert_variables_to_constants_v2 does that), or with fewer of them"

    private var made: Set<String> = []
    private var copies = 0
    private var nodes = 0
    private var bytes = 0

    /// Counts a function that is about to be made.
    /// - Throws: `FunctionLimit` if these would be too many, or too large.
    func add(_ definition: TFFunctionDef) throws {
        guard !made.insert(definition.signature.name).inserted else { return }
        copies += 1
        nodes += definition.nodeDef.count
        try add(bytes: definition.nodeDef.reduce(0) { $0 + $1.attr.values.reduce(0) { $0 + $1.ownBytes } })
        guard copies <= Self.copies, nodes <= Self.copiedNodes else {
            let what = copies > Self.copies ? "\(Self.copies) copies" : "copies with \(Self.copiedNodes) nodes"
            throw FunctionLimit(
                "the functions are called with so many different Variables and attributes that there would be more than "
                    + "\(what) of them; \(Self.remedy)")
        }
    }

    /// Counts bytes that are in the graph once more.
    func add(bytes count: Int) throws {
        bytes += count
        guard bytes <= Self.copiedBytes else {
            throw FunctionLimit(
                "copies of functions, and what calls hand on to them, take more than \(Self.copiedBytes) bytes; "
                    + Self.remedy)
        }
    }

    /// The bytes of an attribute that a call hands on.
    /// - Throws: `FunctionLimit` for too many.
    static func bytes(of value: TFAttrValue, named name: String) throws -> Int {
        var left = attributeBytes
        guard value.take(from: &left) else {
            throw FunctionLimit("a call's attribute '\(name)' holds more than \(attributeBytes) bytes; hand on less")
        }
        return attributeBytes - left
    }
}

/// More than functions of a file may cost: which one it was that passed the limit says nothing.
struct FunctionLimit: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension TFAttrValue {
    /// Of a text, a tensor or a list, about how many bytes it holds.
    fileprivate var ownBytes: Int {
        switch value {
        case .s(let bytes)?: bytes.count
        case .tensor(let tensor)?: tensor.ownBytes
        case .list(let list)?: list.ownBytes
        default: 0
        }
    }

    /// Takes the bytes of this and all that is in it; false, and soon, if there are more.
    fileprivate func take(from left: inout Int) -> Bool {
        left -= 8 + ownBytes
        guard left >= 0 else { return false }
        switch value {
        case .func(let call)?: return call.take(from: &left)
        case .list(let list)?:
            for call in list.func { guard call.take(from: &left) else { return false } }
            return true
        default: return true
        }
    }
}

extension TFNameAttrList {
    fileprivate func take(from left: inout Int) -> Bool {
        left -= name.utf8.count
        for (name, value) in attr {
            left -= name.utf8.count
            guard left >= 0, value.take(from: &left) else { return false }
        }
        return left >= 0
    }
}

extension TFAttrValue.ListValue {
    fileprivate var ownBytes: Int {
        let texts = s.reduce(0) { $0 + $1.count } + tensor.reduce(0) { $0 + $1.ownBytes }
        let shapes = shape.reduce(0) { $0 + 8 + 8 * $1.dim.count }
        return 8 * (i.count + f.count + b.count + s.count + type.count + self.func.count) + shapes + texts
    }
}

extension TFTensorProto {
    fileprivate var ownBytes: Int {
        let numbers = floatVal.count + doubleVal.count + intVal.count + int64Val.count + halfVal.count + boolVal.count
        return tensorContent.count + 8 * (numbers + stringVal.count) + stringVal.reduce(0) { $0 + $1.count }
    }
}
