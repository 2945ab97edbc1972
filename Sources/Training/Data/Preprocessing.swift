internal import Dataflow
internal import Foundation
internal import Interchange

/// What is done to data before a model sees it, as fitted on the training part: columns and their order, vocabularies, numbers
/// for missing cells, scale; and what is learnt: classes or targets.
///
/// A checkpoint carries it, so that a model is applied to new data without the data that it was trained on.
public struct Preprocessing: Sendable, Equatable, Codable {
    public static let format = 1

    /// The version of this value's JSON.
    public private(set) var format = Preprocessing.format
    /// The columns of a table (`csv`, `ratings`); nil for arrays.
    public var table: TableLayout?
    /// The categorical features by their place among the features. The others are numbers.
    public var vocabularies: [Int: Vocabulary]
    /// The shape of one example's features: [28, 28], or [D].
    public var featureShape: [Int]
    /// The number of classes; 0 for a regression.
    public var classes: Int
    /// What the classes are called, by index; empty where labels are the indices.
    public var classNames: [String]
    /// The numbers that a regression tells for an example; 0 for classes.
    public var targets: Int
    /// Fitted on the training part. Comes after missing numbers are filled.
    public var scaling: Scaling

    /// Takes over what `training` is, and fits the scale to it.
    public init(fittedTo training: Dataset, scale: Scaling.Kind) {
        table = training.table
        vocabularies = training.vocabularies
        featureShape = training.featureShape
        classes = training.classes
        classNames = training.classNames
        targets = training.classes > 0 ? 0 : training.labels.shape.knownExtents[1]
        scaling = Scaling(scale, fittedTo: training)
    }

    /// Features of an example.
    public var width: Int { featureShape.reduce(1, *) }

    /// No examples, but of this kind: what a model is built for where there is no training data.
    public var noExamples: Dataset {
        Dataset(
            known: .zeros(.float32, sized: [0, width]),
            labels: classes > 0 ? .zeros(.int32, sized: [0]) : .zeros(.float32, sized: [0, targets]), classes: classes,
            classNames: classNames, featureShape: featureShape, vocabularies: vocabularies, table: table)
    }

    /// Takes examples for a model of this kind, with its classes and names.
    ///
    /// - Throws: `FormatError` if they have another number of features, other categories, or labels that the model does not
    ///   have.
    public func accept(_ data: Dataset, name: String) throws -> Dataset {
        func fail(_ what: String) -> FormatError { FormatError(path: name, what) }
        guard data.width == width else {
            throw fail("holds \(data.width) features an example; the checkpoint's model takes \(width)")
        }
        guard data.vocabularies == vocabularies else {
            throw fail("holds other categories than the checkpoint's model has")
        }
        guard (data.classes > 0) == (classes > 0) else {
            let (now, then) = classes > 0 ? ("numbers", "classes") : ("classes", "numbers")
            throw fail("holds labels that are \(now); the checkpoint's model was trained on \(then)")
        }
        if classes > 0 {
            let names = data.classNames
            guard names.isEmpty || classNames.isEmpty || names == classNames else {
                throw fail("holds other classes than the checkpoint's: \(names.prefix(8).joined(separator: ", "))")
            }
            if data.classes > classes, let label = data.labels.knownDoubles.max(), label >= Double(classes) {
                throw fail(
                    "holds the class \(Int(label)); the checkpoint's model has \(classes) classes, 0 to \(classes - 1)")
            }
        } else if data.labels.shape[1] != targets {
            throw fail(
                "holds \(data.labels.shape.knownExtents[1]) targets an example; the checkpoint's model has \(targets)")
        }
        return Dataset(
            known: data.features, labels: data.labels, classes: classes, classNames: classNames,
            featureShape: featureShape, vocabularies: vocabularies, table: table)
    }

    // MARK: JSON

    /// UTF-8, keys sorted.
    public func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }

    /// - Parameter name: the file's, for errors.
    /// - Throws: `FormatError` where it is none, or its parts do not fit together.
    public init(json: [UInt8], name: String) throws {
        do {
            self = try JSONDecoder().decode(Preprocessing.self, from: Data(json))
        } catch {
            throw FormatError(path: name, "is no preprocessing of a checkpoint: \(Self.reason(error))")
        }
        if let problem { throw FormatError(path: name, "is no preprocessing of a checkpoint: \(problem)") }
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _)?: "it lacks '\(key.stringValue)'"
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?, .dataCorrupted(let context)?:
            context.debugDescription
        default: "\(error)"
        }
    }

    /// What in a file makes no sense, so that nothing that trusts this value meets it.
    private var problem: String? {
        guard format == Self.format else { return "it has format \(format), \(Self.format) is wanted" }
        var width = 1
        for extent in featureShape {
            let (product, overflows) = width.multipliedReportingOverflow(by: extent)
            guard extent > 0, !overflows, product <= 1 << 32 else {
                return "an example cannot have the shape \(featureShape)"
            }
            width = product
        }
        guard classes >= 0, classes <= Dataset.mostClasses, targets >= 0, targets <= 1 << 24,
            (classes == 0) != (targets == 0)
        else { return "\(classes) classes and \(targets) targets" }
        guard classNames.isEmpty || classNames.count == classes else {
            return "\(classNames.count) names for \(classes) classes"
        }
        guard vocabularies.keys.allSatisfy({ (0..<width).contains($0) }) else {
            return "categories beyond the features"
        }
        let wanted = scaling.kind == .none ? 0 : width
        guard scaling.offset.count == wanted, scaling.factor.count == wanted else {
            return "a scale of \(scaling.offset.count) numbers for \(width) features"
        }
        if let table {
            let columns = table.features + table.ignored + [table.label].compactMap { $0 }
            guard table.features.count == width, columns.count == table.width,
                Set(columns.map(\.place)) == Set(0..<columns.count)
            else { return "columns that do not fit its \(width) features" }
        }
        return nil
    }
}

extension Preprocessing: CustomStringConvertible {
    public var description: String {
        "\(table?.description ?? "\(width) features"); scale \(scaling); "
            + (classes > 0
                ? "\(classes) classes" + (classNames.isEmpty ? "" : " (\(ShortList.text(classNames)))")
                : "\(targets) targets")
    }
}
