public import Dataflow
public import Training

/// The configuration of a job: model, data, training, cluster, devices and checkpoints.
///
/// `JobConfig()` is a complete job: an MLP on the embedded digits, one server, two workers. Every property has the default
/// of its key in YAML; the table `JobConfig.keys` lists the keys. Everything that takes a configuration checks it by that
/// table and throws `ConfigurationError` with all its mistakes.
public struct JobConfig: Sendable, Equatable {
    /// The job's name, shown in logs and in the status.
    public var job = "job"
    /// The seed of all random numbers: initial values, shuffling, dropout, the split of the data.
    public var seed = 1
    public var model = Model()
    public var data = Data()
    public var train = Train()
    public var cluster = Cluster()
    public var devices = Devices()
    public var checkpoint = Checkpoint()
    /// What is read of the data, and how. Not in the YAML: set by a checkpoint or a command.
    public var reading = Reading()

    public init() {}

    /// The built-in kinds of model.
    public static let builtInModelKinds: Set<String> = ["mlp", "cnn", "lstm", "wide_and_deep", "graph"]
}

extension JobConfig {
    /// The model.
    public struct Model: Sendable, Equatable {
        public var kind = "mlp"
        /// The units of each hidden layer, input side first; an empty list is a linear model.
        public var hidden = [128]
        public var activation = Activation.relu
        /// cnn: the images' height, width and channels (1 if left out); nil: from the data.
        public var image: [Int]?
        /// cnn: the filters of each block, input side first.
        public var filters = [32, 64]
        /// cnn: the height and width of the kernels.
        public var kernel = 5
        /// cnn: the height and width of the max pooling of each block; 1: no pooling.
        public var pool = 2
        /// cnn: whether each block has batch normalization.
        public var batchNormalization = false
        /// lstm: the units of each layer.
        public var units = 128
        /// lstm: the number of layers.
        public var layers = 1
        /// lstm: the number of time steps that the features are cut into; nil: from the data, such as an image's rows.
        public var steps: Int?
        /// lstm: the kind of unit.
        public var cell = Cell.lstm
        /// wide_and_deep: the width of the embedding of each category.
        public var embedding = 16
        /// The initialiser of the weights; nil: the one that suits the activation (`effectiveInitializer`).
        public var initializer: Initializer?
        /// The share of hidden units that training drops, 0 ≤ dropout < 1.
        public var dropout = 0.0
        /// The precision of matrix products on workers and in predictions.
        public var precision = MatrixPrecision.float32
        /// The loss; nil: cross-entropy for classes, squared error for numbers. graph: the loss's node.
        public var loss: Loss?
        /// graph: the absolute path of the graph's file.
        public var file: String?
        /// graph: the operation that initialises its Variables, if they have no `Assign` of their own.
        public var initialize: String?
        /// graph: the train operation.
        public var train: String?
        /// graph: what each placeholder is fed.
        public var feeds: [String: Feed] = [:]
        /// graph: nodes to report besides the loss, by their names in reports.
        public var metrics: [String: String] = [:]
        /// graph: the node that `predict` prints.
        public var predictions: String?
        /// The units of the output layer; nil: the number of classes or targets.
        public var outputs: Int?
        /// Keys under `model` for a program's own kind of model.
        public var options: [String: ConfigValue] = [:]

        public init() {}

        /// `initializer`, or the one that suits the activation.
        public var effectiveInitializer: Initializer { initializer ?? activation.initializer }

        /// The units of a recurrent network.
        public enum Cell: String, Sendable, CaseIterable { case lstm, gru }

        public enum Loss: Sendable, Equatable {
            case softmaxCrossEntropy, sigmoidCrossEntropy, meanSquaredError
            /// A node of an imported graph.
            case node(String)

            /// The losses for layers, by their names.
            static let named: KeyValuePairs<String, Loss> = [
                "softmax_cross_entropy": .softmaxCrossEntropy, "sigmoid_cross_entropy": .sigmoidCrossEntropy,
                "mean_squared_error": .meanSquaredError,
            ]
        }

