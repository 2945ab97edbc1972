/// Damage to a file that knows nothing of its format.
struct ByteDamage {
    /// Files to splice with.
    let others: [[UInt8]]

    func apply(to bytes: inout [UInt8], _ chance: inout Chance) {
        for _ in 0...chance.below(3) { applyOnce(to: &bytes, &chance) }
    }

    private func applyOnce(to bytes: inout [UInt8], _ chance: inout Chance) {
        guard !bytes.isEmpty else { return }
        let at = chance.below(bytes.count)
        switch chance.below(10) {
        case 0: bytes[at] ^= 1 << UInt8(chance.below(8))
        case 1: bytes[at] = chance.pick([0, 1, 0x7F, 0x80, 0xFE, 0xFF])
        case 2: bytes.removeSubrange(at..<min(at + 1 + chance.below(8), bytes.count))
        case 3: bytes.insert(UInt8(truncatingIfNeeded: chance.next()), at: at)
        case 4: bytes.removeSubrange(at...)
        case 5:
            let end = min(at + chance.below(64), bytes.count)
            bytes.insert(contentsOf: Array(bytes[at..<end]), at: chance.below(bytes.count))
        case 6:
            // A number of four or eight bytes, as headers have them.
            let value = UInt64(bitPattern: Int64(chance.integer()))
            for i in 0..<min(chance.pick([4, 8]), bytes.count - at) {
                bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
            }
        case 7:
            // A varint, as lengths and numbers of protocol buffers are.
            var value = UInt64(bitPattern: Int64(chance.integer()))
            var varint: [UInt8] = []
            while value >= 0x80 {
                varint.append(UInt8(truncatingIfNeeded: value) | 0x80)
                value >>= 7
            }
            varint.append(UInt8(value))
            bytes.replaceSubrange(at..<min(at + chance.pick([1, varint.count]), bytes.count), with: varint)
        case 8:
            // Nesting as texts have it: YAML, JSON, text protos, patterns; aliases of aliases.
            let opening = chance.pick([
                "[", "{", "(", "- ", "? ", "{a: ", "{\"a\":", "[{", "node { ", "attr { value { func { ",
                "&a [\u{2028}*a, *a, ",
            ])
            let nest = Array(String(repeating: opening, count: chance.pick([2, 63, 64, 65, 600, 3000])).utf8)
            bytes.insert(contentsOf: nest, at: at)
        default:
            guard !others.isEmpty else { return }
            let other = chance.pick(others)
            let start = chance.below(other.count)
            let end = min(start + chance.below(256), other.count)
            bytes.replaceSubrange(at..<min(at + chance.below(64), bytes.count), with: other[start..<end])
        }
    }
}
