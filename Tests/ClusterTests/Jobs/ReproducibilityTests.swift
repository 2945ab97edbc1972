import Cluster
import Dataflow
import Foundation
import Testing
import Training

/// Bits of jobs over real sockets whose order of updates is known: every Variable, every slot and every step's loss.
@Suite("Jobs bit for bit", .serialized)
struct ReproducibilityTests {
    private func config(_ overrides: String, consistency: String = "sync") throws -> JobConfig {
        try JobConfig.parse(
            yaml: """
                job: bits
                model: { kind: mlp, hidden: [64], dropout: 0.2 }
                data: { format: embedded, scale: min_max, limit: 500 }
                train: { optimizer: adam, learning_rate: 0.003, batch: 50, epochs: 2 }
                cluster: { servers: 2, workers: 3, threads_per_node: 1, consistency: \(consistency) }
                """, overrides: overrides.split(separator: " ").map(String.init))
    }

    @Test(
        "two runs end with the same bits, whatever delays every message has",
        arguments: ["gradient_descent", "adam"], [true, false])
    func delays(optimizer: String, isShared: Bool) throws {
        let config = try config("train.optimizer=\(optimizer) cluster.shared_memory=\(isShared)")
        let job = MultilayerPerceptron()
        var arrivals: [[DelayingRelay.Arrival]] = []
        let runs = try [UInt64(1), 2].map { seed in
            try DelayedCluster.train(config, job, seed: seed) { arrivals.append($0) }
        }
        let prompt = try Trained(config, job) { try LocalCluster.train($0, job: job, options: $1) }
        for run in runs + [prompt] {
            #expect(run.report.status == .finished && run.report.steps == 20, "\(run.report.reason ?? "")")
            #expect(run.losses.count == 20 && run.losses == runs[0].losses)
            #expect(run.values.count >= 4 && run.values == runs[0].values)
            #expect(run.report.maxStaleness == 0 && run.report.missedExamples == 0)
        }
        // The delays did something: a step's gradients came in other orders.
        let orders = arrivals.map { run in
            Dictionary(grouping: run) { [$0.shard, $0.step] }.mapValues { $0.map(\.worker) }
        }
        #expect(orders[0].count >= 40 && orders[0].values.allSatisfy { Set($0) == [0, 1, 2] })
        #expect(orders[0] != orders[1] && Set(orders.flatMap(\.values)).count > 3)
    }

    /// A job in one process.
    private struct OneProcess {
        let prepared: PreparedJob
        let session: Session
        let gradients: [Node]

        init(_ config: JobConfig, _ job: some TrainingJob) throws {
            prepared = try PreparedJob(config, job)
            session = try Session(prepared.graph, options: SessionOptions(threads: 1))
            try session.execute(prepared.graph.globalVariablesInitializer())
            gradients = prepared.cut.pushedNodes
        }

        /// The gradients of a batch, and after them what is reported.
        func results(_ batch: [Int32]) throws -> [Tensor] {
            try session.run(
                gradients + prepared.reportedNodes,
                feeds: prepared.feeds(prepared.data.training, batch, training: true))
        }

        /// The graph's own update with these in the gradients' place.
        func update(_ values: some Sequence<Tensor>) throws {
            let feeds = Feeds(Dictionary(uniqueKeysWithValues: zip(gradients, values)))
            try session.execute(prepared.model.train, feeds: feeds)
        }

        var values: [String: [UInt8]] {
            get throws {
                var values: [String: [UInt8]] = [:]
                for variable in prepared.graph.variables {
                    values[variable.name] = try session.value(of: variable).withUnsafeBytes { [UInt8]($0) }
                }
                return values
            }
        }
    }

