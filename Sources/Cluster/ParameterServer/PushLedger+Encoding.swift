/// A ledger in a checkpoint that can't be one.
package struct LedgerInvalid: Error, Equatable, CustomStringConvertible {
    package var description: String
}

/// A ledger as the string map that a safetensors header carries: lists are separated by commas, ranges are written
/// `first-last`, workers `number:incarnation` and their last steps `number:incarnation:step`.
extension PushLedger {
    package var encoded: [String: String] {
        [
            "updates": String(updates),
            "batches": appliedBatches.ranges.map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ","),
            "staleness": "\(stalenessSum),\(stalenessMax),\(pushes)",
            "steps": lastStep.map { "\($0.key.worker):\($0.key.incarnation):\($0.value)" }.sorted()
                .joined(separator: ","),
            "fenced": fenced.map { "\($0.worker):\($0.incarnation)" }.sorted().joined(separator: ","),
        ]
    }

    /// Reads what `encoded` wrote; other keys are left alone.
    ///
    /// When a worker last got values isn't saved: a push to a restored server counts as fresh.
    ///
    /// - Throws: `LedgerInvalid`, naming the key and its value.
    package init(encoded: [String: String]) throws(LedgerInvalid) {
        self.init()
        updates = try Self.numbers("updates", of: encoded, groups: 1)[0][0]
        let staleness = try Self.numbers("staleness", of: encoded, groups: 3)
        (stalenessSum, stalenessMax, pushes) = (staleness[0][0], staleness[1][0], staleness[2][0])
        for pair in try Self.numbers("batches", of: encoded, separator: "-", width: 2) {
            guard pair[0] <= pair[1] else { throw Self.invalid("batches", of: encoded) }
            appliedBatches.insert(contentsOf: pair[0]..<pair[1] + 1)
        }
        for (holder, rest) in try Self.workers("steps", of: encoded) {
            guard rest.count == 1, let step = Int(rest[0]) else { throw Self.invalid("steps", of: encoded) }
            lastStep[holder] = step
        }
        for (holder, rest) in try Self.workers("fenced", of: encoded) {
            guard rest.isEmpty else { throw Self.invalid("fenced", of: encoded) }
            fenced.insert(holder)
        }
    }

    /// The comma-separated groups of `width` numbers each, none negative or near overflow.
    private static func numbers(
        _ key: String, of encoded: [String: String], separator: Character = " ", width: Int = 1, groups: Int? = nil
    ) throws(LedgerInvalid) -> [[Int]] {
        var lists: [[Int]] = []
        for item in (encoded[key] ?? "").split(separator: ",") {
            let list = item.split(separator: separator).compactMap { Int($0) }
            guard list.count == width, list.allSatisfy({ (0..<Int.max / 2).contains($0) }) else {
                throw invalid(key, of: encoded)
            }
            lists.append(list)
        }
        guard encoded[key] != nil, groups == nil || lists.count == groups else { throw invalid(key, of: encoded) }
        return lists
    }

    private static func workers(
        _ key: String, of encoded: [String: String]
    ) throws(LedgerInvalid) -> [(WorkerIdentity, rest: [Substring])] {
        guard let value = encoded[key] else { throw invalid(key, of: encoded) }
        var found: [(WorkerIdentity, rest: [Substring])] = []
        for item in value.split(separator: ",") {
            let parts = item.split(separator: ":")
            guard parts.count >= 2, let worker = Int(parts[0]), let incarnation = UInt64(parts[1]) else {
                throw invalid(key, of: encoded)
            }
            found.append((WorkerIdentity(worker: worker, incarnation: incarnation), Array(parts[2...])))
        }
        return found
    }

    private static func invalid(_ key: String, of encoded: [String: String]) -> LedgerInvalid {
        let value = encoded[key].map { "is '\($0)'" } ?? "is missing"
        return LedgerInvalid(description: "the checkpoint's record of applied pushes is damaged: '\(key)' \(value)")
    }
}
