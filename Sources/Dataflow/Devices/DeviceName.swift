/// TensorFlow's device names: "/job:ps/task:1/device:GPU:0", "/gpu:0", "/cpu:0", or any part of one.
public struct DeviceName: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, CaseIterable { case cpu = "CPU", gpu = "GPU" }

    public var job: String?
    public var replica: Int?
    public var task: Int?
    public var kind: Kind?
    public var index: Int?

    /// A name that says nothing.
    public init(job: String? = nil, replica: Int? = nil, task: Int? = nil, kind: Kind? = nil, index: Int? = nil) {
        self.job = job
        self.replica = replica
        self.task = task
        self.kind = kind
        self.index = index
    }

    /// Parses a name or part of one; "" says nothing.
    /// - Throws: `GraphError` naming the part that is wrong.
    public init(_ text: String) throws {
        self.init()
        guard !text.isEmpty else { return }
        guard text.hasPrefix("/") else { throw DeviceName.error(text, "it must start with '/'") }
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let fields = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            switch (fields.first?.lowercased(), fields.count) {
            case ("job", 2) where !fields[1].isEmpty: job = fields[1]
            case ("replica", 2): replica = try DeviceName.number(fields[1], text)
            case ("task", 2): task = try DeviceName.number(fields[1], text)
            case ("device", 2), ("device", 3): try setDevice(fields[1], fields.count == 3 ? fields[2] : nil, text)
            case ("cpu", 1), ("gpu", 1), ("cpu", 2), ("gpu", 2):
                try setDevice(fields[0], fields.count == 2 ? fields[1] : nil, text)
            default:
                throw DeviceName.error(
                    text, "the part '/\(part)' is none of /job:, /replica:, /task:, /device:, /cpu:, /gpu:")
            }
        }
    }

    private mutating func setDevice(_ kind: String, _ index: String?, _ text: String) throws {
        guard let known = Kind(rawValue: kind.uppercased()) else {
            throw DeviceName.error(text, "'\(kind)' is neither CPU nor GPU")
        }
        self.kind = known
        if let index, index != "*" { self.index = try DeviceName.number(index, text) }
    }

    private static func number(_ field: String, _ text: String) throws -> Int {
        guard let value = Int(field), value >= 0, field.allSatisfy(\.isNumber) else {
            throw error(text, "'\(field)' is not a number")
        }
        return value
    }

    private static func error(_ text: String, _ what: String) -> GraphError {
        GraphError("'\(text)' is not a device name: \(what); examples: /cpu:0, /gpu:1, /job:ps/task:0/device:CPU:0")
    }

    /// This name with what it leaves open filled in from `outer`. A different kind of device drops the outer index.
    public func merged(over outer: DeviceName) -> DeviceName {
        DeviceName(
            job: job ?? outer.job, replica: replica ?? outer.replica, task: task ?? outer.task,
            kind: kind ?? outer.kind,
            index: index ?? (kind == nil || kind == outer.kind ? outer.index : nil))
    }

    public var isEmpty: Bool { self == DeviceName() }

    /// TensorFlow's full spelling of the parts that are set.
    public var description: String {
        var text = ""
        if let job { text += "/job:\(job)" }
        if let replica { text += "/replica:\(replica)" }
        if let task { text += "/task:\(task)" }
        if let kind { text += "/device:\(kind.rawValue):\(index.map(String.init) ?? "*")" }
        return text
    }
}
