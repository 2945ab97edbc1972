/// How long compressed data may become: a file of some kilobytes can hold gigabytes of zeros.
enum InflationLimit {
    /// Bytes that are always taken.
    static let always = 256 << 20
    /// Bytes that are taken of each compressed one. Deflate reaches 1,032; data of use rarely comes to 100.
    static let ratio = 100
    /// Bytes that are never passed.
    static let most = 8 << 30

    /// The bytes that may come out of so many compressed ones.
    static func bytes(of compressed: Int) -> Int {
        let (product, overflow) = max(compressed, 0).multipliedReportingOverflow(by: ratio)
        return min(max(overflow ? most : product, always), most)
    }

    /// What an error says of the limit.
    static func words(_ compressed: Int) -> String {
        "more than the \(bytes(of: compressed)) bytes that are taken of so much compressed data"
    }
}
