/// What elementwise operations do with texts, which they only pass on or compare.
enum TextElements {
    /// Whether a vertex with these attributes works on texts.
    static func areMeant(_ attributes: Attributes) -> Bool { attributes["T"] == .type(.string) }

    /// Element by element the text of input 1 where the condition (input 0) holds, else that of input 2; all three broadcast.
    static func choice(_ binding: KernelBinding, condition: Shape) -> Kernel {
        let output = binding.outputs[0].shape
        let places = zip(
            sources(condition, in: output),
            zip(sources(binding.inputs[1].shape, in: output), sources(binding.inputs[2].shape, in: output))
        ).map { ($0, $1.0, $1.1) }
        let slots = (binding.input(0), binding.input(1), binding.input(2), binding.output())
        return { frame in
            let condition = frame.pointer(slots.0, Bool.self)
            let (t, e) = (frame.pointer(slots.1, TextNumber.self), frame.pointer(slots.2, TextNumber.self))
            let out = frame.pointer(slots.3, TextNumber.self)
            for (i, place) in places.enumerated() { out[i] = condition[place.0] ? t[place.1] : e[place.2] }
        }
    }

    /// Whether the texts at each place are the same (or not), broadcast.
    static func comparison(_ binding: KernelBinding, areEqual: Bool) -> Kernel {
        let output = binding.outputs[0].shape
        let places = Array(
            zip(sources(binding.inputs[0].shape, in: output), sources(binding.inputs[1].shape, in: output)))
        let slots = (binding.input(0), binding.input(1), binding.output())
        return { frame in
            let (x, y) = (frame.pointer(slots.0, TextNumber.self), frame.pointer(slots.1, TextNumber.self))
            let out = frame.pointer(slots.2, Bool.self)
            for (i, place) in places.enumerated() { out[i] = (x[place.0] == y[place.1]) == areEqual }
        }
    }
}
