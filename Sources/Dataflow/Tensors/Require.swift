/// Ends the program with `sentence` unless `condition` holds; in release builds too, where `precondition` says nothing.
///
/// For a programmer's mistakes alone: whatever a caller's data can bring about throws, or is a mistake of the graph.
package func require(
    _ condition: Bool, _ sentence: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { fatalError(sentence(), file: file, line: line) }
}
