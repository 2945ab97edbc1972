/// Which pieces of a device's memory are in use, by whom, and which are kept to be used again: decisions alone.
///
/// Sizes are rounded up, so that what one plan gave back fits the next. Pieces kept are freed when the limit is met.
package struct BufferPool<Address: Hashable> {
    package enum Decision: Equatable {
        /// This piece, kept from before, is yours.
        case reuse(Address)
        /// Free these, then make a new piece of so many bytes and tell `made`.
        case make(bytes: Int, freeing: [Address])
        /// It does not fit, whatever is freed.
        case refuse
    }

    private struct Piece {
        let bytes: Int
        var owner: String
    }

    /// Bytes that all pieces together may take.
    package let limit: Int
    /// Bytes in use and kept.
    package private(set) var total = 0
    private var used: [Address: Piece] = [:]
    /// Pieces kept, oldest first.
    private var kept: [(address: Address, bytes: Int)] = []

    package init(limit: Int) { self.limit = limit }

    /// Bytes that are in use.
    package var inUse: Int { used.values.reduce(0) { $0 + $1.bytes } }

    /// The size of the piece that `bytes` come in: a power of two below 1 MiB, else a multiple of an eighth of one.
    package static func rounded(_ bytes: Int) -> Int {
        let wanted = max(bytes, 256)
        let power = Int.bitWidth - (wanted - 1).leadingZeroBitCount
        let step = wanted <= 1 << 20 ? 1 << power : 1 << (power - 4)
        return (wanted + step - 1) / step * step
    }

    package mutating func take(_ bytes: Int, for owner: String) -> Decision {
        let size = Self.rounded(bytes)
        if let index = kept.lastIndex(where: { $0.bytes == size }) {
            let piece = kept.remove(at: index)
            used[piece.address] = Piece(bytes: size, owner: owner)
            return .reuse(piece.address)
        }
        guard inUse + size <= limit else { return .refuse }
        var freed: [Address] = []
        while total + size > limit {
            let piece = kept.removeFirst()
            total -= piece.bytes
            freed.append(piece.address)
        }
        return .make(bytes: size, freeing: freed)
    }

    /// A piece was made as `take` said.
    package mutating func made(_ address: Address, bytes: Int, for owner: String) {
        total += bytes
        used[address] = Piece(bytes: bytes, owner: owner)
    }

    package mutating func giveBack(_ address: Address) {
        guard let piece = used.removeValue(forKey: address) else { return }
        kept.append((address, piece.bytes))
    }

    /// Every piece that is kept, to be freed.
    package mutating func drain() -> [Address] {
        let result = kept.map(\.address)
        total -= kept.reduce(0) { $0 + $1.bytes }
        kept = []
        return result
    }

    /// Who holds how much, the most first: "'layer1/weights' 4 MiB, …".
    package var holders: String {
        var sums: [String: Int] = [:]
        for piece in used.values { sums[piece.owner, default: 0] += piece.bytes }
        let sorted = sums.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        guard !sorted.isEmpty else { return "nothing" }
        let named = sorted.prefix(4).map { "\($0.key) \(ByteSize.text($0.value))" }
        let rest = sorted.dropFirst(4).reduce(0) { $0 + $1.value }
        return (named + (rest > 0 ? ["\(sorted.count - 4) others \(ByteSize.text(rest))"] : [])).joined(separator: ", ")
    }
}
