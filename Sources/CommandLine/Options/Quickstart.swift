/// The job of `tributary train` without a file: `configs/quickstart.yaml`.
package enum Quickstart {
    package static let yaml = """
        job: quickstart
        seed: 1
        model: { kind: mlp, hidden: [256, 128], dropout: 0.2, activation: relu }
        data: { format: embedded, scale: min_max }
        train: { optimizer: adam, learning_rate: 0.001, batch: 32, epochs: 12 }
        cluster: { servers: 1, workers: 2, consistency: async }
        """
}
