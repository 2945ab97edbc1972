public import Dataflow
public import Training

extension JobConfig {
    /// The train operation of the `train` section: its optimizer, with schedule and clipping.
    ///
    /// - Parameters:
    ///   - loss: a floating scalar, with its regularisation terms.
    ///   - data: the job's. A schedule without `train.decay_steps` runs over all updates of the job.
    public func minimize(_ loss: any Operand, data: DataSplit) -> Node {
        let steps = max(train.totalSteps(examples: data.training.count), 1)
        // Also with a constant rate, so that a job can continue from its checkpoint with another schedule.
        let globalStep = loss.node.graph.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        return train.optimizerSettings.makeOptimizer(steps: steps)
            .minimize(loss, globalStep: globalStep, clipNorm: train.clipNorm)
    }
}
