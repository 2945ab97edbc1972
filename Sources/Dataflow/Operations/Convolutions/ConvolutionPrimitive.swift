internal import COneDNN

/// What one of the three operations of a convolution computes from the other two tensors.
enum ConvolutionRole: Sendable {
    case output, inputGradient, filterGradient
}

/// A float32 convolution, or one of its gradients, in oneDNN.
///
/// Images stay in their plain layout. The filter goes into the layout that oneDNN chooses, and back: that copy takes
/// microseconds, while with AVX-512 a plain filter makes most of LeNet's convolutions about two to seven times slower. (Not
/// all: the input gradient of a layer with one input and 32 outputs is 2.4 times faster with a plain one, but the first
/// layer of a network, which has so few inputs, seldom needs it.)
final class ConvolutionPrimitive {
    private let role: ConvolutionRole
    private let primitive: OneDNNPrimitive
    private let x: OneDNNMemory
    private let y: OneDNNMemory
    /// The filter as the graph has it.
    private let filter: OneDNNMemory
    private let arguments: [dnnl_exec_arg_t]
    /// The filter in oneDNN's layout and the copy into or from it, where that is another.
    private let reordering: Reordering?

    private final class Reordering {
        let primitive: OneDNNPrimitive
        let filter: OneDNNMemory

        init(
            _ layout: dnnl_memory_desc_t, plain: dnnl_memory_desc_t, _ role: ConvolutionRole, _ engine: OneDNNEngine
        )
            throws
        {
            let isResult = role == .filterGradient
            let description = try OneDNNDescription(
                reorder: isResult ? layout : plain, to: isResult ? plain : layout, engine)
            primitive = try OneDNNPrimitive(description)
            filter = try OneDNNMemory(layout, engine, isOwn: true)
        }
    }
    private let reorderArguments: [dnnl_exec_arg_t]

    /// - Throws: where oneDNN has nothing for this geometry.
    init(_ role: ConvolutionRole, _ geometry: ConvolutionGeometry) throws {
        let engine = try OneDNNEngine()
        let description = try Self.description(role, geometry, engine)
        let (source, weights, target) = Self.argumentRoles(role)
        var (layout, plain) = (try description.memory(weights), try Self.plainFilter(geometry))
        self.role = role
        primitive = try OneDNNPrimitive(description)
        x = try OneDNNMemory(try description.memory(source), engine, isOwn: false)
        y = try OneDNNMemory(try description.memory(target), engine, isOwn: false)
        filter = try OneDNNMemory(plain, engine, isOwn: false)
        if dnnl_memory_desc_equal(&layout, &plain) == 1 {
            reordering = nil
            reorderArguments = []
            arguments = [x.argument(source), filter.argument(weights), y.argument(target)]
        } else {
            let own = try Reordering(layout, plain: plain, role, engine)
            let isResult = role == .filterGradient
            reorderArguments = [
                filter.argument(isResult ? DNNL_ARG_TO : DNNL_ARG_FROM),
                own.filter.argument(isResult ? DNNL_ARG_FROM : DNNL_ARG_TO),
            ]
            arguments = [x.argument(source), own.filter.argument(weights), y.argument(target)]
            reordering = own
        }
    }

    /// About how many bytes it keeps: the code that oneDNN makes, and the filter in oneDNN's layout.
    func byteCount(_ geometry: ConvolutionGeometry) -> Int {
        (reordering == nil ? 1 : 2) * (64 << 10)
            + (reordering == nil ? 0 : geometry.filterCount * MemoryLayout<Float>.size)
    }

    /// Computes the tensor that the role says from the other two.
    func run(
        input: UnsafeMutableRawPointer, filter weights: UnsafeMutableRawPointer, output: UnsafeMutableRawPointer
    ) throws {
        try x.set(input)
        try filter.set(weights)
        try y.set(output)
        if let reordering, role != .filterGradient { try reordering.primitive.run(reorderArguments) }
        try primitive.run(arguments)
        if let reordering, role == .filterGradient { try reordering.primitive.run(reorderArguments) }
    }

    private static func argumentRoles(_ role: ConvolutionRole) -> (source: Int32, weights: Int32, target: Int32) {
        switch role {
        case .output: (DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST)
        case .inputGradient: (DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST)
        case .filterGradient: (DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST)
        }
    }

    private static func description(
        _ role: ConvolutionRole, _ g: ConvolutionGeometry, _ engine: OneDNNEngine
    ) throws -> OneDNNDescription {
        let axes = [g.height, g.width]
        let tag = g.format == .channelsLast ? dnnl_nhwc : dnnl_nchw
        var source = try layout([g.batch, g.inputChannels] + axes.map(\.input), tag)
        var target = try layout([g.batch, g.outputChannels] + axes.map(\.output), tag)
        var weights = try layout(filterExtents(g), dnnl_format_tag_any)
        let strides = axes.map { dnnl_dim_t($0.stride) }
        let gaps = axes.map { dnnl_dim_t($0.dilation - 1) }
        let (before, after) = (axes.map { dnnl_dim_t($0.before) }, axes.map { dnnl_dim_t($0.after) })
        let direct = dnnl_convolution_direct
        var forward = dnnl_convolution_desc_t()
        try require(
            dnnl_dilated_convolution_forward_desc_init(
                &forward, dnnl_forward_training, direct, &source, &weights, nil, &target, strides, gaps, before, after))
        let hint = try OneDNNDescription(convolution: &forward, engine)
        var backward = dnnl_convolution_desc_t()
        switch role {
        case .output: return hint
        case .inputGradient:
            try require(
                dnnl_dilated_convolution_backward_data_desc_init(
                    &backward, direct, &source, &weights, &target, strides, gaps, before, after))
        case .filterGradient:
            try require(
                dnnl_dilated_convolution_backward_weights_desc_init(
                    &backward, direct, &source, &weights, nil, &target, strides, gaps, before, after))
        }
        return try OneDNNDescription(convolution: &backward, forward: hint, engine)
    }

    /// In oneDNN's order: [groups,] outputs, inputs, height, width.
    private static func filterExtents(_ g: ConvolutionGeometry) -> [Int] {
        let own = [g.groupOutputs, g.groupInputs, g.height.size, g.width.size]
        return g.groups == 1 ? own : [g.groups] + own
    }

    private static func plainFilter(_ g: ConvolutionGeometry) throws -> dnnl_memory_desc_t {
        let extents = filterExtents(g)
        let matrix = g.groupInputs * g.outputChannels
        let own = [1, g.outputChannels, g.width.size * matrix, matrix]
        return try OneDNNLayout.plain(extents, strides: g.groups == 1 ? own : [g.groupOutputs] + own, dnnl_f32)
    }

    private static func layout(_ extents: [Int], _ tag: dnnl_format_tag_t) throws -> dnnl_memory_desc_t {
        var result = dnnl_memory_desc_t()
        try require(
            dnnl_memory_desc_init_by_tag(
                &result, Int32(extents.count), extents.map { dnnl_dim_t($0) }, dnnl_f32, tag))
        return result
    }

    private static func require(_ status: dnnl_status_t) throws {
        guard status == dnnl_success else { throw GraphError("oneDNN refuses the convolution: \(status.rawValue)") }
    }
}
