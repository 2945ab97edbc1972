public import Dataflow
public import Training

/// One job, as its YAML describes it: model, data, training, cluster, devices and checkpoints.
///
/// `JobConfig()` is a whole job by itself: an MLP on the embedded digits, one server, two workers. Every property
/// has the default that its key has in YAML; the keys themselves stand in one table, `JobConfig.keys`. What takes a
/// configuration checks it by that table and throws `ConfigurationError` with all its mistakes.
public struct JobConfig: Sendable, Equatable {
    /// The job's name, shown in logs and in the status.
    public var job = "job"
    /// The seed of everything random: initial values, shuffling, dropout, the split of the data.
    public var seed = 1
    public var model = Model()
    public var data = Data()
    public var train = Train()
    public var cluster = Cluster()
    public var devices = Devices()
    public var checkpoint = Checkpoint()
    /// What of the data is read, and how: no key of the YAML, but what a checkpoint and a command ask for.
    public var reading = Reading()

    public init() {}

    /// The kinds of model that need no program of one's own.
    public static let builtInModelKinds: Set<String> = ["mlp", "cnn", "lstm", "wide_and_deep", "graph"]
}

extension JobConfig {
    /// What is trained.
    public struct Model: Sendable, Equatable {
        public var kind = "mlp"
        /// The units of each hidden layer, input side first; an empty list is a linear model.
        public var hidden = [128]
        public var activation = Activation.relu
        /// Of a convolutional network, the images' height and width, and channels where there are several; nil: as the data says.
        public var image: [Int]?
        /// Of a convolutional network, the filters of each block, input side first.
        public var filters = [32, 64]
        /// Of a convolutional network, the height and width of its kernels.
        public var kernel = 5
        /// Of a convolutional network, the height and width over which each block takes the greatest value; 1: no pooling.
        public var pool = 2
        /// Of a convolutional network, whether each block normalises over the batch.
        public var batchNormalization = false
        /// Of a recurrent network, the units of each layer.
        public var units = 128
        /// Of a recurrent network.
        public var layers = 1
        /// Of a recurrent network, the time steps that the features are cut into; nil: as the data says, e.g. an image's rows.
        public var steps: Int?
        public var cell = Cell.lstm
        /// Of a wide and deep model, the numbers that stand for each category in its deep part.
        public var embedding = 16
        /// The initialiser of the weights; nil: He for the ReLU family, Glorot otherwise (`effectiveInitializer`).
        public var initializer: Initializer?
        /// The share of hidden units dropped in training, 0 ≤ dropout < 1.
        public var dropout = 0.0
        /// Of the products of matrices, on workers and in inference.
        public var precision = MatrixPrecision.float32
        /// The loss; nil: by the labels (cross-entropy for classes, squared error for numbers). Of an imported graph, its node.
        public var loss: Loss?
        /// The GraphDef of an imported graph, absolute.
        public var file: String?
        /// Of an imported graph, the operation that initialises its Variables, if not each has an `Assign` of its own.
        public var initialize: String?
        /// Of an imported graph, its train operation.
        public var train: String?
        /// What the placeholders of an imported graph are fed.
        public var feeds: [String: Feed] = [:]
        /// The nodes of an imported graph that are told beside the loss, by what to call them.
        public var metrics: [String: String] = [:]
        /// The node of an imported graph that `predict` prints.
        public var predictions: String?
        /// The units of the output layer; nil: as many as the labels need.
        public var outputs: Int?
        /// The keys under `model` that only a kind registered by a program knows.
        public var options: [String: ConfigValue] = [:]

        public init() {}

        /// The initialiser, or what the activation asks for: He (2015) for the ReLU family, else Glorot (2010).
        public var effectiveInitializer: Initializer {
            if let initializer { return initializer }
            switch activation {
            case .relu, .elu, .selu, .softplus, .leakyReLU, .relu6: return .heNormal
            case .sigmoid, .tanh, .none: return .glorotUniform
            }
        }

        public enum Activation: String, Sendable, CaseIterable {
            case relu, sigmoid, tanh, elu, selu, softplus
            case leakyReLU = "leaky_relu"
            case relu6, none
        }

        public enum Initializer: String, Sendable, CaseIterable {
            case heNormal = "he_normal"
            case heUniform = "he_uniform"
            case glorotNormal = "glorot_normal"
            case glorotUniform = "glorot_uniform"
            case truncatedNormal = "truncated_normal"
            case normal, uniform, zeros
        }

        /// The units of a recurrent network.
        public enum Cell: String, Sendable, CaseIterable { case lstm, gru }

        public enum Loss: Sendable, Equatable {
            case softmaxCrossEntropy, sigmoidCrossEntropy, meanSquaredError
            /// Of an imported graph: the node's name.
            case node(String)

            /// The names of those that layers are given.
            static let named: KeyValuePairs<String, Loss> = [
                "softmax_cross_entropy": .softmaxCrossEntropy, "sigmoid_cross_entropy": .sigmoidCrossEntropy,
                "mean_squared_error": .meanSquaredError,
            ]
        }