    /// The same steps in one process, each gradient computed from the values before the last update; the first of a lease
    /// from the newest, for a worker asks for one when all is done.
    private func late(
        _ config: JobConfig, _ job: some TrainingJob
    ) throws -> (losses: [Int: Double], values: [String: [UInt8]]) {
        let process = try OneProcess(config, job)
        let (prepared, session, gradients) = (process.prepared, process.session, process.gradients)
        let names = Set(prepared.cut.writes.map(\.variable.name))
        let trained = prepared.graph.variables.filter { names.contains($0.name) }
        var before = try trained.map { try session.value(of: $0) }
        var shards = BatchLeases(
            total: prepared.totalSteps, leaseSize: BatchLeases.leaseSize(total: prepared.totalSteps, workers: 1))
        var leased = 0..<0
        var schedule = prepared.schedule
        var losses: [Int: Double] = [:]
        for step in 0..<prepared.totalSteps {
            let batch = schedule.indices(ofBatch: step)
            session.setRandomStep(step)
            let newest = try trained.map { try session.value(of: $0) }
            if !leased.contains(step) {
                shards.complete(Array(leased), by: 0, incarnation: 1)
                // The first epoch's held-out accuracy is taken between.
                let limit = step < prepared.totalSteps / 2 ? prepared.totalSteps / 2 : prepared.totalSteps
                leased = try #require(shards.lease(to: 0, incarnation: 1, limit: limit).first)
                before = newest
            }
            for (variable, value) in zip(trained, before) { try session.assign(value, to: variable) }
            let results = try process.results(batch)
            for (variable, value) in zip(trained, newest) { try session.assign(value, to: variable) }
            before = newest
            losses[step] = try results[gradients.count].doubles[0]
            try process.update(results)
        }
        return (losses, try process.values)
    }

    @Test(
        "a pipelined worker alone comes to the bits of one process whose gradients are of values before the last update",
        arguments: ["gradient_descent", "adam"], [true, false])
    func pipelined(optimizer: String, isShared: Bool) throws {
        let config = try config(
            "train.optimizer=\(optimizer) cluster.workers=1 cluster.shared_memory=\(isShared)",
            consistency: "{async: {pipeline: true}}")
        let job = MultilayerPerceptron()
        let expected = try late(config, job)
        let got = try DelayedCluster.train(config, job, seed: 5, longest: 0.004)
        #expect(got.report.status == .finished && got.report.maxStaleness == 1, "\(got.report.reason ?? "")")
        #expect(got.losses.count == 20 && got.losses == expected.losses)
        #expect(got.values == expected.values && got.values.count >= 4)
    }

    /// The same steps in one process: the gradients of each rank's part of a batch, one after the other in one session, added
    /// up in the order of ranks, and then the graph's own update with the sum in the gradients' place.
    private func alone(
        _ config: JobConfig, _ job: some TrainingJob
    ) throws -> (losses: [Int: Double], values: [String: [UInt8]]) {
        let process = try OneProcess(config, job)
        let (prepared, session, gradients) = (process.prepared, process.session, process.gradients)
        var schedule = prepared.schedule
        var losses: [Int: Double] = [:]
        for step in 0..<prepared.totalSteps {
            let total = schedule.places(ofBatch: step).count
            var sums: [[Float]] = []
            var shapes: [Shape] = []
            var loss = 0.0
            for rank in 0..<config.cluster.workers {
                let part = schedule.indices(ofBatch: step, rank: rank, of: config.cluster.workers)
                session.setRandomStep(step, rank: rank)
                let results = try process.results(part)
                loss += try results[gradients.count].doubles[0] * Double(part.count)
                shapes = results.map(\.shape)
                let weight = Float(Double(part.count) / Double(total))
                let weighted = try results[..<gradients.count].map { try $0.array(of: Float.self).map { $0 * weight } }
                sums = rank == 0 ? weighted : zip(sums, weighted).map { zip($0, $1).map { $0 + $1 } }
            }
            losses[step] = loss / Double(total)
            try process.update(zip(sums, shapes).map { Tensor($0, sized: $1) })
        }
        return (losses, try process.values)
    }

    @Test(
        "workers and servers come to the bits of one process that adds up the same gradients in their order",
        arguments: ["gradient_descent", "momentum", "adam"], [1, 2, 3])
    func oneProcess(optimizer: String, workers: Int) throws {
        let config = try config("train.optimizer=\(optimizer) cluster.workers=\(workers)")
        let job = MultilayerPerceptron()
        let expected = try alone(config, job)
        let got = try DelayedCluster.train(config, job, seed: 3, longest: 0.004)
        #expect(got.report.status == .finished, "\(got.report.reason ?? "")")
        #expect(got.losses.count == 20 && got.losses == expected.losses)
        #expect(got.values.count >= 4)
        for (name, bytes) in got.values { #expect(bytes == expected.values[name], "\(name)") }
        // All that training changes is compared.
        #expect(Set(got.values.keys) == Set(expected.values.keys))
    }
}
