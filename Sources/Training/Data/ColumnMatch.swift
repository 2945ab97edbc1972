internal import Interchange

/// Which column of a file is which of a model: by name, or by place where there are no names.
struct ColumnMatch: Equatable {
    enum Role: Equatable {
        /// By its place among the model's features.
        case feature(Int)
        case label, ignored
    }

    /// One for each column of the file.
    let roles: [Role]

    /// Finds the model's columns in a file with a header, in any order.
    ///
    /// A label that is not wanted may be there all the same, and so may what the model's training file had to be ignored.
    /// Columns that share a name are taken in their order.
    ///
    /// - Throws: `FormatError` that lists what the file has and what the model takes.
    init(
        _ table: TableLayout, header: [String], path: String, ignored names: Set<String>, wantsLabel: Bool,
        isHeaderCertain: Bool
    ) throws {
        var wanted: [String: [Role]] = [:]
        let features = table.features.enumerated().map {
            (place: $1.place, name: $1.name ?? "", role: Role.feature($0))
        }
        let label = table.label.map { [(place: $0.place, name: $0.name ?? "", role: Role.label)] } ?? []
        for column in (features + label).sorted(by: { $0.place > $1.place }) {
            wanted[column.name, default: []].append(column.role)
        }
        let passed = names.union(table.ignored.compactMap(\.name))
        var unknown: [String] = []
        roles = header.map { name in
            if let role = wanted[name]?.popLast() { return role }
            if !passed.contains(name) { unknown.append(name) }
            return .ignored
        }
        let found = Set(roles.compactMap { if case .feature(let place) = $0 { place } else { nil } })
        var missing = table.features.indices.filter { !found.contains($0) }.map { table.features[$0].name ?? "" }
        if wantsLabel, !roles.contains(.label), let label = table.label?.name { missing.append(label) }
        guard !unknown.isEmpty || !missing.isEmpty else { return }
        var text =
            "has the columns \(Self.list(header)); the model takes \(Self.list(table.features.map { $0.name ?? "" }))"
        if let label = table.label?.name { text += wantsLabel ? " and tells \(label)" : ", with or without \(label)" }
        if !missing.isEmpty { text += "; missing: \(Self.list(missing))" }
        if !unknown.isEmpty {
            text += "; unknown: \(Self.list(unknown)) (leave them out, or name them in data.ignore)"
        }
        if !isHeaderCertain, unknown.count == header.count {
            text += "; if the first line names no columns, say data.header: false"
        }
        throw FormatError(path: path, text)
    }

    /// Finds the model's columns in a file without names: all of the training file's columns, or its features alone, or these
    /// and the label, in the training file's order.
    ///
    /// - Throws: `FormatError` if the file has another number of columns.
    init(_ table: TableLayout, count: Int, path: String, wantsLabel: Bool) throws {
        var all = table.features.enumerated().map { (place: $1.place, role: Role.feature($0)) }
        let labelled = all + (table.label.map { [(place: $0.place, role: Role.label)] } ?? [])
        if count == table.width {
            all = labelled + table.ignored.map { (place: $0.place, role: .ignored) }
        } else if count == labelled.count {
            all = labelled
        } else if count != all.count || wantsLabel {
            let features = Self.list(table.features.enumerated().map { $1.name ?? "feature \($0 + 1)" })
            let label = wantsLabel ? " and the label" : ", with or without the label"
            throw FormatError(
                path: path,
                "has \(count) \(count == 1 ? "column" : "columns") and no header; the model takes "
                    + "\(table.features.count) (\(features))\(label)")
        }
        roles = all.sorted { $0.place < $1.place }.map(\.role)
    }

    /// Whether the first line of a file names columns of `table`: all features, or some column that is no number.
    static func isHeader(_ first: [String], of table: TableLayout) -> Bool {
        guard table.isNamed else { return false }
        let features = Set(table.features.compactMap(\.name))
        let names = features.union((table.ignored + [table.label].compactMap { $0 }).compactMap(\.name))
        return features.isSubset(of: first) || first.contains { names.contains($0) && !CSVCells.isNumber($0) }
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(12).map { $0.isEmpty ? "''" : $0 }.joined(separator: ", ")
        return names.count > 12 ? shown + ", … (\(names.count))" : shown
    }
}