        /// What a placeholder is fed: examples, labels, or whether the run trains.
        public enum Feed: String, Sendable, CaseIterable {
            case features, labels
            case isTraining = "is_training"
        }
    }

    /// The data.
    public struct Data: Sendable, Equatable {
        public var format = Format.embedded
        /// The absolute path of the file or folder; nil only for the embedded data.
        public var path: String?
        /// How features are scaled; the scale is fitted to the training part.
        public var scale = Scaling.Kind.none
        /// csv: the column of the labels.
        public var labels = CSVReader.Column.last
        /// csv: the columns with categories, which are texts.
        public var categorical: [CSVReader.Column] = []
        /// csv, ratings: whether the first line names the columns.
        public var header = CSVReader.Header.automatic
        /// csv: what replaces missing numbers; fitted to the training part.
        public var missing = FillRule.mean
        /// nil: classification for csv, regression for ratings, by the labels' dtype for arrays.
        public var task: CSVReader.Task?
        /// The absolute path of the file with the test part.
        public var testPath: String?
        /// The share of the data that becomes the test part if it has none, 0 ≤ share < 1; nil: 0.2.
        public var testFraction: Double?
        /// The number of training examples to use, from the first; nil: all.
        public var limit: Int?
        /// The separator of columns, one ASCII character, or `::` in ratings; nil: a comma, or for ratings the separator of
        /// the first line.
        public var separator: String?
        /// csv: columns to ignore.
        public var ignore: [CSVReader.Column] = []

        public init() {}

        public enum Format: String, Sendable, CaseIterable { case embedded, idx, csv, npz, ratings }
    }

    /// What `readData` reads.
    public struct Reading: Sendable, Equatable {
        /// A checkpoint's columns, vocabularies, scale and classes; nil: they are fitted to the training part.
        public var preprocessing: Preprocessing?
        public var parts = Parts.all

        /// The parts of the data to read; others may be empty. Without `preprocessing` the training part is always read.
        public enum Parts: Sendable { case all, test, none }

        public init(preprocessing: Preprocessing? = nil, parts: Parts = .all) {
            self.preprocessing = preprocessing
            self.parts = parts
        }
    }

    /// The training.
    ///
    /// Settings of the optimizer are properties too: `train.momentum` is `train.optimizerSettings.momentum`.
    @dynamicMemberLookup
    public struct Train: Sendable, Equatable {
        /// The optimizer and its learning rate.
        public var optimizerSettings = OptimizerSettings()
        /// The number of examples in an update.
        public var batch = 64
        public var length = Length.epochs(1)
        public var l1 = 0.0
        public var l2 = 0.0
        /// The largest global norm of the gradients; nil: not clipped.
        public var clipNorm: Double?
        public var shuffle = true
        /// What happens after a loss or gradient that is not finite.
        public var onNaN = OnNaN.stop
        /// Divides a gradient by the number of updates between its worker's pull and push (Zhang et al. 2016,
        /// "Staleness-aware async-SGD").
        public var stalenessScaling = false
        /// Evaluates after every so many updates, besides the end of each epoch and of the job.
        public var evaluateEverySteps: Int?
        /// Metrics to report besides the loss and the model's own metrics.
        public var metrics: [Metric.Named] = []

        public init() {}

        /// The number of passes over the data, if `length` is in epochs. Setting it replaces `steps`; nil sets the default.
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
        /// The number of updates, if `length` is in steps. Setting it replaces `epochs`; nil sets the default.
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

        /// The number of updates in a job with this number of training examples.
        public func totalSteps(examples: Int) -> Int {
            // The examples of all steps are countable, too: a step has at most all examples.
            let most = min(1 << 52, (1 << 61) / max(examples, 1))
            if let steps { return min(max(steps, 0), most) }
            let batches = examples > 0 ? (examples - 1) / max(batch, 1) + 1 : 0
            let (count, overflow) = max(epochs ?? 1, 0).multipliedReportingOverflow(by: batches)
            return overflow ? most : min(count, most)
        }

