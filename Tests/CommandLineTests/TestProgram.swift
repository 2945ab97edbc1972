import Foundation

/// The built program, which stands beside the program that runs the tests.
enum TestProgram {
    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "tributary").path
}
