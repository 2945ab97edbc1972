/// The part of a plan with TensorFlow 1's control flow. It runs vertices when tokens arrive at them, in frames (loops)
/// and iterations, as TensorFlow's executor does (Yu et al., "Dynamic control flow in large-scale machine learning",
/// 2018).
///
/// A token is a value, or it is dead: a `Switch` sends a dead token to the side that it does not take. A vertex runs
/// when all its inputs have arrived. If one of them is dead, the vertex is dead: it sends dead tokens on. A `Merge`
/// runs with the first value that arrives, and is dead if all its inputs are.
final class FrameProgram {
    /// The source of an input.
    enum Source {
        /// A value from outside the program. It is the same in every iteration.
        case outside(Plan.View)
        /// An output of another member.
        case member(Int, output: Int)
    }

    struct Member {
        let vertex: Vertex
        let inputs: [Source]
        /// How many of `inputs` other members make, and how many members control this one.
        let waitsFor: Int
        let controls: Int
        /// Inputs that are the memory of a Variable. A read of one must be a copy.
        let references: Set<Int>
        /// Inputs that are taken from a Variable itself, because a read made before would miss a write (`ReadHazards`).
        let current: [Int: Plan.View]
        let initializes: VariableBuffer?
        let reads: [VariableBuffer]
        /// The Variable that input 0 stands for.
        let variable: VariableBuffer?
        let role: Role
        /// The slots of outputs that are fetched; nil for the others.
        var slots: [Slot?]
        /// For each output, the inputs of members that it goes to. And the members that wait for the vertex by a
        /// control edge.
        var consumers: [[(member: Int, input: Int)]]
        var dependents: [Int] = []
    }

    /// The part that a vertex plays in control flow.
    enum Role {
        case compute, switchValue, merge, enter(frame: String, isConstant: Bool), exit, nextIteration, pass, trigger

        init(_ vertex: Vertex) throws {
            switch vertex.operation.name {
            case "Switch", "RefSwitch": self = .switchValue
            case "Merge", "RefMerge": self = .merge
            case "Enter", "RefEnter":
                self = .enter(
                    frame: try vertex.attributes.string("frame_name"),
                    isConstant: try vertex.attributes.bool("is_constant"))
            case "Exit", "RefExit": self = .exit
            case "NextIteration", "RefNextIteration": self = .nextIteration
            case "LoopCond": self = .pass
            case "ControlTrigger": self = .trigger
            default: self = .compute
            }
        }
    }

    private typealias Token = Tensor?

    /// The tokens that have arrived at a member in one iteration.
    private struct Arrivals {
        var inputs: [Int: Tensor] = [:]
        var waitsFor: Int
        var controls: Int
        var dead = 0
        var hasRun = false
        /// The input that arrived first, for a `Merge`.
        var first: Int?
    }

    private final class Frame {
        let name: String
        let parent: Frame?
        let parentIteration: Int
        /// For each iteration, what has arrived at its members, and how many members are about to run, in inner loops
        /// too.
        var iterations: [(arrivals: [Int: Arrivals], running: Int)] = [([:], 0)]
        /// The first iteration in which a member may still run. Those before it are forgotten.
        var firstLive = 0
        /// Constants that have entered. They are delivered in every iteration.
        var constants: [(member: Int, token: Token)] = []
        /// `Exit`s that were dead in the newest iteration. If they still are when the loop ends, they send dead tokens
        /// out.
        var deadExits: Set<Int> = []
        var children: [Int: [String: Frame]] = [:]
        /// How many values have yet to enter.
        var awaited: Int

        init(_ name: String, parent: Frame?, iteration: Int, awaits awaited: Int) {
            self.awaited = awaited
            self.name = name
            self.parent = parent
            parentIteration = iteration
        }
    }

    private struct Ready {
        let member: Int
        let frame: Frame
        let iteration: Int
        let isDead: Bool
    }

    let members: [Member]
    /// How many values enter each loop.
    private let entries: [String: Int]
    private var queue: [Ready] = []
    private var head = 0
    private var frames: [Frame] = []

    private let recorder: OperationRecorder?

    init(_ members: [Member], recorder: OperationRecorder?) {
        self.members = members
        self.recorder = recorder
        entries = members.reduce(into: [:]) { entries, member in
            if case .enter(let frame, _) = member.role { entries[frame, default: 0] += 1 }
        }
    }

