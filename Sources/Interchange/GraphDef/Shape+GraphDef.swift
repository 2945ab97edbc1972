internal import Dataflow
internal import Schemas

extension Shape {
    var proto: TFTensorShapeProto {
        var result = TFTensorShapeProto()
        guard let dimensions else {
            result.unknownRank = true
            return result
        }
        result.dim = dimensions.map { extent in
            var dimension = TFTensorShapeProto.Dim()
            dimension.size = Int64(extent ?? -1)
            return dimension
        }
        return result
    }

    /// - Throws: `GraphError` for extents below −1, more than 254 dimensions (TensorFlow's limit) or a number of
    ///   elements that no memory holds.
    init(_ proto: TFTensorShapeProto) throws {
        guard !proto.unknownRank else {
            guard proto.dim.isEmpty else {
                throw GraphError("a shape of unknown rank has \(proto.dim.count) dimensions")
            }
            self = .unknown
            return
        }
        guard proto.dim.count <= 254 else {
            throw GraphError("a shape has \(proto.dim.count) dimensions; at most 254 are possible")
        }
        var known = 1
        var extents: [Int?] = []
        for dimension in proto.dim {
            guard dimension.size >= -1 else {
                throw GraphError("a dimension of a shape is \(dimension.size); it must be at least 0, or -1 if unknown")
            }
            extents.append(dimension.size < 0 ? nil : Int(dimension.size))
            let (product, overflow) = known.multipliedReportingOverflow(by: max(Int(dimension.size), 1))
            guard !overflow, product <= GraphDefinition.elementLimit else {
                throw GraphError(
                    "the shape [\(proto.dim.map { String($0.size) }.joined(separator: ", "))] has too many elements")
            }
            known = product
        }
        self = Shape(extents)
    }
}
