/// The suites that exercise operations which have no file of TensorFlow's numbers in `Vectors`.
///
/// Such a suite has the trait `.exercises(suite)`, which checks that its tests run these operations.
package enum ExercisingSuite: String, CaseIterable, Sendable {
    case operationTable = "OperationTableTests"
    case tour = "TourTests"
    case optimizers = "OptimizerOperationTests"
    case updates = "UpdateTests"
    case mathematics = "MathTests"
    case reductions = "ReductionTests"
    case dynamicStitch = "DynamicStitchTests"
    case passing = "PassingTests"
    case loops = "LoopTests"
    case branches = "CondTests"
    case controlFlow = "ControlFlowTests"
    case handles = "ResourceTests"
    case lookupTables = "LookupTableTests"
    case texts = "TextTests"
    case checkpoints = "CheckpointOperationTests"
    case tensorLists = "TensorListTests"
    case conformance = "ConformanceTests"

    /// The operations that the suite must run.
    package var operations: Set<String> {
        switch self {
        case .operationTable:
            ["BroadcastGradientArgs", "ConcatOffset", "Const", "InvertPermutation", "Placeholder"]
        case .tour:
            ["Assign", "NoOp", "VariableV2"]
        case .optimizers:
            [
                "ApplyAdadelta", "ApplyAdagrad", "ApplyAdagradV2", "ApplyAdam", "ApplyCenteredRMSProp", "ApplyFtrl",
                "ApplyGradientDescent", "ApplyMomentum", "ApplyRMSProp",
            ]
        case .updates:
            [
                "ApplyAdagradDA", "AssignAdd", "AssignSub", "IsVariableInitialized", "ResourceApplyAdagradDA",
                "ResourceSparseApplyAdagradDA", "SparseApplyAdagradDA", "StopGradient", "Variable",
            ]
        case .mathematics:
            ["Acosh", "Inv", "InvGrad", "Polygamma"]
        case .reductions:
            ["Cumprod"]
        case .dynamicStitch:
            ["DynamicStitch"]
        case .passing:
            ["EnsureShape", "PlaceholderV2", "PlaceholderWithDefault"]
        case .loops:
            [
                "EmptyTensorList", "StatelessWhile", "TensorListLength", "TensorListPopBack", "TensorListPushBack",
                "While",
            ]
        case .branches:
            ["If", "StatelessIf"]
        case .controlFlow:
            [
                "RefEnter", "RefExit", "RefMerge", "RefNextIteration", "StackCloseV2", "TensorArrayCloseV3",
                "TensorArrayConcatV3", "TensorArraySizeV3", "TensorArraySplitV3",
            ]
        case .handles:
            [
                "DisableCopyOnRead", "ResourceApplyAdagradV2", "ResourceApplyKerasMomentum", "ResourceScatterDiv",
                "ResourceScatterMax", "ResourceScatterMul", "ResourceScatterNdAdd", "ResourceScatterNdMax",
                "ResourceScatterNdMin", "ResourceScatterNdSub", "ResourceScatterNdUpdate",
                "ResourceSparseApplyAdagradV2", "ResourceStridedSliceAssign", "ScatterDiv", "ScatterMin",
                "ScatterNdAdd", "ScatterNdMax", "ScatterNdMin", "ScatterNdSub", "ScatterNdUpdate",
                "SparseApplyAdagradV2", "StridedSliceAssign", "VarIsInitializedOp", "VariableShape",
            ]
        case .lookupTables:
            [
                "HashTable", "InitializeTable", "InitializeTableFromTextFile", "InitializeTableFromTextFileV2",
                "InitializeTableV2", "LookupTableExport", "LookupTableFind", "LookupTableImport", "LookupTableInsert",
                "LookupTableSize", "MutableDenseHashTable", "MutableHashTable", "MutableHashTableOfTensors",
            ]
        case .texts:
            ["AudioSummary", "PrintV2"]
        case .checkpoints:
            ["MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2", "Save", "SaveSlices", "SaveV2"]
        case .tensorLists:
            ["TensorListConcat", "TensorListScatter"]
        case .conformance:
            [
                "ApplyAdaMax", "ApplyAddSign", "ApplyFtrlV2", "ApplyPowerSign", "ApplyProximalAdagrad",
                "ApplyProximalGradientDescent", "AsString", "Assert", "AssignAddVariableOp", "AssignSubVariableOp",
                "AssignVariableOp", "AudioSummaryV2", "Case", "ControlTrigger", "CountUpTo", "DecodeRaw", "Enter",
                "Exit", "For", "HashTableV2", "HistogramSummary", "ImageSummary", "LookupTableExportV2",
                "LookupTableFindV2", "LookupTableImportV2", "LookupTableInsertV2", "LookupTableRemoveV2",
                "LookupTableSizeV2", "LoopCond", "Merge", "MergeSummary", "MutableDenseHashTableV2",
                "MutableHashTableOfTensorsV2", "MutableHashTableV2", "NextIteration", "OptionalFromValue",
                "OptionalGetValue", "OptionalNone", "PartitionedCall", "Print", "ReadVariableOp", "ReduceJoin",
                "RefSwitch", "RegexFullMatch", "RegexReplace", "ResourceApplyAdaMax", "ResourceApplyAdadelta",
                "ResourceApplyAdagrad", "ResourceApplyAdam", "ResourceApplyAdamWithAmsgrad", "ResourceApplyAddSign",
                "ResourceApplyCenteredRMSProp", "ResourceApplyFtrl", "ResourceApplyFtrlV2",
                "ResourceApplyGradientDescent", "ResourceApplyMomentum", "ResourceApplyPowerSign",
                "ResourceApplyProximalAdagrad", "ResourceApplyProximalGradientDescent", "ResourceApplyRMSProp",
                "ResourceCountUpTo", "ResourceGather", "ResourceGatherNd", "ResourceScatterAdd", "ResourceScatterMin",
                "ResourceScatterSub", "ResourceScatterUpdate", "ResourceSparseApplyAdadelta",
                "ResourceSparseApplyAdagrad", "ResourceSparseApplyCenteredRMSProp", "ResourceSparseApplyFtrl",
                "ResourceSparseApplyFtrlV2", "ResourceSparseApplyKerasMomentum", "ResourceSparseApplyMomentum",
                "ResourceSparseApplyProximalAdagrad", "ResourceSparseApplyProximalGradientDescent",
                "ResourceSparseApplyRMSProp", "ScalarSummary", "ScatterAdd", "ScatterMax", "ScatterMul", "ScatterSub",
                "ScatterUpdate", "ShardedFilename", "ShardedFilespec", "SparseApplyAdadelta", "SparseApplyAdagrad",
                "SparseApplyCenteredRMSProp", "SparseApplyFtrl", "SparseApplyFtrlV2", "SparseApplyMomentum",
                "SparseApplyProximalAdagrad", "SparseApplyProximalGradientDescent", "SparseApplyRMSProp",
                "SparseCross", "SparseCrossHashed", "SparseCrossV2", "StackPopV2", "StackPushV2", "StackV2",
                "StatefulPartitionedCall", "StatelessCase", "StaticRegexFullMatch", "StaticRegexReplace",
                "StringFormat", "StringJoin", "StringLength", "StringLower", "StringSplit", "StringSplitV2",
                "StringStrip", "StringToHashBucket", "StringToHashBucketFast", "StringToHashBucketStrong",
                "StringToNumber", "StringUpper", "Substr", "Switch", "SymbolicGradient", "TensorArrayGatherV3",
                "TensorArrayGradV3", "TensorArrayReadV3", "TensorArrayScatterV3", "TensorArrayV3",
                "TensorArrayWriteV3", "TensorListConcatLists", "TensorListConcatV2", "TensorListElementShape",
                "TensorListFromTensor", "TensorListGather", "TensorListGetItem", "TensorListPushBackBatch",
                "TensorListReserve", "TensorListResize", "TensorListScatterIntoExistingList", "TensorListScatterV2",
                "TensorListSetItem", "TensorListSplit", "TensorListStack", "TensorSummary", "TensorSummaryV2",
                "VarHandleOp",
            ]
        }
    }
}
