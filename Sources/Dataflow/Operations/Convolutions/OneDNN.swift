internal import COneDNN

/// oneDNN's CPU and a stream in which its primitives run one after the other. Whatever belongs to it keeps it alive.
final class OneDNNEngine {
    fileprivate let engine: dnnl_engine_t
    fileprivate let stream: dnnl_stream_t

    init() throws {
        var engine: dnnl_engine_t?
        try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine")
        var stream: dnnl_stream_t?
        let status = dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue))
        guard status == dnnl_success, let engine, let stream else {
            dnnl_engine_destroy(engine)
            throw failure(status, "stream")
        }
        (self.engine, self.stream) = (engine, stream)
    }

    deinit {
        dnnl_stream_destroy(stream)
        dnnl_engine_destroy(engine)
    }
}

/// Memory as oneDNN sees it: the engine's own, or a tensor's, set before each run.
struct OneDNNMemory: ~Copyable {
    fileprivate let handle: dnnl_memory_t
    private let engine: OneDNNEngine

    /// - Parameter isOwn: whether oneDNN allocates it, else `set` tells where it is.
    init(_ descriptor: dnnl_memory_desc_t, _ engine: OneDNNEngine, isOwn: Bool) throws {
        var descriptor = descriptor
        var handle: dnnl_memory_t?
        let place = isOwn ? UnsafeMutableRawPointer(bitPattern: -1) : nil  // DNNL_MEMORY_ALLOCATE, DNNL_MEMORY_NONE
        try check(dnnl_memory_create(&handle, &descriptor, engine.engine, place), "memory")
        (self.handle, self.engine) = (handle!, engine)
    }

    deinit { dnnl_memory_destroy(handle) }

    func set(_ pointer: UnsafeMutableRawPointer) throws {
        try check(dnnl_memory_set_data_handle(handle, pointer), "memory handle")
    }

    /// Itself as an argument of a primitive.
    func argument(_ role: Int32) -> dnnl_exec_arg_t { dnnl_exec_arg_t(arg: role, memory: handle) }
}

enum OneDNNLayout {
    /// A tensor as it lies in memory, elements `strides` apart.
    static func plain(_ extents: [Int], strides: [Int], _ type: dnnl_data_type_t) throws -> dnnl_memory_desc_t {
        var result = dnnl_memory_desc_t()
        try check(
            dnnl_memory_desc_init_by_strides(
                &result, Int32(extents.count), extents.map { dnnl_dim_t($0) }, type, strides.map { dnnl_dim_t($0) }),
            "layout")
        return result
    }
}

/// How oneDNN means to do an operation.
struct OneDNNDescription: ~Copyable {
    fileprivate let handle: dnnl_primitive_desc_t
    fileprivate let engine: OneDNNEngine

    init(convolution: inout dnnl_convolution_desc_t, _ engine: OneDNNEngine) throws {
        var handle: dnnl_primitive_desc_t?
        try check(dnnl_primitive_desc_create(&handle, &convolution, nil, engine.engine, nil), "convolution")
        (self.handle, self.engine) = (handle!, engine)
    }

    /// A backward convolution, to which oneDNN wants to know the forward one.
    init(
        convolution: inout dnnl_convolution_desc_t, forward: borrowing OneDNNDescription, _ engine: OneDNNEngine
    ) throws {
        var handle: dnnl_primitive_desc_t?
        try check(
            dnnl_primitive_desc_create(&handle, &convolution, nil, engine.engine, forward.handle),
            "convolution gradient")
        (self.handle, self.engine) = (handle!, engine)
    }

    /// A product of matrices.
    init(
        product: dnnl_memory_desc_t, of a: dnnl_memory_desc_t, and b: dnnl_memory_desc_t, _ engine: OneDNNEngine
    ) throws {
        var (a, b, product) = (a, b, product)
        var operation = dnnl_matmul_desc_t()
        try check(dnnl_matmul_desc_init(&operation, &a, &b, nil, &product), "matrix product")
        var handle: dnnl_primitive_desc_t?
        try check(dnnl_primitive_desc_create(&handle, &operation, nil, engine.engine, nil), "matrix product")
        (self.handle, self.engine) = (handle!, engine)
    }

    /// A copy from one layout into another.
    init(reorder from: dnnl_memory_desc_t, to: dnnl_memory_desc_t, _ engine: OneDNNEngine) throws {
        var (from, to) = (from, to)
        var handle: dnnl_primitive_desc_t?
        try check(
            dnnl_reorder_primitive_desc_create(&handle, &from, engine.engine, &to, engine.engine, nil), "reorder")
        (self.handle, self.engine) = (handle!, engine)
    }

    deinit { dnnl_primitive_desc_destroy(handle) }

    /// The layout that it has chosen for an argument.
    func memory(_ role: Int32) throws -> dnnl_memory_desc_t {
        guard let found = dnnl_primitive_desc_query_md(handle, dnnl_query_exec_arg_md, role) else {
            throw GraphError("oneDNN has no layout for argument \(role)")
        }
        return found.pointee
    }
}

/// An operation ready to run.
struct OneDNNPrimitive: ~Copyable {
    private let handle: dnnl_primitive_t
    private let engine: OneDNNEngine

    init(_ description: borrowing OneDNNDescription) throws {
        var handle: dnnl_primitive_t?
        try check(dnnl_primitive_create(&handle, description.handle), "primitive")
        (self.handle, engine) = (handle!, description.engine)
    }

    deinit { dnnl_primitive_destroy(handle) }

    /// Runs on the calling thread and oneDNN's others; returns when all is done, as a CPU's stream does.
    func run(_ arguments: [dnnl_exec_arg_t]) throws {
        try check(dnnl_primitive_execute(handle, engine.stream, Int32(arguments.count), arguments), "run")
    }
}

private func check(_ status: dnnl_status_t, _ what: String) throws {
    guard status == dnnl_success else { throw failure(status, what) }
}

private func failure(_ status: dnnl_status_t, _ what: String) -> GraphError {
    GraphError("oneDNN's \(what) failed with status \(status.rawValue)")
}
