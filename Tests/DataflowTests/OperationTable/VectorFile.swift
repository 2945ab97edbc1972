import Dataflow
import Foundation

/// TensorFlow's numbers for one operation: a file of `Vectors/`, as `tf.raw_ops` computed them.
struct VectorFile: Sendable {
    struct Case: Decodable, Sendable {
        let attributes: [String: Value]
        let inputs: [Input]
        let outputs: [Numbers]
        let gradient: Gradient?
    }

    struct Gradient: Decodable, Sendable {
        let wrt: [String]
        let upstream: Numbers
        let values: [Numbers]
    }

    /// A tensor, or a list of them.
    struct Input: Decodable, Sendable {
        let name: String
        let tensors: [Numbers]
        let isList: Bool

        enum Key: CodingKey { case name, list }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            name = try container.decode(String.self, forKey: .name)
            isList = container.contains(.list)
            tensors =
                isList ? try container.decode([Numbers].self, forKey: .list) : [try Numbers(from: decoder)]
        }
    }

    struct Numbers: Decodable, Sendable {
        let dtype: DType
        let shape: [Int]
        let data: [Double]

        enum Key: CodingKey { case dtype, shape, data }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            let name = try container.decode(String.self, forKey: .dtype)
            guard let dtype = DType(rawValue: name) else {
                throw DecodingError.dataCorruptedError(forKey: .dtype, in: container, debugDescription: name)
            }
            self.dtype = dtype
            shape = try container.decode([Int].self, forKey: .shape)
            if let plain = try? container.decode([Double].self, forKey: .data) {
                data = plain
            } else {
                data = try container.decode([Value].self, forKey: .data).map(\.number)
            }
        }

        var tensor: Tensor { .numbers(data, dtype: dtype, sized: Shape(shape)) }
    }

    enum Value: Decodable, Sendable {
        case bool(Bool)
        case int(Int)
        case double(Double)
        case string(String)
        case list([Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Int.self),
                value != 0 || (try? container.decode(Double.self).sign) == .plus
            {
                self = .int(value)
            } else if let value = try? container.decode(Double.self) {
                self = .double(value)
            } else if let value = try? container.decode(String.self) {
                self = .string(value)
            } else {
                self = .list(try container.decode([Value].self))
            }
        }

        var number: Double {
            switch self {
            case .bool(let value): value ? 1 : 0
            case .int(let value): Double(value)
            case .double(let value): value
            case .string("Infinity"): .infinity
            case .string("-Infinity"): -.infinity
            default: .nan
            }
        }
    }

    let cases: [Case]

    /// - Parameter folder: `Vectors`, or `Extremes` for NaN, infinities, empty tensors and tensors of one element.
    init(_ operation: String, in folder: String = "Vectors") throws {
        let url = Bundle.module.bundleURL.appendingPathComponent("\(folder)/\(operation).json")
        cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
    }

    /// The operations that have a file in `folder`.
    static func names(in folder: String) -> [String] {
        let path = Bundle.module.bundleURL.appendingPathComponent(folder).path
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }
}

extension VectorFile.Case {
    /// Names that `tf.raw_ops` gives to what the graph's format calls otherwise.
    private static let renamedAttributes = ["Squeeze": ["axis": "squeeze_dims"]]

    /// Lists that are not of ints.
    private static let lists: [String: AttributeValue] = ["boundaries": .floats([]), "shape": .shape([])]

    /// The attributes under the names and of the kinds that the operation's signature has.
    func attributes(of operation: any Dataflow.Operation.Type) -> Attributes {
        var result: [String: AttributeValue] = [:]
        for (name, value) in attributes {
            let own = Self.renamedAttributes[operation.name]?[name] ?? name
            result[own] = value.attribute(like: operation.signature.defaults[own] ?? Self.lists[own])
        }
        return Attributes(result)
    }

    /// All input tensors in order, lists spread.
    var tensors: [Tensor] { inputs.flatMap { $0.tensors.map(\.tensor) } }

    /// The positions among all input tensors that the input called `name` has.
    func positions(of name: String) -> Range<Int> {
        var start = 0
        for input in inputs {
            if input.name == name { return start..<start + input.tensors.count }
            start += input.tensors.count
        }
        return start..<start
    }
}

extension VectorFile.Value {
    fileprivate func attribute(like known: AttributeValue?) -> AttributeValue {
        switch (self, known) {
        case (_, .float?): .float(Float(number))
        case (.list(let values), .floats?): .floats(values.map { Float($0.number) })
        case (.list(let values), .shape?): .shape(Shape(values.map { Int($0.number) }))
        case (.bool(let value), _): .bool(value)
        case (.int(let value), _): .int(value)
        case (.double(let value), _): .float(Float(value))
        case (.string(let text), _): DType(rawValue: text).map { .type($0) } ?? .string(text)
        case (.list(let values), _): .ints(values.map { Int($0.number) })
        }
    }
}
