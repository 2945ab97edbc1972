/// An optimizer and its learning rate as configurations describe them: names and numbers.
///
/// To add an optimizer to configurations, add a case to `Name` and a line to `rule`. A number that no other optimizer has
/// is a property here with a line in `parameters`.
public struct OptimizerSettings: Sendable, Hashable {
    public var optimizer = Name.adam
    public var learningRate = 0.001
    /// How the learning rate changes from update to update.
    public var schedule = Schedule.constant
    /// The updates over which a schedule runs, or of one period of an exponential one; nil: all updates of the job.
    public var decaySteps: Int?
    /// An exponential schedule multiplies the learning rate by this in each period.
    public var decayRate = 0.96
    /// Whether an exponential schedule changes the rate only once a period.
    public var staircase = false
    /// Where a linear or cosine schedule ends.
    public var endLearningRate = 0.0
    public var momentum = 0.9
    /// How much of a mean of squares stays in each update.
    public var decay = 0.9
    public var beta1 = 0.9
    public var beta2 = 0.999
    /// nil: the optimizer's own default.
    public var epsilon: Double?
    /// RMSProp divides by the gradient's variance in place of its mean square.
    public var centered = false
    /// Each update takes this part of every weight away, times the learning rate.
    public var weightDecay = 0.01
    /// How FTRL's rate falls with the sum of squares: −0.5 is Adagrad's way, 0 not at all.
    public var learningRatePower = -0.5
    /// FTRL's own l1, part of its update and not of the loss.
    public var l1RegularizationStrength = 0.0
    /// FTRL's own l2, part of its update and not of the loss.
    public var l2RegularizationStrength = 0.0

    public init() {}

    /// The optimizers.
    public enum Name: String, Sendable, Hashable, CaseIterable {
        case gradientDescent = "gradient_descent"
        case momentum, nesterov, adagrad, rmsprop, adam, adamw, adadelta, ftrl
    }

    /// The schedules of the learning rate.
    public enum Schedule: String, Sendable, Hashable, CaseIterable { case constant, linear, cosine, exponential }

    /// The optimizer with its numbers.
    ///
    /// - Parameter steps: the updates of the whole job; a schedule without `decaySteps` runs over them.
    public func makeOptimizer(steps: Int) -> any Optimizer { rule(rate(over: steps).rate).optimizer }

    /// The optimizer at a learning rate, and the settings that it reads.
    private func rule(_ rate: LearningRate) -> (optimizer: any Optimizer, settings: [PartialKeyPath<Self>]) {
        switch optimizer {
        case .gradientDescent: (GradientDescent(learningRate: rate), [])
        case .momentum: (Momentum(learningRate: rate, momentum: momentum), [\.momentum])
        case .nesterov: (Momentum(learningRate: rate, momentum: momentum, nesterov: true), [\.momentum])
        case .adagrad: (Adagrad(learningRate: rate), [])
        case .rmsprop:
            (
                RMSProp(learningRate: rate, decay: decay, epsilon: epsilon ?? 1e-10, centered: centered),
                [\.decay, \.epsilon, \.centered]
            )
        case .adam:
            (
                Adam(learningRate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon ?? 1e-8),
                [\.beta1, \.beta2, \.epsilon]
            )
        case .adamw:
            (
                AdamW(
                    learningRate: rate, weightDecay: weightDecay, beta1: beta1, beta2: beta2, epsilon: epsilon ?? 1e-8),
                [\.weightDecay, \.beta1, \.beta2, \.epsilon]
            )
        case .adadelta: (Adadelta(learningRate: rate, decay: decay, epsilon: epsilon ?? 1e-8), [\.decay, \.epsilon])
        case .ftrl:
            (
                Ftrl(
                    learningRate: rate, learningRatePower: learningRatePower, l1: l1RegularizationStrength,
                    l2: l2RegularizationStrength),
                [\.learningRatePower, \.l1RegularizationStrength, \.l2RegularizationStrength]
            )
        }
    }

