public import Dataflow

extension Metric {
    /// A metric of labels and predictions by the name that configurations use: `Metric.Named.auc(labels: y, predictions: p)`.
    public enum Named: String, Sendable, Hashable, CaseIterable {
        case accuracy, auc, precision, recall, f1, mse, rmse, mae, r2
        case logLoss = "log_loss"
        case topKAccuracy = "top_k_accuracy"

        /// The metric with its usual numbers: a threshold of 0.5, the five largest, 200 thresholds.
        ///
        /// - Parameters:
        ///   - labels: class indices [examples], or numbers of the predictions' shape.
        ///   - predictions: probabilities [examples] or [examples, classes]; of mse, rmse, mae and r2 numbers.
        public func callAsFunction(
            labels: any Operand, predictions: any Operand, file: StaticString = #fileID, line: UInt = #line
        ) -> Metric {
            let make: Maker =
                switch self {
                case .accuracy: { .accuracy(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .auc: { .auc(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .precision: { .precision(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .recall: { .recall(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .f1: { .f1(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .logLoss: { .logLoss(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .topKAccuracy: { .topKAccuracy(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .mse: { .meanSquaredError(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .rmse: { .rootMeanSquaredError(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .mae: { .meanAbsoluteError(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                case .r2: { .r2(labels: $0, predictions: $1, name: $2, file: $3, line: $4) }
                }
            return make(labels, predictions, rawValue, file, line)
        }

        private typealias Maker = (any Operand, any Operand, String, StaticString, UInt) -> Metric
    }
}
