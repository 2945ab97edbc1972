/// What a lane may hold of the bytes of pushes that wait for others.
package struct ParkingSpace: Sendable {
    /// A push that waits.
    package struct Held: Sendable {
        /// Grows with arrival.
        package var token: Int
        package var bundle: Int
        package var bytes: Int

        package init(token: Int, bundle: Int, bytes: Int) {
            self.token = token
            self.bundle = bundle
            self.bytes = bytes
        }
    }

    /// In bytes.
    package let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// Whether a push may wait too. Those of the bundle that has waited longest always may, so that it can be finished
    /// and make room; all that a step has of one bundle must fit beside the limit.
    package func admits(_ bytes: Int, bundle: Int, besides held: some Collection<Held>) -> Bool {
        let total = held.reduce(bytes) { $0 + $1.bytes }
        guard total > limit, let oldest = held.min(by: { $0.token < $1.token }) else { return true }
        return oldest.bundle == bundle
    }
}

extension JobConfig.Cluster {
    /// Whether tensors are to be expected to go through sockets.
    private var usesSockets: Bool {
        !sharedMemory || wire != .float32 || transport == .tcp || transport == .tls
    }

    /// The most bytes of a bundle: such that all workers' pushes of one fit in half of a server's memory for pushes, and
    /// that its messages, which sockets copy several times, stay in the cache meanwhile.
    package func bundleLimit(lanes: Int) -> Int {
        let most = usesSockets ? BundleLayout.socketLimit : BundleLayout.limit
        guard let serverMemory else { return most }
        return min(max(serverMemory / (2 * workers * max(lanes, 1)), BundleLayout.leastLimit), most)
    }

    /// What a worker may have on its way to servers, in bytes: enough to keep them busy, little enough for the cache; more
    /// if it is pipelined, for the rest of a step's travels in the next.
    ///
    /// - Parameter lanes: the number of lanes of each server.
    func window(lanes: [Int]) -> Int {
        let bundle = bundleLimit(lanes: lanes.max() ?? 1)
        let most =
            consistency.isPipelined
            ? 4 * BundleLayout.limit : min(bundle * max(2 * lanes.reduce(0, +), 2), 4 * BundleLayout.limit)
        guard let serverMemory else { return most }
        return min(max(serverMemory / (2 * workers), bundle), most)
    }
}
