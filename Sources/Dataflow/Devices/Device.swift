/// Something that runs kernels: the contract of a backend. One file each.
///
/// A backend lists its devices, and gives each a name under which `Graph.device` finds it. Memory of the CPU device is
/// the host's; a device with memory of its own also says how to allocate, copy and synchronise.
public protocol Device: Sendable {
    /// Kind and index, such as /device:CPU:0.
    var name: DeviceName { get }
    /// What it is, for people: the processor's model.
    var detail: String { get }
    /// Bytes of memory.
    var memory: Int { get }
}
