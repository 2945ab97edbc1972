public import Dataflow
internal import Interchange

/// Reads ratings as MovieLens has them: F. M. Harper and J. A. Konstan, "The MovieLens datasets" (2015),
/// https://grouplens.org/datasets/movielens/. Files may be gzipped.
///
/// A row holds user, item, rating and perhaps the time, separated by tabs (`u.data`), commas (`ratings.csv`), semicolons or two
/// colons (`ratings.dat`); a header shows by its rating, which is no number. Features are user and item, both categorical,
/// and so are the columns after the time, if there are any; the time itself is passed over. The rating is the target of a
/// regression.
public struct RatingsReader: Sendable {
    public var header: CSVReader.Header
    /// One ASCII character, or `::`; nil: what the first line has outside quotes.
    public var separator: String?

    public init(header: CSVReader.Header = .automatic, separator: String? = nil) {
        self.header = header
        self.separator = separator
    }

    /// Reads both parts.
    ///
    /// - Parameters:
    ///   - testPath: a file with the test part; users and items that only it has are all the same unknown one.
    ///   - testFraction: the share held out by `seed` if there is no `testPath`.
    /// - Throws: `FormatError`.
    public func split(
        path: String, testPath: String? = nil, testFraction: Double = 0.2, seed: UInt64 = 0,
        fitted: Preprocessing? = nil, allowsNewCategories: Bool = false
    ) throws -> DataSplit {
        try reader(path).split(
            path: path, testPath: testPath, testFraction: testFraction, seed: seed, fitted: fitted,
            allowsNewCategories: allowsNewCategories)
    }

    /// Reads ratings by the users and items of a model. Throws `FormatError`.
    public func read(_ path: String, by fitted: Preprocessing) throws -> Dataset {
        try reader(path).read(path, by: fitted)
    }

    /// Reads a file of users and items, with or without ratings and times.
    ///
    /// - Parameter fitted: of the data that the model was trained on.
    /// - Returns: indices, N × D.
    /// - Throws: `FormatError`.
    public func features(_ path: String, by fitted: Preprocessing) throws -> Tensor {
        guard let layout = try layout(path, atLeast: 2) else {
            throw FormatError(path: path, "must hold users and items in columns separated by tabs, commas or ::")
        }
        return try reader(layout).features(path, by: fitted)
    }

    /// How the columns of a file are separated.
    private struct Layout {
        let separator: UInt8
        let isDoubled: Bool
        let columns: Int
    }

    private func reader(_ layout: Layout) -> CSVReader {
        var reader = CSVReader(header: header, separator: layout.separator, task: .regression)
        reader.isDoubled = layout.isDoubled
        reader.identifiers = 2
        return reader
    }

    private func reader(_ path: String) throws -> CSVReader {
        guard let layout = try layout(path, atLeast: 3) else {
            throw FormatError(
                path: path,
                "holds no ratings: user, item, rating and perhaps time are wanted, separated by tabs, commas or ::, got "
                    + CellFaults.excerpt(Self.firstLine(try TextFile.beginning(path))))
        }
        var reader = reader(layout)
        reader.label = .index(2)
        reader.categorical = (0..<layout.columns).filter { $0 < 2 || $0 > 3 }.map { .index($0) }
        if layout.columns > 3 { reader.skipped = [.index(3)] }
        return reader
    }

    /// The separator that cuts the first line into so many columns; nil if none does.
    private func layout(_ path: String, atLeast least: Int) throws -> Layout? {
        let bytes = try TextFile.beginning(path)
        let line = Self.firstLine(bytes)
        guard !line.isEmpty else { throw FormatError(path: path, "is empty") }
        // A separator within quotes is text. Where quotes are no quotes but inches, all of the line counts.
        let outside = String(decoding: Self.outsideQuotes(line), as: UTF8.self)
        let candidates = separator.map { [$0] } ?? ["::", "\t", ",", ";"]
        let likely = candidates.filter(outside.contains)
        for candidate in likely + candidates.filter({ !likely.contains($0) }) {
            guard let byte = candidate.utf8.first else { continue }
            let layout = bytes.withUnsafeBufferPointer { buffer in
                var cells = CSVCells(buffer, separator: byte, isDoubled: candidate == "::")
                _ = cells.startLine()
                return Layout(
                    separator: byte, isDoubled: candidate == "::", columns: CSVHead.row(&cells, buffer).count)
            }
            if layout.columns >= least { return layout }
        }
        return nil
    }

    /// The first line that is not blank; a line end within quotes does not end it.
    private static func firstLine(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        let start = bytes.firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? bytes.endIndex
        var isQuoted = false
        let end = bytes[start...].firstIndex { byte in
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            return !isQuoted && (byte == 0x0A || byte == 0x0D)
        }
        return bytes[start..<(end ?? bytes.endIndex)]
    }

    private static func outsideQuotes(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var isQuoted = false
        return line.filter { byte in
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            return !isQuoted
        }
    }
}
