import Foundation
import SwiftProtobuf

/// Walks through the numbers of a message of protocol buffers, and sets one of them to a number at an edge.
///
/// The generated code says which fields a message has: it is asked to decode field 1, 2, 3, …, and calls for each the method
/// of its type. No field can be forgotten here.
struct FieldWalk: Decoder {
    /// A field of numbers: its message's name, and its own.
    struct Field: Hashable {
        let message: String
        let number: Int
    }

    /// More fields than any message has.
    private static let mostFields = 64
    private var places: [(message: String, number: Int)] = []
    private(set) var fields: [Field] = []
    private var names: [Field: String] = [:]
    private let target: Int?
    private var chance: Chance
    /// The field that was set.
    private(set) var hit: Field?

    private init(target: Int?, _ chance: Chance) {
        self.target = target
        self.chance = chance
    }

    /// The names of all numbers of a message and of those in it, such as "Heartbeat.step".
    static func names<M: Message>(_ type: M.Type) -> [Field: String] {
        var walk = FieldWalk(target: nil, Chance(seed: 1, input: 0))
        walk.isNaming = true
        var message = M()
        walk.enter(&message)
        return walk.names
    }

    /// Sets one number, of the message or of one in it, to one at an edge. Messages that are not there are made, but of the
    /// kinds of request or reply only the one that is there is looked at.
    ///
    /// - Returns: the field.
    static func setEdge<M: Message>(_ message: inout M, _ chance: inout Chance) -> Field? {
        var survey = FieldWalk(target: nil, chance)
        survey.onlyPresent = true
        var copy = message
        survey.enter(&copy)
        guard !survey.fields.isEmpty else { return nil }
        var walk = FieldWalk(target: chance.below(survey.fields.count), chance)
        walk.onlyPresent = true
        walk.enter(&message)
        chance = walk.chance
        return walk.hit
    }

    /// Whether a kind of request or reply that is not there is passed over.
    private var onlyPresent = false

    private mutating func enter<M: Message>(_ message: inout M) {
        if isNaming { name(M.self) }
        places.append((M.protoMessageName, 0))
        try? message.decodeMessage(decoder: &self)
        places.removeLast()
    }

    mutating func nextFieldNumber() -> Int? {
        places[places.count - 1].number += 1
        return places[places.count - 1].number < Self.mostFields ? places[places.count - 1].number : nil
    }

    /// A number of any type.
    private mutating func leaf<T>(_ value: inout T, _ edges: [T]) {
        let field = Field(message: places[places.count - 1].message, number: places[places.count - 1].number)
        if fields.count == target {
            value = chance.pick(edges)
            hit = field
        }
        fields.append(field)
    }

    // MARK: Numbers at the edges

    private static func whole<T: FixedWidthInteger>(_ type: T.Type) -> [T] {
        let edges: [Int128] = [
            0, 1, -1, 1 << 31 - 1, 1 << 31, 1 << 31 + 1, -(1 << 31), -(1 << 31) - 1, 1 << 32 - 1, 1 << 32, 1 << 52,
            1 << 53 - 1,
            1 << 53, 1 << 53 + 1, 1 << 62, 1 << 63 - 1, 1 << 63, -(1 << 62), -(1 << 63) + 1, 1 << 64 - 1,
        ]
        return edges.compactMap { T(exactly: $0) } + [.max, .min]
    }

    private static let doubles: [Double] = [
        0, -0.0, 1, -1, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
        .leastNonzeroMagnitude, 0x1p31, 0x1p53, 0x1p63, -0x1p63, 0x1p64,
    ]

    private mutating func whole<T: FixedWidthInteger>(_ value: inout T) { leaf(&value, Self.whole(T.self)) }
    private mutating func whole<T: FixedWidthInteger>(_ value: inout T?) { leaf(&value, Self.whole(T.self)) }
    private mutating func whole<T: FixedWidthInteger>(_ value: inout [T]) {
        leaf(&value, Self.whole(T.self).map { [$0] } + [Self.whole(T.self)])
    }

