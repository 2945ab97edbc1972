internal import Dataflow
internal import Interchange

extension Dataset: CustomStringConvertible {
    public var description: String {
        let shape = featureShape.count > 1 ? " (\(featureShape.map(String.init).joined(separator: " × ")))" : ""
        let names = classNames.isEmpty ? "" : " (\(ShortList.text(classNames)))"
        let learnt = classes > 0 ? "\(classes) classes\(names)" : "\(labels.shape[1] ?? 0) targets"
        return "\(count) examples of \(width) features\(shape), \(learnt)"
    }
}

extension DataSplit: CustomStringConvertible {
    public var description: String { "training: \(training); test: \(test)" }
}
