public import Dataflow
public import Training

extension JobConfig {
    /// The train operation that the `train` section describes: its optimizer, with schedule and clipping.
    ///
    /// - Parameters:
    ///   - loss: a floating scalar, with the regularisation that is to be trained on.
    ///   - data: of the job; schedules run over all its updates unless `train.decay_steps` says otherwise.
    public func minimize(_ loss: any Operand, data: DataSplit) -> Node {
        let steps = train.decaySteps ?? max(train.totalSteps(examples: data.training.count), 1)
        // Counted under a constant rate too, so that a job can go on from a checkpoint with any schedule.
        let globalStep = loss.node.graph.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        return optimizer(learningRate(steps: Double(steps)))
            .minimize(loss, globalStep: globalStep, clipNorm: train.clipNorm)
    }

    private func learningRate(steps: Double) -> LearningRate {
        switch train.schedule {
        case .constant: .constant(train.learningRate)
        case .linear: .polynomialDecay(initial: train.learningRate, steps: steps, end: train.endLearningRate)
        case .cosine: .cosineDecay(initial: train.learningRate, steps: steps, end: train.endLearningRate)
        case .exponential:
            .exponentialDecay(
                initial: train.learningRate, steps: steps, rate: train.decayRate, staircase: train.staircase)
        }
    }

    private func optimizer(_ rate: LearningRate) -> any Training.Optimizer {
        switch train.optimizer {
        case .gradientDescent: GradientDescent(learningRate: rate)
        case .momentum: Momentum(learningRate: rate, momentum: train.momentum)
        case .nesterov: Momentum(learningRate: rate, momentum: train.momentum, nesterov: true)
        case .adagrad: Adagrad(learningRate: rate)
        case .rmsprop:
            RMSProp(learningRate: rate, decay: train.decay, epsilon: train.epsilon ?? 1e-10, centered: train.centered)
        case .adam:
            Adam(learningRate: rate, beta1: train.beta1, beta2: train.beta2, epsilon: train.epsilon ?? 1e-8)
        case .adamw:
            AdamW(
                learningRate: rate, weightDecay: train.weightDecay, beta1: train.beta1, beta2: train.beta2,
                epsilon: train.epsilon ?? 1e-8)
        case .adadelta: Adadelta(learningRate: rate, decay: train.decay, epsilon: train.epsilon ?? 1e-8)
        case .ftrl:
            Ftrl(
                learningRate: rate, learningRatePower: train.learningRatePower, l1: train.l1Strength,
                l2: train.l2Strength)
        }
    }
}
