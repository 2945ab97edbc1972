internal import Synchronization

/// The CUDA texts of the kernels that plans need, collected without a GPU: for compilers to try them all.
///
/// A session with `DeviceOptions.kernelTexts` plans as if the machine had one GPU of NVIDIA's. Its plans cannot be run.
package final class KernelTexts: Sendable {
    /// A kernel's text as NVRTC gets it.
    package struct Text: Hashable, Sendable {
        /// The kernel's name in `source`.
        package let entry: String
        package let source: String
    }

    private let collected = Mutex<Set<Text>>([])

    package init() {}

    /// Each text once, in an order that depends on nothing but them.
    package var all: [Text] {
        collected.withLock { $0.sorted { ($0.entry, $0.source) < ($1.entry, $1.source) } }
    }

    fileprivate func add(_ launch: GPULaunch) {
        let text = Text(entry: launch.entry, source: GPUSource.cuda(launch.source))
        collected.withLock { _ = $0.insert(text) }
    }
}

/// A GPU that is not there: it has addresses but no memory, and keeps the text of each kernel that is asked for.
final class PaperDevice: Accelerator {
    let name = DeviceName(kind: .gpu, index: 0)
    let detail = "no device: collects kernels"
    let memory = 1 << 40
    let fingerprint = "paper"
    let alignment = 256
    private let texts: KernelTexts
    private let next = Mutex(1 << 20)

    init(_ texts: KernelTexts) { self.texts = texts }

    func allocate(_ bytes: Int) -> DeviceAddress? {
        next.withLock { next in
            defer { next += (max(bytes, 1) + alignment - 1) / alignment * alignment }
            return DeviceAddress(bitPattern: next)
        }
    }
    func free(_ address: DeviceAddress) {}
    func part(of address: DeviceAddress, offset: Int, bytes: Int) throws -> DeviceAddress { address + offset }
    func releasePart(_ address: DeviceAddress) {}
    func makeQueue(_ options: DeviceOptions) throws -> any DeviceQueue { Queue(texts) }

    private final class Queue: DeviceQueue {
        private let texts: KernelTexts

        init(_ texts: KernelTexts) { self.texts = texts }

        func upload(_ source: UnsafeRawPointer, to address: DeviceAddress, bytes: Int) throws {}
        func download(_ address: DeviceAddress, to target: UnsafeMutableRawPointer, bytes: Int) throws {
            throw GraphError("a plan that collects kernels cannot be run")
        }
        func kernel(_ command: GPUCommand, _ slot: @escaping (GPUOperand) -> Slot) throws -> Kernel {
            switch command {
            case .launch(let launch): texts.add(launch)
            // What is used where there is no cuBLAS.
            case .multiply(let product): texts.add(GPUMatrixProduct.launch(product))
            case .copy, .fill: break
            }
            return { _ in throw GraphError("a plan that collects kernels cannot be run") }
        }
        func flush() throws {}
        func synchronize() throws {}
    }
}
