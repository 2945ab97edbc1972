import Cluster

/// What simulated workers ask of the coordinator and hear from it, with heartbeats as `ViewWatcher` sends them.
extension SimulatedCluster {
    func askControl(_ request: ControlRequest, _ index: Int) {
        workers[index].asked += 1
        workers[index].askInHand = request
        let number = workers[index].asked
        ask(request, .worker(index), 2 * number)
        queue.add(.controlTimeout(.worker(index), number: 2 * number), at: now + .seconds(5))
    }

    private func sendBeat(_ index: Int) {
        var beat = NodeReport(.worker, workers[index].number ?? 0, incarnation: workers[index].incarnation)
        beat.view = workers[index].views.last?.number ?? 0
        beat.step = workers[index].steps
        beat.done = workers[index].reports
        beat.isLeaving = workers[index].isAskedToLeave && !workers[index].leavesAtOnce
        workers[index].reports = []
        workers[index].beatInHand = beat
        workers[index].beat += 1
        let number = 2 * workers[index].beat + 1
        ask(.heartbeat(beat), .worker(index), number)
        queue.add(.controlTimeout(.worker(index), number: number), at: now + .milliseconds(5500))
    }

    /// Odd numbers are heartbeats'.
    func retryControl(_ index: Int, _ number: Int) {
        guard !workers[index].isGone else { return }
        if number == 2 * workers[index].beat + 1, let beat = workers[index].beatInHand {
            workers[index].reports = beat.done + workers[index].reports
            sendBeat(index)
        } else if number == 2 * workers[index].asked, let request = workers[index].askInHand {
            askControl(request, index)
        }
    }

    func hear(_ reply: ControlReply, worker index: Int, _ number: Int) {
        guard !workers[index].isGone else { return }
        if number % 2 == 1 {
            guard number == 2 * workers[index].beat + 1, workers[index].beatInHand != nil else { return }
            workers[index].beatInHand = nil
            guard case .view(let view) = reply else { return refused(index, "\(reply)") }
            if view.number != workers[index].views.last?.number ?? 0 { workers[index].views.append(view) }
            if view.phase == .finished || view.phase == .failed {
                return leave(index)
            }
            sendBeat(index)
            switch workers[index].stage {
            case .waitingForView, .ready: goOn(index)
            default: break
            }
            return
        }
        guard number == 2 * workers[index].asked, workers[index].askInHand != nil else { return }
        workers[index].askInHand = nil
        switch reply {
        case .number(let number):
            workers[index].number = number
            workers[index].stage = .waitingForView
            sendBeat(index)
        case .lease(let work):
            workers[index].sums = []
            workers[index].state.given(work)
            workers[index].stage = .ready
            goOn(index)
        case .refused(let reason): refused(index, reason)
        case .view: break
        }
    }

    /// A refusal ends the worker; it is right only for one that the coordinator has given up.
    func refused(_ index: Int, _ reason: String) {
        if state.membership.alive(.worker).contains(where: { $0.incarnation == workers[index].incarnation }),
            state.phase == .training
        {
            breach("worker \(workers[index].number ?? -1), which lives, is refused: \(reason)")
        }
        end(index, isSeen: random.chance(0.5))
    }

    func leave(_ index: Int) {
        var last = NodeReport(.worker, workers[index].number ?? 0, incarnation: workers[index].incarnation)
        last.done = (workers[index].beatInHand?.done ?? []) + workers[index].reports
        last.step = workers[index].steps
        ask(.leave(last), .worker(index), 0)
        workers[index].stage = .gone
    }
}