    /// Runs members until none is ready.
    ///
    /// - Parameters:
    ///   - beforeEach: called before each vertex; throws if the run has timed out.
    ///   - outside: returns a value from outside the program.
    ///   - compute: computes a vertex's outputs.
    ///   - store: takes an output that is fetched.
    func run(
        beforeEach: () throws -> Void, outside: (Plan.View, _ copy: Bool) throws -> Tensor,
        compute: (Member, [Tensor]) throws -> [Tensor],
        store: (Slot, KeptTensor) -> Void
    ) throws {
        let root = Frame("", parent: nil, iteration: 0, awaits: 0)
        frames = [root]
        queue = []
        head = 0
        defer {
            // Frames refer to their parents and children. Without this, those of a run that throws would never be
            // freed.
            for frame in frames { frame.children = [:] }
            (frames, queue) = ([], [])
        }
        for (i, member) in members.enumerated() where member.waitsFor == 0 && member.controls == 0 {
            enqueue(Ready(member: i, frame: root, iteration: 0, isDead: false))
        }
        while true {
            while head < queue.count {
                let ready = queue[head]
                head += 1
                if head > 4096 {
                    queue.removeFirst(head)
                    head = 0
                }
                try beforeEach()
                do { try run(ready, outside, compute, store) } catch let error as GraphError {
                    throw error.at(members[ready.member].vertex)
                }
                settle(ready)
            }
            // All is done but loops whose `Exit`s were dead to the end, such as one that was never entered: send dead
            // tokens out.
            guard let ended = frames.last(where: { !$0.deadExits.isEmpty }), let parent = ended.parent else { return }
            let exits = ended.deadExits
            ended.deadExits = []
            for exit in exits.sorted() { try deliver(exit, [nil], to: parent, ended.parentIteration) }
        }
    }

    private func run(
        _ ready: Ready, _ outside: (Plan.View, Bool) throws -> Tensor, _ compute: (Member, [Tensor]) throws -> [Tensor],
        _ store: (Slot, KeptTensor) -> Void
    ) throws {
        let member = members[ready.member]
        // Tokens that arrive later, at a `Merge`, are ignored.
        let arrivals = ready.frame.iterations[ready.iteration].arrivals.updateValue(
            Arrivals(waitsFor: 0, controls: 0, hasRun: true), forKey: ready.member)
        func value(_ i: Int, copy: Bool = false) throws -> Tensor {
            if let view = member.current[i] { return try outside(view, copy) }
            switch member.inputs[i] {
            case .outside(let view): return try outside(view, copy)
            case .member:
                guard let tensor = arrivals?.inputs[i] else {
                    fatalError("\(member.vertex.name) runs without its input \(i)")
                }
                return copy
                    ? Tensor(dtype: tensor.dtype, sized: tensor.shape) { bytes in
                        tensor.withUnsafeBytes { bytes.copyMemory(from: $0) }
                    } : tensor
            }
        }
        var outputs = [Token](repeating: nil, count: max(member.vertex.outputs.count, 1))
        if !ready.isDead {
            recorder?.note([member.vertex.operation.name])
            switch member.role {
            case .switchValue:
                let side = try decision(member, value(1)).scalar(Bool.self) ? 1 : 0
                outputs[side] = try value(0)
            case .merge:
                let first = try arrivals?.first ?? firstOutside(member)
                outputs[0] = try value(first)
                outputs[1] = Tensor(Int32(first))
            case .enter, .exit, .nextIteration: outputs[0] = try value(0)
            case .pass: outputs[0] = try decision(member, value(0)).viewed(as: [])
            case .trigger: outputs[0] = Tensor.nothing
            case .compute:
                for variable in member.reads where !variable.isInitialized { throw variable.uninitialized }
                // A read of a Variable is copied, for a write may come before its use. Passing a handle on is no read.
                let operation = member.vertex.operation
                let isRead =
                    operation.writes.isEmpty
                    && operation.aliases.keys.contains { member.vertex.outputs[$0].dtype != .resource }
                let results = try compute(
                    member,
                    member.inputs.indices.map { try value($0, copy: isRead && member.references.contains($0)) })
                member.initializes?.isInitialized = true
                // A vertex without outputs sends a token too: others may wait for it.
                outputs = results.isEmpty ? [Tensor.nothing] : results
            }
        } else if case .trigger = member.role {
            outputs[0] = Tensor.nothing
        }
        for (slot, token) in zip(member.slots, outputs) {
            if let slot, let token { store(slot, KeptTensor(token)) }
        }
        switch member.role {
        case .enter(let name, let isConstant):
            let frame = child(name, of: ready.frame, ready.iteration)
            frame.awaited -= 1
            if isConstant {
                frame.constants.append((ready.member, outputs[0]))
                for iteration in frame.firstLive..<frame.iterations.count {
                    try deliver(ready.member, outputs, to: frame, iteration)
                }
            } else {
                try deliver(ready.member, outputs, to: frame, 0)
            }
        case .exit:
            guard let parent = ready.frame.parent else {
                throw GraphError("it is outside of a loop")
            }
            if outputs[0] == nil {
                if ready.iteration == ready.frame.iterations.count - 1 { ready.frame.deadExits.insert(ready.member) }
            } else {
                ready.frame.deadExits.remove(ready.member)
                try deliver(ready.member, outputs, to: parent, ready.frame.parentIteration)
            }
        case .nextIteration:
            guard outputs[0] != nil else { return }
            let next = ready.iteration + 1
            if next == ready.frame.iterations.count {
                ready.frame.iterations.append(([:], 0))
                ready.frame.deadExits = []
                for (constant, token) in ready.frame.constants {
                    try deliver(constant, [token], to: ready.frame, next)
                }
            }
            try deliver(ready.member, outputs, to: ready.frame, next)
        case .compute, .switchValue, .merge, .pass, .trigger:
            try deliver(ready.member, outputs, to: ready.frame, ready.iteration, isDead: ready.isDead)
        }
    }

