internal import Training

extension JobConfig: CustomStringConvertible {
    /// "job 'digits': mlp on embedded, adam at 0.001, batches of 64, 5 epochs; 1 server, 2 workers, async". `yaml()` has all.
    public var description: String {
        "job '\(job)': \(model) on \(data), \(train); \(cluster)"
            + (checkpoint.directory == nil ? "" : "; checkpoints \(checkpoint)")
    }
}

extension JobConfig.Model: CustomStringConvertible {
    public var description: String { kind }
}

extension JobConfig.Data: CustomStringConvertible {
    public var description: String { ([format.rawValue] + [path].compactMap { $0 }).joined(separator: " ") }
}

extension JobConfig.Train: CustomStringConvertible {
    public var description: String {
        let length = epochs.map { Words.count($0, "epoch") } ?? Words.count(steps ?? 0, "step")
        return "\(self.optimizer.rawValue) at \(self.learningRate), batches of \(batch), \(length)"
    }
}

extension JobConfig.Cluster: CustomStringConvertible {
    /// Without the token.
    public var description: String {
        "\(Words.count(servers, "server")), \(Words.count(workers, "worker")), \(consistency)"
    }
}

extension JobConfig.Cluster.Consistency: CustomStringConvertible {
    /// As in YAML: `async`, `{sync: {backup: 1}}`.
    public var description: String { ValueFormat<Self>.consistency.write(self).yaml }
}

extension JobConfig.Devices: CustomStringConvertible {
    public var description: String { "workers on \(worker ?? "GPU 0 or the CPU"), servers on \(server)" }
}

extension JobConfig.Checkpoint: CustomStringConvertible {
    public var description: String {
        guard let directory else { return "none" }
        return "in \(directory)\(everySteps.map { " every \(Words.count($0, "step"))" } ?? "")"
    }
}

extension ConfigValue: CustomStringConvertible {
    /// The value as YAML, on one line.
    public var description: String { yaml }
}

extension ConfigurationError.Mistake: CustomStringConvertible {
    public var description: String {
        switch place {
        case .line(let line): "line \(line): \(text)"
        case .override(let override): "--set \(override): \(text)"
        case .property, .wholeFile: text
        }
    }
}

extension WireFormat: CustomStringConvertible {
    /// As in YAML: `float32`, `{top_k: 0.01}`.
    public var description: String { ValueFormat<Self>.wire.write(self).yaml }
}
