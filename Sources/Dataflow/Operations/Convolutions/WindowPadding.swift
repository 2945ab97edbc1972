/// What stands beside an image where a window reaches beyond it; TensorFlow's `padding`. A convolution sees zeros there,
/// pooling leaves it out.
public enum WindowPadding: Sendable, Hashable {
    /// As much on both sides as makes ⌈extent / stride⌉ windows; the odd one goes below and to the right.
    case same
    /// Nothing: windows lie within the image.
    case valid
    /// So many rows and columns; TensorFlow's `explicit_paddings`.
    case explicit(top: Int, bottom: Int, left: Int, right: Int)

    /// TensorFlow's name of the padding.
    var name: String {
        switch self {
        case .same: "SAME"
        case .valid: "VALID"
        case .explicit: "EXPLICIT"
        }
    }

    /// The padding of an operation; EXPLICIT only for those that have the attribute `explicit_paddings`.
    init(_ attributes: Attributes, _ format: ImageFormat) throws {
        let hasExplicit = attributes["explicit_paddings"] != nil
        let numbers = hasExplicit ? try attributes.ints("explicit_paddings") : []
        let text = try attributes.string("padding")
        switch text {
        case "SAME": self = .same
        case "VALID": self = .valid
        case "EXPLICIT" where hasExplicit:
            let (rows, columns) = (2 * format.height, 2 * format.width)
            guard numbers.count == 8, numbers.allSatisfy({ $0 >= 0 && $0 < WindowAxis.limit }),
                numbers.enumerated().allSatisfy({ (rows..<columns + 2).contains($0) || $1 == 0 })
            else {
                throw GraphError(
                    "explicit_paddings must be two numbers of at least 0 for each dimension of \(format.rawValue),"
                        + " 0 for the batch and the channels, got \(numbers)")
            }
            self = .explicit(
                top: numbers[rows], bottom: numbers[rows + 1], left: numbers[columns], right: numbers[columns + 1])
            return
        default:
            throw GraphError("padding must be SAME\(hasExplicit ? ", VALID or EXPLICIT" : " or VALID"), got \(text)")
        }
        guard numbers.isEmpty else {
            throw GraphError("explicit_paddings must be empty where padding is \(text), got \(numbers)")
        }
    }

    /// The attributes that say it.
    func attributes(_ format: ImageFormat) -> [String: AttributeValue] {
        var result: [String: AttributeValue] = ["padding": .string(name)]
        if case .explicit(let top, let bottom, let left, let right) = self {
            let pairs = format.arranged(
                batch: [0, 0], height: [top, bottom], width: [left, right], channels: [0, 0])
            result["explicit_paddings"] = .ints(pairs.flatMap { $0 })
        }
        return result
    }
}