        /// What a placeholder is fed: examples, their labels, or whether it is training.
        public enum Feed: String, Sendable, CaseIterable {
            case features, labels
            case isTraining = "is_training"
        }
    }

    /// What it is trained on.
    public struct Data: Sendable, Equatable {
        public var format = Format.embedded
        /// The file or folder, absolute; nil only for the embedded data.
        public var path: String?
        /// How features are scaled; the scale is fitted on the training part.
        public var scale = Scale.none
        /// Which column of a CSV file holds the labels.
        public var labels = Column.last
        /// Which columns of a CSV file are categories: any text, as in an address or a kind.
        public var categorical: [Column] = []
        /// Whether the first line of a CSV file, or of ratings, names the columns.
        public var header = Header.automatic
        /// What stands for missing numbers of a CSV file; fitted on the training part.
        public var missing = FillRule.mean
        /// nil: of CSV a classification, of ratings a regression, of arrays what the labels' type says.
        public var task: Task?
        /// The file with the test part, absolute.
        public var testPath: String?
        /// The share held out for testing where the data has no test part of its own, 0 ≤ share < 1; nil: 0.2.
        public var testFraction: Double?
        /// Only the first so many training examples are used.
        public var limit: Int?
        /// What stands between the columns, one ASCII character (`::` too, in ratings); nil: a comma, of ratings what the
        /// first line has.
        public var separator: String?
        /// Which columns of a CSV file are passed over.
        public var ignore: [Column] = []

        public init() {}

        public enum Format: String, Sendable, CaseIterable { case embedded, idx, csv, npz, ratings }
        public enum Scale: String, Sendable, CaseIterable {
            case standardize
            case minMax = "min_max"
            case none
        }
        public enum Header: String, Sendable, CaseIterable {
            case automatic = "auto"
            case present = "true"
            case absent = "false"
        }
        public enum Task: String, Sendable, CaseIterable { case classification, regression }

        /// A column of a CSV file: the last one, the n-th (from 0), or the one with this name.
        public enum Column: Sendable, Equatable {
            case last
            case index(Int)
            case name(String)
        }
    }

    /// What `readData` reads.
    public struct Reading: Sendable, Equatable {
        /// A checkpoint's: columns, vocabularies, scale and classes are these; nil: they are fitted to the training part.
        public var preprocessing: Preprocessing?
        public var parts = Parts.all

        /// Which parts of the data are wanted; others may be empty. Only a fitted preprocessing can do without the training part.
        public enum Parts: Sendable { case all, test, none }

        public init(preprocessing: Preprocessing? = nil, parts: Parts = .all) {
            self.preprocessing = preprocessing
            self.parts = parts
        }
    }

    /// How it is trained.
    public struct Train: Sendable, Equatable {
        public var optimizer = Optimizer.adam
        public var learningRate = 0.001
        /// How the learning rate changes as updates are made.
        public var schedule = Schedule.constant
        /// The updates of a schedule's whole way (of one period where it is exponential); nil: all those of the job.
        public var decaySteps: Int?
        /// What an exponential schedule multiplies the rate by in each period.
        public var decayRate = 0.96
        /// An exponential schedule goes in steps, one a period.
        public var staircase = false
        /// Where a linear or cosine schedule ends.
        public var endLearningRate = 0.0
        /// For `momentum` and `nesterov`.
        public var momentum = 0.9
        /// The decay of RMSProp's mean square, and of Adadelta's.
        public var decay = 0.9
        /// RMSProp divides by the gradient's variance in place of its mean square.
        public var centered = false
        public var beta1 = 0.9
        public var beta2 = 0.999
        /// nil: what each rule has by itself.
        public var epsilon: Double?
        /// What part of a weight AdamW takes away in each update, times the learning rate.
        public var weightDecay = 0.01
        /// How FTRL's rate falls with the sum of squares: −0.5 is Adagrad's way, 0 not at all.
        public var learningRatePower = -0.5
        /// FTRL's own l1 and l2, which work in its update; `l1` and `l2` are terms of the loss.
        public var l1Strength = 0.0
        public var l2Strength = 0.0
        /// The examples of one update.
        public var batch = 64
        public var length = Length.epochs(1)
        public var l1 = 0.0
        public var l2 = 0.0
        /// The largest global norm of the gradients; nil: not clipped.
        public var clipNorm: Double?
        public var shuffle = true
        /// What to do about losses and gradients that are not finite numbers.
        public var onNaN = OnNaN.stop
        /// Divides a gradient by the number of updates made between its worker's pull and its push (Zhang et al. 2016,
        /// "Staleness-aware async-SGD").
        public var stalenessScaling = false
        /// Evaluates every so many updates, besides the end of each epoch and of the job.
        public var evaluateEverySteps: Int?
        /// What is told beside the loss and the model's own metrics, of the model's labels and predictions.
        public var metrics: [Metric.Named] = []

        public init() {}

