/// Graphs as TensorFlow's `GraphDef`: what TensorFlow, TensorBoard and Netron open, and what travels to servers.
///
/// `encode` and `decode` are inverse to each other: names, attributes, devices, control inputs and the order of the
/// vertices stay. Files come from anywhere: `decode` trusts nothing that it reads.
public enum GraphDefinition {
    /// The GraphDef version written: TensorFlow 2.18's (`TF_GRAPH_DEF_VERSION`).
    static let version: Int32 = 1882

    /// The most elements that a shape in a file may claim to have.
    static let elementLimit = 1 << 40

    /// The most bytes that one tensor may take whose elements are not all in the file (the last one repeats).
    static let splatLimit = 64 << 20

    /// The most bytes that all such tensors of a file may take.
    static let splatTotalLimit = 128 << 20
}
