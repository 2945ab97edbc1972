import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What a child has done so far, in a file that outlives it: it may be gone at any input.
struct Progress {
    /// Kinds of outcome that are counted.
    static let kinds = 8
    /// Fields whose reach is counted.
    static let fields = 1024
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Finding("\(path) cannot be opened (errno \(errno))") }
    }

    func close() { Glibc.close(descriptor) }

    /// The input that is being read, and how many ended how.
    func store(input: Int, outcomes: [Int]) {
        let values = [input] + outcomes
        values.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Counts a field that was reached.
    func count(field: Int) {
        let offset = off_t((1 + Progress.kinds + field) * MemoryLayout<Int>.size)
        var value = 0
        withUnsafeMutableBytes(of: &value) { _ = pread(descriptor, $0.baseAddress, $0.count, offset) }
        value += 1
        withUnsafeBytes(of: value) { _ = pwrite(descriptor, $0.baseAddress, $0.count, offset) }
    }

    /// How often each field was reached.
    func reached() -> [Int] {
        var values = [Int](repeating: 0, count: Progress.fields)
        let offset = off_t((1 + Progress.kinds) * MemoryLayout<Int>.size)
        values.withUnsafeMutableBytes { _ = pread(descriptor, $0.baseAddress, $0.count, offset) }
        return values
    }

    func load() -> (input: Int, outcomes: [Int]) {
        var values = [Int](repeating: 0, count: 1 + Progress.kinds)
        values.withUnsafeMutableBytes { _ = pread(descriptor, $0.baseAddress, $0.count, 0) }
        return (values[0], Array(values.dropFirst()))
    }
}

/// Reads inputs one after the other, in a process that may die of any.
struct Reading<Tested: Subject> {
    let subject: Tested
    let seed: UInt64
    let inputs: Range<Int>
    /// Bytes by which the process may grow for one input.
    static var growthLimit: Int { 256 << 20 }

    /// - Throws: `Finding` with what is wrong with the input that `progress` names.
    func run(_ progress: Progress?) throws {
        var outcomes = [Int](repeating: 0, count: Progress.kinds)
        let kinds = Array(Tested.Depth.allCases)
        for input in inputs {
            progress?.store(input: input, outcomes: outcomes)
            let before = Reading.peak
            var chance = Chance(seed: seed, input: input)
            let depth: Tested.Depth
            do { depth = try subject.read(&chance) } catch { throw Finding("\(error)") }
            for field in subject.takeReached() { progress?.count(field: field) }
            guard Reading.peak - before < Self.growthLimit else {
                throw Finding("it took \((Reading.peak - before) >> 20) MiB of memory")
            }
            outcomes[kinds.firstIndex { $0.rawValue == depth.rawValue } ?? 0] += 1
        }
        progress?.store(input: inputs.upperBound, outcomes: outcomes)
        if progress == nil { print(Reading.text(outcomes)) }
    }

    static func text(_ outcomes: [Int]) -> String {
        zip(Tested.Depth.allCases, outcomes).map { "\($1) \($0.rawValue)" }.joined(separator: ", ")
    }

    /// The most memory that the process has had, in bytes.
    private static var peak: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss << 10
    }
}