        /// The whole passes over the data, if the job's length is given so. Setting them gives up `steps`; nil gives up
        /// the number that was set.
        public var epochs: Int? {
            get { if case .epochs(let count) = length { count } else { nil } }
            set {
                if let newValue {
                    length = .epochs(newValue)
                } else if epochs != nil {
                    length = Train().length
                }
            }
        }
        /// The updates, if the job's length is given so. Setting them gives up `epochs`; nil gives up the number that was
        /// set.
        public var steps: Int? {
            get { if case .steps(let count) = length { count } else { nil } }
            set {
                if let newValue {
                    length = .steps(newValue)
                } else if steps != nil {
                    length = Train().length
                }
            }
        }

        /// The updates that the job makes on so many training examples.
        public func totalSteps(examples: Int) -> Int {
            // All their examples can be counted too: a step has no more than there are.
            let most = min(1 << 52, (1 << 61) / max(examples, 1))
            if let steps { return min(max(steps, 0), most) }
            let batches = examples > 0 ? (examples - 1) / max(batch, 1) + 1 : 0
            let (count, overflow) = max(epochs ?? 1, 0).multipliedReportingOverflow(by: batches)
            return overflow ? most : min(count, most)
        }

        /// What to do about losses and gradients that are not finite numbers.
        public enum OnNaN: String, Sendable, CaseIterable {
            /// The job fails; the last checkpoint stays.
            case stop
            /// The step's update is left out.
            case skip
            /// It is told once, and training goes on.
            case ignore
        }

        /// When the job ends.
        public enum Length: Sendable, Equatable {
            case epochs(Int)
            case steps(Int)
        }

        public enum Schedule: String, Sendable, CaseIterable { case constant, linear, cosine, exponential }

        public enum Optimizer: String, Sendable, CaseIterable {
            case gradientDescent = "gradient_descent"
            case momentum, nesterov, adagrad, rmsprop, adam, adamw, adadelta, ftrl
        }
    }

    /// Who trains it.
    public struct Cluster: Sendable, Equatable {
        public var servers = 1
        public var workers = 2
        public var consistency = Consistency.async
        /// nil: the command's own choice (`inproc` for `train`, `ipc` for `launch`).
        public var transport: Transport?
        /// The coordinator's address, e.g. `tcp://10.0.0.5:7000`.
        public var address: String?
        /// Threads of a worker's session, executors of a server. nil: a worker takes its cores divided by the workers that
        /// share them, a server 1.
        public var threadsPerNode: Int?
        /// How long the job waits for its servers and workers to arrive.
        public var joinTimeout = Duration.seconds(60)
        public var heartbeatInterval = Duration.milliseconds(500)
        /// A node that is silent for so long is taken for dead.
        public var heartbeatTimeout = Duration.seconds(10)
        /// A job that is stopped ends within this time, with or without its last checkpoint. Kubernetes kills what has
        /// not ended 30 seconds after SIGTERM.
        public var stopTimeout = Duration.seconds(20)
        /// Servers and workers of one machine exchange tensors through memory that both map, whatever the transport.
        public var sharedMemory = true
        /// The bytes that a server may hold of pushes that wait or are on their way; nil: what comes of 4 MiB shards and
        /// the number of workers. Workers wait for room.
        public var serverMemory: Int?
        /// How gradients travel. Other than `float32` they go through sockets even where memory could be shared.
        public var wire = WireFormat.float32
        /// The secret that every node of the job must know.
        public var token: String?
        /// The file that holds the secret, absolute.
        public var tokenFile: String?
        /// Allows plain connections beyond this machine.
        public var insecure = false
        public var tls = TLS()

        public init() {}

        public enum Transport: String, Sendable, CaseIterable {
            case inproc, ipc, tcp
            case tls = "tls+tcp"
        }

        /// PEM files, absolute, and the name that the server's certificate must carry.
        public struct TLS: Sendable, Equatable {
            public var certificate: String?
            public var key: String?
            public var ca: String?
            /// The authority of clients: who connects must show a certificate that it has signed.
            public var clientCA: String?
            public var serverName: String?

            public init() {}
        }
    }

    /// Where it runs: TensorFlow's device names.
    public struct Devices: Sendable, Equatable {
        /// How workers of one host share its GPUs.
        public enum Sharing: String, Sendable, CaseIterable { case roundRobin = "round_robin" }

        /// Takes the CPU where a device that is asked for lacks a kernel or does not exist.
        public var softPlacement = false
        public var logDevicePlacement = false
        /// Where workers compute what has a kernel there; nil: GPU 0 if there is one, else the CPU.
        public var worker: String?
        public var server = "/cpu:0"
        /// Worker n takes GPU n modulo their number.
        public var workerGPUs: Sharing?
        /// Also counts OpenCL's CPU devices as GPUs.
        public var openCLCPU = false
        /// Bytes of a GPU's memory that a node may take; nil: all there is.
        public var gpuMemory: Int?
        /// Lets matrix products on GPUs use TF32.
        public var allowsTF32 = false

        public init() {}
    }

    /// Where and how often it is saved.
    public struct Checkpoint: Sendable, Equatable {
        /// The folder, absolute; nil: nothing is saved.
        public var directory: String?
        /// Saves every so many updates, besides the end of the job.
        public var everySteps: Int?
        /// How many checkpoints are kept.
        public var keep = 3

        public init() {}
    }
}
