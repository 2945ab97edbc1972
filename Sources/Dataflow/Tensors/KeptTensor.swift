/// A value that outlives the step that made it: a stack's or an array's element, a fetched result.
///
/// A plan gives the memory of a value to others once its last consumer has run. Whatever holds a value longer holds a
/// `KeptTensor`, which copies what lies in a plan's memory and shares all else.
struct KeptTensor {
    let tensor: Tensor

    init(_ tensor: Tensor) { self.tensor = tensor.kept() }
}
