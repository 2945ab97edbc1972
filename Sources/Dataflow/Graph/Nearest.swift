/// The candidate that a mistyped word most likely meant: at most a third of its letters differ, or two
/// of four or five, or one of fewer.
package func nearest(to word: String, in candidates: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let lowered = word.lowercased().replacing("-", with: "_")
    let limit = word.count < 4 ? 1 : max(2, word.count / 3)
    var best: (distance: Int, candidate: String)?
    for candidate in candidates where abs(candidate.utf8.count - lowered.utf8.count) <= limit {
        let distance = editDistance(Array(lowered.utf8), Array(candidate.lowercased().utf8))
        if distance <= limit, distance < min(best?.distance ?? .max, candidate.utf8.count) {
            best = (distance, candidate)
        }
    }
    return best?.candidate
}

/// Letters inserted, removed, replaced, or swapped with their neighbour (optimal string alignment).
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