    mutating func decodeSingularInt32Field(value: inout Int32) { whole(&value) }
    mutating func decodeSingularInt32Field(value: inout Int32?) { whole(&value) }
    mutating func decodeRepeatedInt32Field(value: inout [Int32]) { whole(&value) }
    mutating func decodeSingularInt64Field(value: inout Int64) { whole(&value) }
    mutating func decodeSingularInt64Field(value: inout Int64?) { whole(&value) }
    mutating func decodeRepeatedInt64Field(value: inout [Int64]) { whole(&value) }
    mutating func decodeSingularUInt32Field(value: inout UInt32) { whole(&value) }
    mutating func decodeSingularUInt32Field(value: inout UInt32?) { whole(&value) }
    mutating func decodeRepeatedUInt32Field(value: inout [UInt32]) { whole(&value) }
    mutating func decodeSingularUInt64Field(value: inout UInt64) { whole(&value) }
    mutating func decodeSingularUInt64Field(value: inout UInt64?) { whole(&value) }
    mutating func decodeRepeatedUInt64Field(value: inout [UInt64]) { whole(&value) }
    mutating func decodeSingularSInt32Field(value: inout Int32) { whole(&value) }
    mutating func decodeSingularSInt32Field(value: inout Int32?) { whole(&value) }
    mutating func decodeRepeatedSInt32Field(value: inout [Int32]) { whole(&value) }
    mutating func decodeSingularSInt64Field(value: inout Int64) { whole(&value) }
    mutating func decodeSingularSInt64Field(value: inout Int64?) { whole(&value) }
    mutating func decodeRepeatedSInt64Field(value: inout [Int64]) { whole(&value) }
    mutating func decodeSingularFixed32Field(value: inout UInt32) { whole(&value) }
    mutating func decodeSingularFixed32Field(value: inout UInt32?) { whole(&value) }
    mutating func decodeRepeatedFixed32Field(value: inout [UInt32]) { whole(&value) }
    mutating func decodeSingularFixed64Field(value: inout UInt64) { whole(&value) }
    mutating func decodeSingularFixed64Field(value: inout UInt64?) { whole(&value) }
    mutating func decodeRepeatedFixed64Field(value: inout [UInt64]) { whole(&value) }
    mutating func decodeSingularSFixed32Field(value: inout Int32) { whole(&value) }
    mutating func decodeSingularSFixed32Field(value: inout Int32?) { whole(&value) }
    mutating func decodeRepeatedSFixed32Field(value: inout [Int32]) { whole(&value) }
    mutating func decodeSingularSFixed64Field(value: inout Int64) { whole(&value) }
    mutating func decodeSingularSFixed64Field(value: inout Int64?) { whole(&value) }
    mutating func decodeRepeatedSFixed64Field(value: inout [Int64]) { whole(&value) }
    mutating func decodeSingularFloatField(value: inout Float) { leaf(&value, Self.doubles.map { Float($0) }) }
    mutating func decodeSingularFloatField(value: inout Float?) { leaf(&value, Self.doubles.map { Float($0) }) }
    mutating func decodeRepeatedFloatField(value: inout [Float]) { leaf(&value, Self.doubles.map { [Float($0)] }) }
    mutating func decodeSingularDoubleField(value: inout Double) { leaf(&value, Self.doubles) }
    mutating func decodeSingularDoubleField(value: inout Double?) { leaf(&value, Self.doubles) }
    mutating func decodeRepeatedDoubleField(value: inout [Double]) { leaf(&value, Self.doubles.map { [$0] }) }

    private func cases<E: SwiftProtobuf.Enum>(_ type: E.Type) -> [E] where E.RawValue == Int {
        [0, 1, 2, 3, -1, Int(Int32.max), Int(Int32.min)].compactMap { E(rawValue: $0) }
    }

    mutating func decodeSingularEnumField<E: SwiftProtobuf.Enum>(value: inout E) where E.RawValue == Int {
        leaf(&value, cases(E.self))
    }
    mutating func decodeSingularEnumField<E: SwiftProtobuf.Enum>(value: inout E?) where E.RawValue == Int {
        leaf(&value, cases(E.self))
    }
    mutating func decodeRepeatedEnumField<E: SwiftProtobuf.Enum>(value: inout [E]) where E.RawValue == Int {
        leaf(&value, [cases(E.self)])
    }

