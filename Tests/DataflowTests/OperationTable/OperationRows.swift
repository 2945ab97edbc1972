/// What the op table needs to know of single operations, each with its reason.
enum OperationRows {
    /// Operations without a vector file, and where they are exercised.
    static let exercisedElsewhere: [String: String] = [
        "Placeholder": "every case of the table that feeds",
        "Const": "every case of the table that does not feed",
        "VariableV2": "TourTests, OptimizerOperationTests: state",
        "Assign": "TourTests: the initialisers",
        "AssignAdd": "UpdateTests", "AssignSub": "UpdateTests",
        "IsVariableInitialized": "UpdateTests",
        "StopGradient": "UpdateTests",
        "NoOp": "TourTests: the initialisers",
        "ApplyGradientDescent": "OptimizerOperationTests",
        "ApplyMomentum": "OptimizerOperationTests", "ApplyAdagrad": "OptimizerOperationTests",
        "ApplyAdagradV2": "OptimizerOperationTests", "ApplyRMSProp": "OptimizerOperationTests",
        "ApplyCenteredRMSProp": "OptimizerOperationTests", "ApplyAdam": "OptimizerOperationTests",
        "ApplyAdadelta": "OptimizerOperationTests", "ApplyFtrl": "OptimizerOperationTests",
        "Acosh": "MathTests", "Inv": "MathTests", "InvGrad": "MathTests", "Polygamma": "MathTests",
        "Cumprod": "ReductionTests", "DynamicStitch": "DynamicStitchTests",
        "BroadcastGradientArgs": "the gradients of the binary operations' broadcast cases",
        "InvertPermutation": "the gradient of Transpose",
        "ConcatOffset": "the gradient of ConcatV2",
        "PlaceholderV2": "PassingTests", "PlaceholderWithDefault": "PassingTests", "EnsureShape": "PassingTests",
    ]

    /// Operations that have points without a derivative, at which central differences say nothing.
    static let kinks: [String: String] = [
        "Abs": "at 0", "Sign": "jumps at 0", "Relu": "at 0", "Relu6": "at 0 and 6", "LeakyRelu": "at 0",
        "Elu": "bends at 0", "Selu": "at 0", "Softsign": "bends at 0", "Max": "where two elements are the largest",
        "Min": "where two elements are the smallest", "Maximum": "where both are equal",
        "Minimum": "where both are equal",
        "ClipByValue": "at the limits", "MaxPool": "where two elements of a window are the largest",
        "TopKV2": "where two elements are equal", "DivNoNan": "at a divisor of 0", "FloorMod": "at multiples",
        "SegmentMax": "where two elements are the largest", "SegmentMin": "where two elements are the smallest",
        "UnsortedSegmentMax": "where two elements are the largest",
        "UnsortedSegmentMin": "where two elements are the smallest",
        "TensorScatterMax": "where two elements are the largest",
        "TensorScatterMin": "where two elements are the smallest", "NthElement": "where two elements are equal",
    ]

    /// Gradients that need an input known while the graph is built, so that it cannot be fed.
    static let gradientNeedsConstants: [String: String] = [
        "Sum": "the axes", "Mean": "the axes", "Max": "the axes", "Min": "the axes", "Prod": "the axes",
        "GatherV2": "the axis", "EuclideanNorm": "the axes",
    ]

    /// Gradients that need an input's rank known while the graph is built.
    static let gradientNeedsRanks: [String: String] = [
        "GatherV2": "to see params as rows along another axis than 0",
        "SparseToDense": "to tell whether there is one value for all places",
    ]

    /// Results further from TensorFlow's than 1e-5, and why.
    static let tolerance: [String: Double] = [:]

    /// Names that `tf.raw_ops` gives to inputs that the graph's format calls otherwise; they go by position.
    static let renamedInputs: Set<[String]> = [
        ["axis", "dim"], ["axis", "reduction_indices"], ["axis", "split_dim"], ["axis", "dimension"],
        ["x", "t"], ["y", "e"], ["condition", "input"],
    ]
}
