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
        path: String, testPath: String? = nil, testFraction: Double = 0.2, seed: UInt64 = 0,
        fitted: Preprocessing? = nil, allowsNewCategories: Bool = false
    ) throws -> DataSplit {
        try reader(path).split(
            path: path, testPath: testPath, testFraction: testFraction, seed: seed, fitted: fitted,
            allowsNewCategories: allowsNewCategories)
    }

    /// Reads ratings by the users and items of a model. Throws `FormatError`.
    public static func read(_ path: String, by fitted: Preprocessing) throws -> Dataset {
        try reader(path).read(path, by: fitted)
    }

    /// Reads a file of users and items, with or without ratings and times.
    ///
    /// - Parameter fitted: of the data that the model was trained on.
    /// - Returns: indices, N × D.
    /// - Throws: `FormatError`.
    public static func features(_ path: String, by fitted: Preprocessing) throws -> Tensor {
        guard let layout = Layout(try firstLine(path)) else {
            throw FormatError(path: path, "must hold users and items in columns separated by tabs, commas or ::")
        }
        var reader = CSVReader(separator: layout.separator, task: .regression)
        reader.isDoubled = layout.isDoubled
        return try reader.features(path, by: fitted)
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
        let categories = (0..<layout.columns).filter { $0 < 2 || $0 > 3 }
        var reader = CSVReader(
            label: .index(2), separator: layout.separator, task: .regression,
            categorical: categories.map { .index($0) },
            skipped: layout.columns > 3 ? [.index(3)] : [])
        reader.isDoubled = layout.isDoubled
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
