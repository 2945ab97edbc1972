import Cluster
import Testing

@Suite("Room for pushes that wait")
struct ParkingSpaceTests {
    private static func held(_ parts: [(bundle: Int, bytes: Int)]) -> [ParkingSpace.Held] {
        parts.enumerated().map { .init(token: $0, bundle: $1.bundle, bytes: $1.bytes) }
    }

    @Test("a push waits if there is room, or if it helps to finish what has waited longest")
    func admission() {
        let space = ParkingSpace(limit: 100)
        #expect(space.admits(40, bundle: 7, besides: Self.held([(3, 60)])))
        #expect(!space.admits(41, bundle: 7, besides: Self.held([(3, 60)])))
        #expect(space.admits(41, bundle: 3, besides: Self.held([(3, 60), (4, 40)])))
        #expect(!space.admits(41, bundle: 4, besides: Self.held([(3, 60), (4, 40)])))
        #expect(space.admits(1000, bundle: 1, besides: []))
    }

    @Test("whoever comes first, all bundles of a step are finished and the limit is kept", arguments: 1...20)
    func progress(seed: Int) {
        var random = UInt64(seed)
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        let (workers, bundles, size) = (5, 12, 10)
        let space = ParkingSpace(limit: workers * size)
        // Each worker pushes the bundles in order, a few at a time, and repeats those that found no room.
        var sent = [[Int]](repeating: Array(0..<bundles), count: workers)
        var held: [ParkingSpace.Held] = []
        var finished = 0
        var tries = 0
        while finished < bundles, tries < 100_000 {
            tries += 1
            let worker = next(workers)
            guard !sent[worker].isEmpty else { continue }
            let place = next(min(4, sent[worker].count))
            let bundle = sent[worker][place]
            guard space.admits(size, bundle: bundle, besides: held) else { continue }
            sent[worker].remove(at: place)
            held.append(.init(token: tries, bundle: bundle, bytes: size))
            #expect(held.reduce(0) { $0 + $1.bytes } <= 2 * space.limit)
            if held.count(where: { $0.bundle == bundle }) == workers {
                held.removeAll { $0.bundle == bundle }
                finished += 1
            }
        }
        #expect(finished == bundles)
    }

    @Test("bundles are so small that all workers' pushes of one fit in half of the memory")
    func bundleLimit() {
        var cluster = JobConfig().cluster
        cluster.workers = 8
        #expect(cluster.bundleLimit(lanes: 2) == BundleLayout.limit)
        cluster.transport = .tcp
        #expect(cluster.bundleLimit(lanes: 2) == BundleLayout.socketLimit)
        cluster.serverMemory = 16 << 20
        #expect(cluster.bundleLimit(lanes: 2) == 512 << 10)
        cluster.serverMemory = 1 << 20
        #expect(cluster.bundleLimit(lanes: 2) == BundleLayout.leastLimit)
    }
}
