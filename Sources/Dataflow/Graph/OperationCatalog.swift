/// Every operation there is, by TensorFlow's name: the one table. Its groups are the folders of `Operations/`.
public enum OperationCatalog {
    public static let operations: [any Operation.Type] = [
        // State
        Placeholder.self, Const.self, VariableV2.self, Assign.self, AssignAdd.self, AssignSub.self,
        IsVariableInitialized.self, Identity.self, StopGradient.self, NoOp.self, VarHandleOp.self, ReadVariableOp.self,
        VariableShape.self, VarIsInitializedOp.self, AssignVariableOp.self, AssignAddVariableOp.self,
        AssignSubVariableOp.self, ResourceGather.self, ScatterUpdate.self, ScatterAdd.self, ScatterSub.self,
        ScatterMul.self, ScatterMin.self, ScatterMax.self, ResourceScatterUpdate.self, ResourceScatterAdd.self,
        ResourceScatterSub.self, ResourceScatterMul.self, ResourceScatterMin.self, ResourceScatterMax.self,
        PlaceholderV2.self, PlaceholderWithDefault.self, IdentityN.self, Snapshot.self, EnsureShape.self,
        PreventGradient.self, CheckNumerics.self, CheckNumericsV2.self, VariableV1.self, ScatterDiv.self,
        ResourceScatterDiv.self, ScatterNdUpdate.self, ScatterNdAdd.self, ScatterNdSub.self, ScatterNdMin.self,
        ScatterNdMax.self, ResourceScatterNdUpdate.self, ResourceScatterNdAdd.self, ResourceScatterNdSub.self,
        ResourceScatterNdMin.self, ResourceScatterNdMax.self, StridedSliceAssign.self, ResourceStridedSliceAssign.self,
        CountUpTo.self, ResourceCountUpTo.self, ResourceGatherNd.self, DisableCopyOnRead.self,
        // Math
        AddV2.self, Sub.self, Mul.self, RealDiv.self, Neg.self, AddN.self, Square.self, Cast.self, Abs.self, Sign.self,
        Sqrt.self, SqrtGrad.self, Rsqrt.self, RsqrtGrad.self, Reciprocal.self, ReciprocalGrad.self, Inv.self,
        InvGrad.self, Exp.self, Expm1.self, Log.self, Log1p.self, Pow.self, Maximum.self, Minimum.self,
        ClipByValue.self, SquaredDifference.self, FloorDiv.self, FloorMod.self, DivNoNan.self, Floor.self, Ceil.self,
        Round.self, Rint.self, Sin.self, Cos.self, Tan.self, Asin.self, Acos.self, Atan.self, Atan2.self, Sinh.self,
        Cosh.self, Asinh.self, Acosh.self, Atanh.self, Erf.self, Lgamma.self, Digamma.self, Polygamma.self, Less.self,
        LessEqual.self, Greater.self, GreaterEqual.self, Equal.self, NotEqual.self, LogicalAnd.self, LogicalOr.self,
        LogicalNot.self, SelectV2.self, IsNan.self, IsInf.self, IsFinite.self, Add.self, Div.self, Mod.self,
        TruncateDiv.self, TruncateMod.self, Select.self, AccumulateNV2.self, Erfc.self, Erfinv.self, Ndtri.self,
        Zeta.self, MulNoNan.self, Xlogy.self, Xlog1py.self, Xdivy.self, ApproximateEqual.self, BitwiseAnd.self,
        BitwiseOr.self, BitwiseXor.self, LeftShift.self, RightShift.self, Invert.self,
        // Activations
        Relu.self, ReluGrad.self, Sigmoid.self, SigmoidGrad.self, Tanh.self, TanhGrad.self, Relu6.self, Relu6Grad.self,
        LeakyRelu.self, LeakyReluGrad.self, Elu.self, EluGrad.self, Selu.self, SeluGrad.self, Softplus.self,
        SoftplusGrad.self, Softsign.self, SoftsignGrad.self, Softmax.self, LogSoftmax.self, BiasAdd.self,
        BiasAddGrad.self, BiasAddV1.self,
        // Losses
        L2Loss.self, InTopKV2.self, SoftmaxCrossEntropyWithLogits.self, SparseSoftmaxCrossEntropyWithLogits.self,
        InTopK.self,
        // Linear
        MatMul.self, BatchMatMulV2.self, BatchMatMul.self, BatchMatMulV3.self, SparseMatMul.self, Einsum.self,
        Cross.self, MatrixDiag.self, MatrixDiagV2.self, MatrixDiagV3.self, MatrixDiagPart.self, MatrixDiagPartV2.self,
        MatrixDiagPartV3.self, MatrixSetDiag.self, MatrixSetDiagV2.self, MatrixSetDiagV3.self, Diag.self, DiagPart.self,
        Qr.self, MatrixTriangularSolve.self,
        // Convolutions
        Convolution2D.self, Conv2DBackpropInput.self, Conv2DBackpropFilter.self, DepthwiseConv2dNative.self,
        DepthwiseConv2dNativeBackpropInput.self, DepthwiseConv2dNativeBackpropFilter.self, MaxPool.self,
        MaxPoolGrad.self, MaxPoolGradGrad.self, AvgPool.self, AvgPoolGrad.self,
        // Normalization
        FusedBatchNorm.self, FusedBatchNormGrad.self, FusedBatchNormV2.self, FusedBatchNormGradV2.self,
        FusedBatchNormV3.self, FusedBatchNormGradV3.self, LRN.self, LRNGrad.self,
        // Recurrent
        BlockLSTM.self, BlockLSTMGrad.self, BlockLSTMV2.self, BlockLSTMGradV2.self, LSTMBlockCell.self,
        LSTMBlockCellGrad.self, GRUBlockCell.self, GRUBlockCellGrad.self,
        // Reductions
        Sum.self, Mean.self, Max.self, Min.self, Prod.self, Cumprod.self, All.self, AnyOperation.self, ArgMax.self,
        ArgMin.self, EuclideanNorm.self, CumulativeLogsumexp.self,
        // Arrays
        ShapeOperation.self, Size.self, Rank.self, BroadcastGradientArgs.self, Reshape.self, ExpandDims.self,
        BroadcastTo.self, Fill.self, ZerosLike.self, OnesLike.self, RangeOperation.self, Transpose.self,
        InvertPermutation.self, Squeeze.self, ConcatV2.self, ConcatOffset.self, Pack.self, Unpack.self, Split.self,
        SplitV.self, SliceOperation.self, StridedSlice.self, StridedSliceGrad.self, Tile.self, GatherV2.self,
        GatherNd.self, ScatterNd.self, UnsortedSegmentSum.self, OneHot.self, Pad.self, PadV2.self, ReverseV2.self,
        Cumsum.self, TopKV2.self, MatrixBandPart.self, LinSpace.self, DynamicStitch.self, Gather.self, Concat.self,
        Reverse.self, ConjugateTranspose.self, Bitcast.self, Empty.self, ShapeN.self, BroadcastArgs.self, Where.self,
        Unique.self, UniqueV2.self, UniqueWithCounts.self, UniqueWithCountsV2.self, ListDiff.self,
        DynamicPartition.self, ParallelDynamicStitch.self, SegmentSum.self, SegmentMean.self, SegmentProd.self,
        SegmentMax.self, SegmentMin.self, UnsortedSegmentProd.self, UnsortedSegmentMax.self, UnsortedSegmentMin.self,
        SparseSegmentSum.self, SparseSegmentMean.self, SparseSegmentSqrtN.self, SparseSegmentSumWithNumSegments.self,
        SparseSegmentMeanWithNumSegments.self, SparseSegmentSqrtNWithNumSegments.self, SparseSegmentSumGrad.self,
        SparseSegmentMeanGrad.self, SparseSegmentSqrtNGrad.self, TensorScatterUpdate.self, TensorScatterAdd.self,
        TensorScatterSub.self, TensorScatterMax.self, TensorScatterMin.self, ScatterNdNonAliasingAdd.self,
        SparseToDense.self, Bincount.self, DenseBincount.self, HistogramFixedWidth.self, Bucketize.self,
        LowerBound.self, UpperBound.self, NthElement.self, UnravelIndex.self, MirrorPad.self, MirrorPadGrad.self,
        Roll.self, ReverseSequence.self, SpaceToDepth.self, DepthToSpace.self, SpaceToBatchND.self, BatchToSpaceND.self,
        SpaceToBatch.self, BatchToSpace.self, SparseSegmentSumGradV2.self, SparseSegmentMeanGradV2.self,
        SparseSegmentSqrtNGradV2.self,
        // Sparse
        DenseToDenseSetOperation.self, SparseFillEmptyRows.self, SparseFillEmptyRowsGrad.self, SparseReshape.self,
        SparseReorder.self, SparseConcat.self, SparseSplit.self, SparseSlice.self, SparseSliceGrad.self,
        SparseSoftmax.self, SparseSparseMaximum.self, SparseSparseMinimum.self, SparseAdd.self, SparseAddGrad.self,
        SparseTensorDenseAdd.self, SparseDenseCwiseAdd.self, SparseDenseCwiseMul.self, SparseDenseCwiseDiv.self,
        SparseReduceSum.self, SparseReduceMax.self, SparseReduceSumSparse.self, SparseReduceMaxSparse.self,
        SparseTensorDenseMatMul.self, SparseCross.self, SparseCrossV2.self, SparseCrossHashed.self, SparseBincount.self,
        RaggedBincount.self, SparseToSparseSetOperation.self, DenseToSparseSetOperation.self,
        DenseCountSparseOutput.self, SparseCountSparseOutput.self, RaggedCountSparseOutput.self, SetSize.self,
        // Random
        RandomUniform.self, RandomStandardNormal.self, TruncatedNormal.self, RandomUniformInt.self, RandomShuffle.self,
        Multinomial.self, UniformCandidateSampler.self, LogUniformCandidateSampler.self,
        LearnedUnigramCandidateSampler.self, ThreadUnsafeUnigramCandidateSampler.self,
        FixedUnigramCandidateSampler.self, AllCandidateSampler.self, ComputeAccidentalHits.self,
        // Optimizers
        ApplyGradientDescent.self, ApplyMomentum.self, ApplyAdagrad.self, ApplyAdagradV2.self, ApplyRMSProp.self,
        ApplyCenteredRMSProp.self, ApplyAdam.self, ApplyAdadelta.self, ApplyFtrl.self,
        ResourceApplyGradientDescent.self, ResourceApplyMomentum.self, ResourceApplyAdagrad.self,
        ResourceApplyAdagradV2.self, ResourceApplyRMSProp.self, ResourceApplyCenteredRMSProp.self,
        ResourceApplyAdam.self, ResourceApplyAdadelta.self, ResourceApplyFtrl.self, SparseApplyMomentum.self,
        SparseApplyAdagrad.self, SparseApplyAdagradV2.self, SparseApplyRMSProp.self, SparseApplyCenteredRMSProp.self,
        SparseApplyAdadelta.self, SparseApplyFtrl.self, ResourceSparseApplyMomentum.self,
        ResourceSparseApplyAdagrad.self, ResourceSparseApplyAdagradV2.self, ResourceSparseApplyRMSProp.self,
        ResourceSparseApplyCenteredRMSProp.self, ResourceSparseApplyAdadelta.self, ResourceSparseApplyFtrl.self,
        ResourceApplyKerasMomentum.self, ApplyFtrlV2.self, ResourceApplyFtrlV2.self, SparseApplyFtrlV2.self,
        ResourceSparseApplyFtrlV2.self, ApplyProximalGradientDescent.self, ResourceApplyProximalGradientDescent.self,
        SparseApplyProximalGradientDescent.self, ResourceSparseApplyProximalGradientDescent.self,
        ApplyProximalAdagrad.self, ResourceApplyProximalAdagrad.self, SparseApplyProximalAdagrad.self,
        ResourceSparseApplyProximalAdagrad.self, ApplyAdagradDA.self, ResourceApplyAdagradDA.self,
        SparseApplyAdagradDA.self, ResourceSparseApplyAdagradDA.self, ApplyAdaMax.self, ResourceApplyAdaMax.self,
        ResourceApplyAdamWithAmsgrad.self, ApplyAddSign.self, ResourceApplyAddSign.self, ApplyPowerSign.self,
        ResourceApplyPowerSign.self, ResourceSparseApplyKerasMomentum.self,
        // ControlFlow
        Switch.self, Merge.self, Enter.self, Exit.self, NextIteration.self, LoopCond.self, ControlTrigger.self,
        RefSwitch.self, RefMerge.self, RefEnter.self, RefExit.self, RefNextIteration.self, StackV2.self,
        StackPushV2.self, StackPopV2.self, StackCloseV2.self, TensorArrayV3.self, TensorArrayGradV3.self,
        TensorArrayWriteV3.self, TensorArrayReadV3.self, TensorArraySizeV3.self, TensorArrayGatherV3.self,
        TensorArrayScatterV3.self, TensorArrayConcatV3.self, TensorArraySplitV3.self, TensorArrayCloseV3.self,
        Assert.self, Print.self, If.self, StatelessIf.self, While.self, StatelessWhile.self, PartitionedCall.self,
        StatefulPartitionedCall.self, OptionalFromValue.self, OptionalNone.self, OptionalGetValue.self, Case.self,
        StatelessCase.self, SymbolicGradient.self, For.self,
        // TensorLists
        EmptyTensorList.self, TensorListPushBack.self, TensorListPopBack.self, TensorListLength.self,
        TensorListReserve.self, TensorListFromTensor.self, TensorListScatter.self, TensorListScatterV2.self,
        TensorListScatterIntoExistingList.self, TensorListSplit.self, TensorListGetItem.self, TensorListSetItem.self,
        TensorListElementShape.self, TensorListResize.self, TensorListStack.self, TensorListGather.self,
        TensorListConcat.self, TensorListConcatV2.self, TensorListPushBackBatch.self, TensorListConcatLists.self,
        // Tables
        HashTableV2.self, HashTable.self, MutableHashTableV2.self, MutableHashTable.self,
        MutableHashTableOfTensorsV2.self, MutableHashTableOfTensors.self, MutableDenseHashTableV2.self,
        MutableDenseHashTable.self, LookupTableFindV2.self, LookupTableFind.self, LookupTableInsertV2.self,
        LookupTableInsert.self, LookupTableRemoveV2.self, LookupTableSizeV2.self, LookupTableSize.self,
        LookupTableExportV2.self, LookupTableExport.self, LookupTableImportV2.self, LookupTableImport.self,
        InitializeTableV2.self, InitializeTable.self, InitializeTableFromTextFileV2.self,
        InitializeTableFromTextFile.self,
        // Strings
        StringToHashBucketFast.self, StringToHashBucketStrong.self, StringToHashBucket.self, StringJoin.self,
        ReduceJoin.self, StringLower.self, StringUpper.self, StringStrip.self, StringLength.self, Substr.self,
        StringSplit.self, StringSplitV2.self, StringToNumber.self, DecodeRaw.self, AsString.self, StringFormat.self,
        PrintV2.self, RegexReplace.self, StaticRegexReplace.self, RegexFullMatch.self, StaticRegexFullMatch.self,
        // Summaries
        ScalarSummary.self, HistogramSummary.self, ImageSummary.self, AudioSummary.self, AudioSummaryV2.self,
        MergeSummary.self, TensorSummary.self, TensorSummaryV2.self,
        // Checkpoints
        SaveV2.self, RestoreV2.self, MergeV2Checkpoints.self, ShardedFilename.self, ShardedFilespec.self, Save.self,
        SaveSlices.self, Restore.self, RestoreSlice.self,
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: operations.map { ($0.name, $0) })

    /// The operation of this name, or nil.
    public static func operation(named name: String) -> (any Operation.Type)? { byName[name] }
}
