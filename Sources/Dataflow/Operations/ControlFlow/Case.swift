/// What `Case` and `StatelessCase` have in common: one of several functions, by its number; TensorFlow's `tf.switch_case`.
///
/// Numbers beyond the branches, and negative ones, stand for the last branch.
protocol NumberedBranch: BranchingOperation {}

extension NumberedBranch {
    public static var signature: Signature {
        Signature(
            ["branch_index": "int32", "input": "list Tin"], to: ["output": "list Tout"],
            defaults: ["output_shapes": .shapes([])], required: ["branches"])
    }
    static func branches(_ attributes: Attributes) throws -> [Function] { try attributes.functions("branches") }
    static func attributes(branches: [Function]) -> [String: AttributeValue] { ["branches": .functions(branches)] }
    static func choice(_ selector: Tensor, of count: Int) throws -> Int {
        guard selector.shape.rank == 0, let number = selector.knownIntegers.first else {
            throw GraphError("the branch's number must be a scalar, got the shape \(selector.shape)")
        }
        return (0..<count).contains(number) ? number : count - 1
    }
}

/// `Case`: the results of one of several functions that may have effects.
public enum Case: NumberedBranch {}

/// `StatelessCase`: the results of one of several functions without effects.
public enum StatelessCase: NumberedBranch {}