    mutating func decodeMapField<KeyType, ValueType: MapValueType>(
        fieldType: _ProtobufMap<KeyType, ValueType>.Type, value: inout _ProtobufMap<KeyType, ValueType>.BaseType
    ) {
        func edges<T>(_ numbers: [T]) -> [_ProtobufMap<KeyType, ValueType>.BaseType] {
            numbers.compactMap { ["late": $0] as? _ProtobufMap<KeyType, ValueType>.BaseType }
        }
        let all = edges(Self.whole(Int64.self)) + edges(Self.doubles)
        if !all.isEmpty { leaf(&value, all) }
    }
    mutating func decodeMapField<KeyType, ValueType>(
        fieldType: _ProtobufEnumMap<KeyType, ValueType>.Type, value: inout _ProtobufEnumMap<KeyType, ValueType>.BaseType
    ) where ValueType.RawValue == Int {}
    mutating func decodeMapField<KeyType, ValueType>(
        fieldType: _ProtobufMessageMap<KeyType, ValueType>.Type,
        value: inout _ProtobufMessageMap<KeyType, ValueType>.BaseType
    ) {}

    // MARK: Messages in messages

    mutating func decodeSingularMessageField<M: Message>(value: inout M?) {
        if isFlat || value == nil && onlyPresent && places.count == 1 { return }
        var message = value ?? M()
        let before = hit
        enter(&message)
        if value != nil || hit != before { value = message }
    }

    mutating func decodeRepeatedMessageField<M: Message>(value: inout [M]) {
        if isFlat { return }
        // One of them has the field; where there is none, one is made for it.
        let index = value.isEmpty ? nil : chance.below(value.count)
        var message = index.map { value[$0] } ?? M()
        let before = hit
        enter(&message)
        if let index { value[index] = message } else if hit != before { value = [message] }
    }

    mutating func handleConflictingOneOf() {}
    mutating func decodeSingularGroupField<G: Message>(value: inout G?) {}
    mutating func decodeRepeatedGroupField<G: Message>(value: inout [G]) {}
    mutating func decodeExtensionField(
        values: inout ExtensionFieldValueSet, messageType: any Message.Type, fieldNumber: Int
    ) {}

    // MARK: What is no number

    mutating func decodeSingularBoolField(value: inout Bool) {}
    mutating func decodeSingularBoolField(value: inout Bool?) {}
    mutating func decodeRepeatedBoolField(value: inout [Bool]) {}
    mutating func decodeSingularStringField(value: inout String) {}
    mutating func decodeSingularStringField(value: inout String?) {}
    mutating func decodeRepeatedStringField(value: inout [String]) {}
    mutating func decodeSingularBytesField(value: inout Data) {}
    mutating func decodeSingularBytesField(value: inout Data?) {}
    mutating func decodeRepeatedBytesField(value: inout [Data]) {}

    // MARK: Names

    /// Notes what the message's numbers are called: what JSON calls a message in which only that one is set.
    private mutating func name<M: Message>(_ type: M.Type) {
        guard names.keys.first(where: { $0.message == M.protoMessageName }) == nil else { return }
        let short = M.protoMessageName.split(separator: ".").dropFirst(2).joined(separator: ".")
        var walk = FieldWalk(target: .max, chance)
        walk.places = [(M.protoMessageName, 0)]
        walk.isFlat = true
        var message = M()
        try? message.decodeMessage(decoder: &walk)
        for (index, field) in walk.fields.enumerated() {
            var name: String?
            // Some of the edges are what a field has when it is not set.
            for seed in 0..<20 where name == nil {
                var one = FieldWalk(target: index, Chance(seed: UInt64(seed), input: 0))
                one.places = [(M.protoMessageName, 0)]
                one.isFlat = true
                var message = M()
                try? message.decodeMessage(decoder: &one)
                var options = JSONEncodingOptions()
                options.preserveProtoFieldNames = true
                name = (try? message.jsonString(options: options))?.split(separator: "\"").dropFirst().first.map(
                    String.init)
            }
            names[field] = "\(short).\(name ?? "\(field.number)")"
        }
    }

    /// Whether messages in the message are passed over.
    private var isFlat = false
    private var isNaming = false
}