    /// A predicate, which must have one element.
    private func decision(_ member: Member, _ value: Tensor) throws -> Tensor {
        guard value.elementCount == 1 else {
            throw GraphError("the predicate must be a scalar, got the shape \(value.shape)")
        }
        return value
    }

    /// The input of a `Merge` that comes from outside the program.
    private func firstOutside(_ member: Member) throws -> Int {
        guard let i = member.inputs.firstIndex(where: { if case .outside = $0 { true } else { false } }) else {
            fatalError("\(member.vertex.name) runs without an input")
        }
        return i
    }

    private func child(_ name: String, of parent: Frame, _ iteration: Int) -> Frame {
        if let known = parent.children[iteration]?[name] { return known }
        let frame = Frame(name, parent: parent, iteration: iteration, awaits: entries[name] ?? 0)
        parent.children[iteration, default: [:]][name] = frame
        frames.append(frame)
        return frame
    }

    /// Sends a member's outputs to the members that wait for them.
    private func deliver(
        _ source: Int, _ outputs: [Token], to frame: Frame, _ iteration: Int, isDead: Bool? = nil
    ) throws {
        let member = members[source]
        for (output, consumers) in member.consumers.enumerated() {
            for (target, input) in consumers {
                arrive(target, frame, iteration) { arrivals in
                    arrivals.waitsFor -= 1
                    if let token = outputs[output] {
                        arrivals.inputs[input] = token
                        arrivals.first = arrivals.first ?? input
                    } else {
                        arrivals.dead += 1
                    }
                }
            }
        }
        let dead = isDead ?? (outputs.first.map { $0 == nil } ?? false)
        for target in member.dependents {
            arrive(target, frame, iteration) { arrivals in
                arrivals.controls -= 1
                if dead { arrivals.dead += 1 }
            }
        }
    }

    private func arrive(_ target: Int, _ frame: Frame, _ iteration: Int, _ change: (inout Arrivals) -> Void) {
        let member = members[target]
        var arrivals =
            frame.iterations[iteration].arrivals[target]
            ?? Arrivals(waitsFor: member.waitsFor, controls: member.controls)
        guard !arrivals.hasRun else { return }
        change(&arrivals)
        frame.iterations[iteration].arrivals[target] = arrivals
        let isReady: Bool
        var isDead = arrivals.dead > 0
        switch member.role {
        case .merge:
            let isEntry = member.inputs.count > member.waitsFor
            let hasValue = arrivals.first != nil || isEntry
            // At the head of a loop one input arrives in the first iteration, and the other in all that follow.
            let isOver = member.vertex.loopInput == nil ? arrivals.waitsFor == 0 : arrivals.dead > 0
            isReady = arrivals.controls == 0 && (hasValue || isOver)
            isDead = !hasValue
        case .trigger:
            isReady = arrivals.controls == 0
            isDead = false
        default: isReady = arrivals.waitsFor == 0 && arrivals.controls == 0
        }
        guard isReady else { return }
        frame.iterations[iteration].arrivals[target]?.hasRun = true
        enqueue(Ready(member: target, frame: frame, iteration: iteration, isDead: isDead))
    }

    private func enqueue(_ ready: Ready) {
        queue.append(ready)
        count(ready.frame, ready.iteration, 1)
    }

    private func count(_ frame: Frame, _ iteration: Int, _ change: Int) {
        var (frame, iteration) = (frame, iteration)
        while true {
            frame.iterations[iteration].running += change
            guard let parent = frame.parent else { return }
            (frame, iteration) = (parent, frame.parentIteration)
        }
    }

    /// Forgets iterations that are over, so that a long loop takes no more memory than a short one.
    private func settle(_ ready: Ready) {
        count(ready.frame, ready.iteration, -1)
        let frame = ready.frame
        guard frame.awaited <= 0 else { return }
        while frame.firstLive < frame.iterations.count - 1, frame.iterations[frame.firstLive].running == 0 {
            let inner = frame.children[frame.firstLive] ?? [:]
            guard inner.values.allSatisfy(\.deadExits.isEmpty) else { return }
            frame.iterations[frame.firstLive].arrivals = [:]
            frame.children[frame.firstLive] = nil
            if !inner.isEmpty { frames.removeAll { other in inner.values.contains { $0 === other } } }
            frame.firstLive += 1
        }
    }
}
