import Cluster
import Testing

/// Workers and bundles of a synchronous job, whose messages arrive in an order that a seed decides.
///
/// Bundle 0 is the arbiter. Each bundle hears of views on its own time, each view before the next is published.
@Suite("Schedules of synchronous steps")
struct SynchronousScheduleTests {
    private struct Worker {
        var number: Int
        var step = 0
        /// The view that divides its step; nil for a newcomer that waits for one which has it.
        var view: UInt64?
        /// The view of its next step, from the arbiter's reply.
        var nextView: UInt64?
        /// Bundles whose reply it lacks.
        var owed: Set<Int> = []
    }

    @Test("no schedule of arrivals, deaths and joins hangs, and gradients are always in the order of ranks")
    func schedules() {
        for seed in 0..<2000 { simulate(seed: UInt64(seed)) }
    }

    private func simulate(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let bundles = Int.random(in: 1...3, using: &random)
        let lastStep = 12
        var barriers = (0..<bundles).map { _ in SynchronousBarrier(nextStep: 0) }
        var heard = [Int](repeating: 0, count: bundles)
        // views[n - 1] is view n: incarnations in the order of ranks; a worker's number is its incarnation.
        var views: [[Int]] = [Array(0..<Int.random(in: 1...4, using: &random))]
        var born = views[0].count
        var alive: [Int: Worker] = [:]
        for number in views[0] { alive[number] = Worker(number: number, view: 1, owed: Set(0..<bundles)) }
        var owners: [(number: Int, step: Int)] = []
        var closed: Set<[Int]> = []
        var events = 0

        func carryOut(_ actions: [SynchronousBarrier.Action], bundle: Int) {
            for action in actions {
                switch action {
                case .close(let step, let contributions, let view):
                    #expect(closed.insert([bundle, step]).inserted, "a step closes once")
                    #expect(contributions.map(\.rank) == contributions.map(\.rank).sorted())
                    #expect(Set(contributions.map(\.worker)).count == contributions.count)
                    let weights = contributions.reduce(0) { $0 + $1.weight }
                    #expect(weights == 0 || abs(weights - 1) < 1e-9)
                    for contribution in contributions {
                        answer(contribution.token, bundle: bundle, view: view)
                    }
                case .answerCurrent(let token):
                    answer(token, bundle: bundle, view: barriers[bundle].stepView)
                case .refuse(let token, let sentence):
                    // Only the dead are ever refused.
                    #expect(alive[owners[token].number] == nil, "seed \(seed): \(sentence)")
                case .park, .replaceParked: break
                }
            }
        }

        func answer(_ token: Int, bundle: Int, view: UInt64) {
            let (number, step) = owners[token]
            guard var worker = alive[number], worker.step == step else { return }
            guard worker.view.map({ views[Int($0) - 1].contains(number) }) ?? false else {
                // A newcomer waits at the arbiter until it is in the view of the open step.
                worker.step = barriers[0].nextStep
                worker.view = view
                let isMember = view > 0 && views[Int(view) - 1].contains(number)
                worker.owed = isMember ? Set(0..<bundles) : [0]
                alive[number] = worker
                return
            }
            worker.owed.remove(bundle)
            if bundle == 0 { worker.nextView = view }
            if worker.owed.isEmpty {
                worker.step += 1
                worker.view = worker.nextView
                worker.owed = Set(0..<bundles)
            }
            alive[number] = worker
        }

        while alive.values.contains(where: { $0.step < lastStep }), events < 5000 {
            events += 1
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<15:
                // A bundle hears of the next view.
                guard let bundle = heard.indices.randomElement(using: &random), heard[bundle] < views.count else {
                    continue
                }
                heard[bundle] += 1
                let members = views[heard[bundle] - 1].enumerated().map {
                    (worker: $1, incarnation: UInt64($1), rank: $0)
                }
                carryOut(barriers[bundle].setMembers(members, view: UInt64(heard[bundle])), bundle: bundle)
            case 15..<17 where heard.allSatisfy { $0 == views.count } && alive.count > 1 && events < 500:
                guard let dead = alive.keys.sorted().dropFirst().randomElement(using: &random) else { continue }
                alive[dead] = nil
                views.append(views[views.count - 1].filter { $0 != dead })
            case 17..<19 where heard.allSatisfy { $0 == views.count } && alive.count < 5 && events < 500:
                views.append(views[views.count - 1] + [born])
                // It waits for the end of the arbiter's open step.
                alive[born] = Worker(number: born, step: barriers[0].nextStep, owed: [0])
                born += 1
            default:
                guard let number = alive.keys.sorted().randomElement(using: &random), let worker = alive[number],
                    worker.step < lastStep, let bundle = worker.owed.sorted().randomElement(using: &random)
                else { continue }
                // A newcomer pulls from each bundle until it has the values of its step.
                guard barriers[bundle].nextStep >= worker.step else { continue }
                let isMember = worker.view.map { views[Int($0) - 1].contains(number) } ?? false
                let examples = isMember ? Int.random(in: 0...8, using: &random) : 0
                owners.append((number, worker.step))
                carryOut(
                    barriers[bundle].push(
                        worker: number, incarnation: UInt64(number), step: worker.step, examples: examples,
                        token: owners.count - 1, view: isMember ? worker.view : nil),
                    bundle: bundle)
            }
        }
        #expect(alive.values.allSatisfy { $0.step == lastStep }, "seed \(seed) hangs")
    }
}
