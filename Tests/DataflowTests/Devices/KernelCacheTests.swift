import Dataflow
import Foundation
import Testing

@Suite("Compiled kernels on disk")
struct KernelCacheTests {
    private let parent = FileManager.default.temporaryDirectory.appending(path: "kernels-\(UUID())").path
    private var folder: String { "\(parent)/tributary" }

    init() throws { try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true) }

    @Test("a kernel is found again by its key, in a folder that only its user can write to")
    func kept() throws {
        let cache = KernelCache(folder: folder)
        #expect(cache.read("key") == nil)
        cache.write([1, 2, 3], "key")
        #expect(cache.read("key") == [1, 2, 3] && cache.read("other") == nil)
        var facts = stat()
        #expect(stat(folder, &facts) == 0 && facts.st_mode & 0o777 == 0o700)
    }

    @Test("a folder that others can write to, or may have made, is not used: what is read runs")
    func shared() throws {
        let cache = KernelCache(folder: folder)
        cache.write([1, 2, 3], "key")
        for mode: mode_t in [0o777, 0o720, 0o1777] {
            chmod(folder, mode)
            #expect(cache.read("key") == nil)
            cache.write([4], "new")
        }
        chmod(folder, 0o700)
        #expect(cache.read("key") == [1, 2, 3] && cache.read("new") == nil)
        let link = "\(parent)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder)
        #expect(KernelCache(folder: link).read("key") == [1, 2, 3])
        // Only root can give a link to others.
        guard geteuid() == 0 else { return }
        #expect(lchown(link, 1, 1) == 0)
        #expect(KernelCache(folder: link).read("key") == nil)
    }
}