        /// What happens after a loss or gradient that is not finite.
        public enum OnNaN: String, Sendable, CaseIterable {
            /// The job fails; its last checkpoint stays.
            case stop
            /// The step makes no update.
            case skip
            /// The log reports it once, and training continues.
            case ignore
        }

        /// When the job ends.
        public enum Length: Sendable, Equatable {
            case epochs(Int)
            case steps(Int)
        }

        public subscript<T>(dynamicMember setting: WritableKeyPath<OptimizerSettings, T>) -> T {
            get { optimizerSettings[keyPath: setting] }
            set { optimizerSettings[keyPath: setting] = newValue }
        }
    }

    /// The servers and workers.
    public struct Cluster: Sendable, Equatable {
        public var servers = 1
        public var workers = 2
        public var consistency = Consistency.async
        /// nil: the command's default (`inproc` for `train`, `ipc` for `launch`).
        public var transport: Transport?
        /// The coordinator's address, e.g. `tcp://10.0.0.5:7000`.
        public var address: String?
        /// The threads of a worker's session and the shard executors of a server. nil: a worker takes its share of the cores, a
        /// server 1.
        public var threadsPerNode: Int?
        /// How long the job waits for its servers and workers.
        public var joinTimeout = Duration.seconds(60)
        public var heartbeatInterval = Duration.milliseconds(500)
        /// A node without a heartbeat for this long counts as dead.
        public var heartbeatTimeout = Duration.seconds(10)
        /// A job that is stopped ends within this time, with or without its last checkpoint. Kubernetes kills a process 30
        /// seconds after SIGTERM.
        public var stopTimeout = Duration.seconds(20)
        /// Servers and workers on one machine exchange tensors through shared memory, with any transport.
        public var sharedMemory = true
        /// The most bytes of pushes that a server holds in memory or that are on their way to it; a server keeps more in files.
        /// nil: no limit besides 4 MiB shards and the number of workers.
        public var serverMemory: Int?
        /// The format of gradients in messages. Other formats than `float32` use sockets, not shared memory.
        public var wire = WireFormat.float32
        /// The secret that all nodes of the job share.
        public var token: String?
        /// The absolute path of the file with the secret.
        public var tokenFile: String?
        /// Allows plain connections to other machines.
        public var insecure = false
        public var tls = TLS()

        public init() {}

        public enum Transport: String, Sendable, CaseIterable {
            case inproc, ipc, tcp
            case tls = "tls+tcp"
        }

        /// Absolute paths of PEM files, and the name that the server's certificate must have.
        public struct TLS: Sendable, Equatable {
            public var certificate: String?
            public var key: String?
            public var ca: String?
            /// The authority of clients: a client must show a certificate signed by it.
            public var clientCA: String?
            public var serverName: String?

            public init() {}
        }
    }

    /// The devices, by TensorFlow's names.
    public struct Devices: Sendable, Equatable {
        /// How workers of one host share its GPUs.
        public enum Sharing: String, Sendable, CaseIterable { case roundRobin = "round_robin" }

        /// Uses the CPU if a device has no kernel or does not exist.
        public var softPlacement = false
        public var logDevicePlacement = false
        /// The device of workers; operations without a kernel for it run on the CPU. nil: GPU 0, or the CPU if there is none.
        public var worker: String?
        public var server = "/cpu:0"
        /// Worker n takes GPU n modulo their number.
        public var workerGPUs: Sharing?
        /// Also counts OpenCL's CPU devices as GPUs.
        public var openCLCPU = false
        /// The most bytes of a GPU's memory that a node takes; nil: all.
        public var gpuMemory: Int?
        /// Allows TF32 in matrix products on GPUs.
        public var allowsTF32 = false

        public init() {}
    }

    /// The checkpoints.
    public struct Checkpoint: Sendable, Equatable {
        /// The absolute path of the folder; nil: no checkpoints.
        public var directory: String?
        /// Saves after every so many updates, besides the end of the job.
        public var everySteps: Int?
        /// How many checkpoints are kept.
        public var keep = 3

        public init() {}
    }
}
