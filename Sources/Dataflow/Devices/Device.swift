/// Something that runs kernels: the contract of a backend. One file each.
///
/// A backend lists its devices, and gives each a name under which `Graph.device` finds it. Memory of the CPU device is
/// the host's; a device with memory of its own is an `Accelerator`.
public protocol Device: Sendable {
    /// Kind and index, such as /device:CPU:0.
    var name: DeviceName { get }
    /// What it is, for people: the processor's model.
    var detail: String { get }
    /// Bytes of memory.
    var memory: Int { get }
}

/// Where something lies in a device's memory, as its driver names it: an address, or a handle.
typealias DeviceAddress = UnsafeMutableRawPointer

/// A device with memory and kernels of its own: a GPU.
///
/// Plans name values by slots; a slot of an accelerator holds a `DeviceAddress`, so that a kernel of an accelerator is a
/// `Kernel` like any other, one that puts work into a queue.
protocol Accelerator: Device {
    /// What a program's binary depends on besides its source: device and driver.
    var fingerprint: String { get }
    /// The alignment of values within a piece of memory, in bytes.
    var alignment: Int { get }
    /// Fresh memory of at least one byte, nil if there is no more.
    func allocate(_ bytes: Int) -> DeviceAddress?
    func free(_ address: DeviceAddress)
    /// Part of a piece of memory, from a multiple of `alignment` on; given back with `releasePart` before the whole is.
    func part(of address: DeviceAddress, offset: Int, bytes: Int) throws -> DeviceAddress
    func releasePart(_ address: DeviceAddress)
    /// Something that runs what it is given in order.
    func makeQueue(_ options: DeviceOptions) throws -> any DeviceQueue
}

/// Runs copies and kernels of an accelerator in the order in which they are given, while the host goes on.
///
/// Used by one thread at a time. The kernels that it makes are bound to slots and to this queue.
protocol DeviceQueue: AnyObject {
    /// Copies from the host, whose memory may change once this returns.
    func upload(_ source: UnsafeRawPointer, to address: DeviceAddress, bytes: Int) throws
    /// Copies to the host, after all that was given before.
    func download(_ address: DeviceAddress, to target: UnsafeMutableRawPointer, bytes: Int) throws
    /// A kernel that puts `command` into the queue.
    func kernel(_ command: GPUCommand, _ slot: @escaping (GPUOperand) -> Slot) throws -> Kernel
    /// Lets the device begin with what it was given.
    func flush() throws
    /// Waits until all that was given is done.
    func synchronize() throws
}

/// Which devices a session may use beside the CPU, and how.
public struct DeviceOptions: Sendable, Equatable {
    /// Where operations go that nothing else tells: "/cpu:0", "/gpu:1"; nil stands for GPU 0 if the machine has one, else
    /// the CPU. What has no kernel for it goes to the CPU.
    public var standard: DeviceName?
    /// Also count OpenCL's CPU devices, such as PoCL's, as GPUs: for tests, "emulated on a CPU".
    public var allowsEmulation: Bool
    /// Bytes of each GPU's memory that a session may take; nil for all there is.
    public var memoryLimit: Int?
    /// Let matrix products of float32 round their factors to 10 bits of mantissa (TF32) where a GPU is faster so.
    public var allowsTF32: Bool

    /// What errors call the options that a missing device may need.
    package var names = OptionNames()

    /// What the caller knows some options as.
    package struct OptionNames: Sendable, Equatable {
        package var softPlacement = "SessionOptions.softPlacement"
        package var emulation = "DeviceOptions.allowsEmulation"

        package init() {}

        package init(softPlacement: String, emulation: String) {
            self.softPlacement = softPlacement
            self.emulation = emulation
        }
    }

    /// Plan as if there were one GPU, and collect what it would compile, instead of running.
    package var kernelTexts: KernelTexts?

    public static func == (a: DeviceOptions, b: DeviceOptions) -> Bool {
        a.standard == b.standard && a.allowsEmulation == b.allowsEmulation && a.memoryLimit == b.memoryLimit
            && a.allowsTF32 == b.allowsTF32 && a.kernelTexts === b.kernelTexts
    }

    public init(
        standard: DeviceName? = nil, allowsEmulation: Bool = false, memoryLimit: Int? = nil,
        allowsTF32: Bool = false
    ) {
        self.standard = standard
        self.allowsEmulation = allowsEmulation
        self.memoryLimit = memoryLimit
        self.allowsTF32 = allowsTF32
    }

    /// No GPU unless an operation asks for one by name.
    public static let hostOnly = DeviceOptions(standard: DeviceName(kind: .cpu))
}

extension DeviceOptions: CustomStringConvertible {
    public var description: String {
        var parts = [standard.map { "\($0)" } ?? "a GPU where there is one"]
        if allowsEmulation { parts.append("emulated GPUs too") }
        if let memoryLimit { parts.append("at most \(memoryLimit) bytes of a GPU") }
        if allowsTF32 { parts.append("TF32") }
        return parts.joined(separator: ", ")
    }
}
