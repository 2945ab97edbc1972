public import Dataflow
internal import Interchange

/// Reads ratings as MovieLens has them: F. M. Harper and J. A. Konstan, "The MovieLens datasets" (2015),
/// https://grouplens.org/datasets/movielens/. Files may be gzipped.
///
/// A row holds user, item, rating and perhaps the time, separated by tabs (`u.data`), commas (`ratings.csv`) or two colons
/// (`ratings.dat`); a header is told by its rating, which is no number. Features are user and item, both categorical, and so
/// are the columns after the time, if there are any; the time itself is passed over. The rating is the target of a
/// regression.
public enum RatingsReader {
    /// Reads both parts.
    ///
    /// - Parameters:
    ///   - testPath: a file with the test part; users and items that only it has are all the same unknown one.
    ///   - testFraction: the share held out by `seed` if there is no `testPath`.
    /// - Throws: `FormatError`.
    public static func split(
        path: String, testPath: String? = nil, testFraction: Double = 0.2, seed: UInt64 = 0
    ) throws -> DataSplit {
        try reader(path).split(path: path, testPath: testPath, testFraction: testFraction, seed: seed)
    }

    /// Reads a file without ratings and times: user, item and what else is categorical.
    ///
    /// - Parameter vocabularies: of the data that the model was trained on.
    /// - Returns: indices, N × `vocabularies.count`.
    /// - Throws: `FormatError`.
    public static func features(_ path: String, vocabularies: [Int: Vocabulary]) throws -> Tensor {
        let line = try firstLine(path)
        guard let layout = Layout(line), !layout.isDoubled else {
            throw FormatError(path: path, "must hold users and items in columns separated by tabs or commas")
        }
        guard layout.columns == vocabularies.count else {
            throw FormatError(
                path: path,
                "has \(layout.columns) columns; the model wants \(vocabularies.count) without rating and time: user, "
                    + "item" + (vocabularies.count > 2 ? ", …" : ""))
        }
        return try CSVReader(separator: layout.separator).features(path, vocabularies: vocabularies)
    }

    /// How the columns of a file are separated.
    private struct Layout {
        let separator: UInt8
        /// Two colons stand between columns: to a reader of CSV, every second column is empty.
        let isDoubled: Bool
        let columns: Int

        /// nil if there is one column alone.
        init?(_ line: String) {
            guard let separator = ["::", "\t", ",", ";"].first(where: line.contains) else { return nil }
            self.separator = separator.utf8.first!
            isDoubled = separator == "::"
            columns = line.split(separator: separator, omittingEmptySubsequences: false).count
        }
    }

    private static func reader(_ path: String) throws -> CSVReader {
        let line = try firstLine(path)
        guard let layout = Layout(line), layout.columns >= 3 else {
            throw FormatError(
                path: path,
                "holds no ratings: user, item, rating and perhaps time are wanted, separated by tabs, commas or ::, got '"
                    + line.prefix(60) + "'")
        }
        let stride = layout.isDoubled ? 2 : 1
        let categories = (0..<layout.columns).filter { $0 < 2 || $0 > 3 }
        var reader = CSVReader(
            label: .index(2 * stride), separator: layout.separator, task: .regression,
            categorical: categories.map { .index($0 * stride) })
        if layout.columns > 3 { reader.skipped = [.index(3 * stride)] }
        if layout.isDoubled { reader.skipped += (1..<layout.columns).map { .index(2 * $0 - 1) } }
        return reader
    }

    /// The first line that is not empty, as far as 64 KiB reach.
    private static func firstLine(_ path: String) throws -> String {
        let source = try Gzip(path: path)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = try bytes.withUnsafeMutableBytes { try source.read(into: $0) }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        guard let line = text.split(whereSeparator: \.isNewline).first else {
            throw FormatError(path: path, "is empty")
        }
        return String(line)
    }
}
