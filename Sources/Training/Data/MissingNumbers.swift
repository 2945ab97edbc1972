internal import Dataflow

/// What stands for a missing number. Where it depends on the column, it is fitted on the training part.
public enum FillRule: String, Sendable, CaseIterable {
    /// Nothing: a missing number is an error.
    case error
    case mean, median, zero
}

extension DataSplit {
    /// Puts numbers in the place of missing ones, which are NaN in the features, in both parts.
    ///
    /// - Parameters:
    ///   - rule: fitted on the training part, for every column that is a number.
    ///   - fitted: of a checkpoint; its numbers are taken in place of the rule.
    public func filled(_ rule: FillRule, fitted: Preprocessing? = nil) -> DataSplit {
        guard var table = training.table else { return self }
        for place in table.features.indices where training.vocabularies[place] == nil {
            if let fitted {
                let columns = fitted.table?.features ?? []
                table.features[place].fill = columns.indices.contains(place) ? columns[place].fill : nil
            } else {
                table.features[place].fill = training.fill(ofColumn: place, rule)
            }
        }
        var split = self
        split.training = training.filled(by: table)
        split.test = test.filled(by: table)
        return split
    }
}

extension Dataset {
    /// The features with the numbers of `layout` in the place of missing ones, which are NaN.
    func filled(by layout: TableLayout) -> Dataset {
        replacing(features: features.filled(by: layout), table: layout)
    }

    /// The number that stands for missing ones of a column; 0 where the column has no numbers at all.
    fileprivate func fill(ofColumn column: Int, _ rule: FillRule) -> Double? {
        switch rule {
        case .error: return nil
        case .zero: return 0
        case .mean:
            let numbers = numbers(ofColumn: column)
            return numbers.isEmpty ? 0 : numbers.reduce(0, +) / Double(numbers.count)
        case .median:
            let numbers = numbers(ofColumn: column).sorted()
            guard !numbers.isEmpty else { return 0 }
            return (numbers[(numbers.count - 1) / 2] + numbers[numbers.count / 2]) / 2
        }
    }

    private func numbers(ofColumn column: Int) -> [Double] {
        let (count, width) = (count, width)
        func gather<Scalar: NumericScalar>(_: Scalar.Type) -> [Double] {
            features.withUnsafeBytes { bytes in
                let values = bytes.bindMemory(to: Scalar.self)
                return (0..<count).map { values[$0 * width + column].asDouble }.filter { !$0.isNaN }
            }
        }
        return features.dtype == .uint8 ? gather(UInt8.self) : gather(Float.self)
    }
}

extension Tensor {
    /// Features, N × D, with the numbers of `layout` in the place of NaN.
    func filled(by layout: TableLayout) -> Tensor {
        let fills = layout.features.map { $0.fill.map { Float($0) } }
        guard dtype == .float32, fills.contains(where: { $0 != nil }) else { return self }
        var values = elements(of: Float.self)
        var isChanged = false
        for start in stride(from: 0, to: values.count, by: fills.count) {
            for (column, fill) in fills.enumerated() {
                guard let fill, values[start + column].isNaN else { continue }
                values[start + column] = fill
                isChanged = true
            }
        }
        return isChanged ? Tensor(values, sized: shape) : self
    }
}
