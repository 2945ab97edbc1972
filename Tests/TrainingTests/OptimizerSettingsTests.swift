import Dataflow
import Testing
import Training

@Suite("Optimizers by the names of configurations")
struct OptimizerSettingsTests {
    @Test("each name makes its optimizer", arguments: OptimizerSettings.Name.allCases)
    func names(name: OptimizerSettings.Name) {
        var settings = OptimizerSettings()
        settings.optimizer = name
        settings.learningRate = 0.5
        let optimizer = settings.makeOptimizer(steps: 10)
        let names: [OptimizerSettings.Name: String] = [
            .gradientDescent: "GradientDescent", .nesterov: "Momentum", .rmsprop: "RMSProp", .adamw: "AdamW",
        ]
        #expect(optimizer.name == names[name] ?? name.rawValue.prefix(1).uppercased() + name.rawValue.dropFirst())
        #expect(optimizer.learningRate == .constant(0.5))
    }

    @Test("the numbers reach the optimizer; epsilon has each optimizer's default")
    func numbers() throws {
        var settings = OptimizerSettings()
        (settings.optimizer, settings.momentum) = (.nesterov, 0.3)
        let momentum = try #require(settings.makeOptimizer(steps: 1) as? Momentum)
        #expect(momentum.momentum == 0.3 && momentum.nesterov)
        (settings.optimizer, settings.centered, settings.decay) = (.rmsprop, true, 0.2)
        var centered = try #require(settings.makeOptimizer(steps: 1) as? RMSProp)
        #expect(centered.centered && centered.decay == 0.2 && centered.epsilon == 1e-10)
        settings.epsilon = 0.1
        centered = try #require(settings.makeOptimizer(steps: 1) as? RMSProp)
        #expect(centered.epsilon == 0.1)
        (settings.optimizer, settings.epsilon, settings.beta1) = (.adam, nil, 0.7)
        let adam = try #require(settings.makeOptimizer(steps: 1) as? Adam)
        #expect(adam.beta1 == 0.7 && adam.beta2 == 0.999 && adam.epsilon == 1e-8)
        (settings.optimizer, settings.l1RegularizationStrength) = (.ftrl, 0.4)
        let ftrl = try #require(settings.makeOptimizer(steps: 1) as? Ftrl)
        #expect(ftrl.l1 == 0.4 && ftrl.l2 == 0 && ftrl.learningRatePower == -0.5)
    }

    @Test("schedules run over the job's updates, or over decay_steps")
    func schedules() {
        var settings = OptimizerSettings()
        (settings.learningRate, settings.endLearningRate) = (0.5, 0.1)
        let rate = { settings.makeOptimizer(steps: 80).learningRate }
        settings.schedule = .linear
        #expect(rate() == .polynomialDecay(initial: 0.5, steps: 80, end: 0.1))
        settings.decaySteps = 20
        #expect(rate() == .polynomialDecay(initial: 0.5, steps: 20, end: 0.1))
        settings.schedule = .cosine
        #expect(rate() == .cosineDecay(initial: 0.5, steps: 20, end: 0.1))
        (settings.schedule, settings.staircase) = (.exponential, true)
        #expect(rate() == .exponentialDecay(initial: 0.5, steps: 20, rate: 0.96, staircase: true))
    }

    @Test("every parameter is read by an optimizer or a schedule, and has a valid default")
    func parameters() {
        for parameter in OptimizerSettings.parameters {
            #expect(OptimizerSettings.Name.allCases.contains { $0.uses(parameter) }, "\(parameter.name)")
        }
        for parameter in OptimizerSettings.scheduleParameters {
            #expect(OptimizerSettings.Schedule.allCases.contains { $0.uses(parameter) }, "\(parameter.name)")
            #expect(!OptimizerSettings.Schedule.constant.uses(parameter), "\(parameter.name)")
        }
        for parameter in OptimizerSettings.parameters + OptimizerSettings.scheduleParameters {
            if case .number(let place, let bounds) = parameter.place {
                #expect(bounds.contains(OptimizerSettings()[keyPath: place]), "\(parameter.name)")
            }
        }
    }
}