    /// The learning rate, and the settings that its schedule reads.
    private func rate(over steps: Int) -> (rate: LearningRate, settings: [PartialKeyPath<Self>]) {
        let steps = Double(decaySteps ?? steps)
        return switch schedule {
        case .constant: (.constant(learningRate), [])
        case .linear:
            (
                .polynomialDecay(initial: learningRate, steps: steps, end: endLearningRate),
                [\.decaySteps, \.endLearningRate]
            )
        case .cosine:
            (
                .cosineDecay(initial: learningRate, steps: steps, end: endLearningRate),
                [\.decaySteps, \.endLearningRate]
            )
        case .exponential:
            (
                .exponentialDecay(initial: learningRate, steps: steps, rate: decayRate, staircase: staircase),
                [\.decaySteps, \.decayRate, \.staircase]
            )
        }
    }
}

extension OptimizerSettings {
    /// A number or a flag of these settings, by the name that configurations use.
    public struct Parameter: Sendable {
        public let name: String
        public let place: Place

        public enum Place: Sendable {
            case number(any WritableKeyPath<OptimizerSettings, Double> & Sendable, Bounds)
            case optionalNumber(any WritableKeyPath<OptimizerSettings, Double?> & Sendable, Bounds)
            /// At least 1.
            case optionalCount(any WritableKeyPath<OptimizerSettings, Int?> & Sendable)
            case flag(any WritableKeyPath<OptimizerSettings, Bool> & Sendable)

            fileprivate var path: PartialKeyPath<OptimizerSettings> {
                switch self {
                case .number(let path, _): path
                case .optionalNumber(let path, _): path
                case .optionalCount(let path): path
                case .flag(let path): path
                }
            }
        }

        fileprivate init(_ name: String, _ place: Place) {
            self.name = name
            self.place = place
        }
    }

    /// The numbers that a parameter may be.
    public struct Bounds: Sendable {
        /// The end of "must be a number …".
        public let text: String
        public let contains: @Sendable (Double) -> Bool

        public static let positive = Bounds(text: "> 0") { $0 > 0 }
        public static let notNegative = Bounds(text: "≥ 0") { $0 >= 0 }
        public static let notPositive = Bounds(text: "≤ 0") { $0 <= 0 }
        public static let share = Bounds(text: "≥ 0 and < 1") { $0 >= 0 && $0 < 1 }
        public static let factor = Bounds(text: "> 0 and ≤ 1") { $0 > 0 && $0 <= 1 }
    }

    /// What some schedules have.
    public static let scheduleParameters: [Parameter] = [
        Parameter("decay_steps", .optionalCount(\.decaySteps)),
        Parameter("decay_rate", .number(\.decayRate, .factor)),
        Parameter("staircase", .flag(\.staircase)),
        Parameter("end_learning_rate", .number(\.endLearningRate, .notNegative)),
    ]

    /// What some optimizers have.
    public static let parameters: [Parameter] = [
        Parameter("momentum", .number(\.momentum, .share)),
        Parameter("decay", .number(\.decay, .share)),
        Parameter("beta1", .number(\.beta1, .share)),
        Parameter("beta2", .number(\.beta2, .share)),
        Parameter("epsilon", .optionalNumber(\.epsilon, .positive)),
        Parameter("centered", .flag(\.centered)),
        Parameter("weight_decay", .number(\.weightDecay, .notNegative)),
        Parameter("learning_rate_power", .number(\.learningRatePower, .notPositive)),
        Parameter("l1_regularization_strength", .number(\.l1RegularizationStrength, .notNegative)),
        Parameter("l2_regularization_strength", .number(\.l2RegularizationStrength, .notNegative)),
    ]
}

extension OptimizerSettings.Name {
    /// Whether the optimizer reads the parameter.
    public func uses(_ parameter: OptimizerSettings.Parameter) -> Bool {
        var settings = OptimizerSettings()
        settings.optimizer = self
        return settings.rule(0.001).settings.contains(parameter.place.path)
    }
}

extension OptimizerSettings.Schedule {
    /// Whether the schedule reads the parameter.
    public func uses(_ parameter: OptimizerSettings.Parameter) -> Bool {
        var settings = OptimizerSettings()
        settings.schedule = self
        return settings.rate(over: 1).settings.contains(parameter.place.path)
    }
}
