import Cluster
import Testing
import Training

@Suite("Keys of the kinds of model")
struct ModelKeyTests {
    @Test("each kind reads its keys, and what is written reads back as an equal value")
    func keys() throws {
        func parse(_ yaml: String) throws -> JobConfig {
            let config = try JobConfig.parse(yaml: yaml, baseDirectory: "/jobs")
            #expect(try JobConfig.parse(yaml: config.yaml()) == config)
            return config
        }
        let images = try parse(
            """
            model: {kind: cnn, image: [8, 9], filters: [4], kernel: 3, pool: 1, hidden: [5], activation: tanh,
                    batch_normalization: true, dropout: 0.1}
            """
        ).model
        #expect(images.image == [8, 9, 1] && images.filters == [4] && images.kernel == 3 && images.pool == 1)
        #expect(images.hidden == [5] && images.batchNormalization && images.dropout == 0.1)
        let steps = try parse("model: {kind: lstm, units: 7, layers: 2, steps: 14, cell: gru}").model
        #expect(steps.units == 7 && steps.layers == 2 && steps.steps == 14 && steps.cell == .gru)
        let ratings = try parse(
            "model: {kind: wide_and_deep, embedding: 3, hidden: []}\ndata: {format: ratings, path: u.data}")
        #expect(ratings.model.embedding == 3 && ratings.data.format == .ratings && ratings.data.path == "/jobs/u.data")
        let table = try parse(
            "model: {kind: wide_and_deep}\ndata: {format: csv, path: a.csv, labels: 0, categorical: [colour, 3, last]}")
        #expect(table.data.categorical == [.name("colour"), .index(3), .last])
    }

    @Test(
        "values out of range, keys of other kinds and data that does not fit are told with what is allowed",
        arguments: [
            (
                "model: {kind: cnn, image: [28]}",
                "model.image must be height, width and channels such as [28, 28, 1], got [28]"
            ),
            (
                "model: {kind: cnn, image: [28, 0]}",
                "model.image must be a whole number ≥ 1, got 0 as item 2 of the list"
            ),
            ("model: {kind: cnn, filters: 32}", "model.filters must be a list such as [32, 64], got 32"),
            ("model: {kind: cnn, kernel: 0}", "model.kernel must be a whole number ≥ 1, got 0"),
            (
                "model: {kind: lstm, cell: lst}",
                "model.cell can't be \"lst\"; did you mean 'lstm'? (allowed: lstm, gru)"
            ),
            ("model: {kind: lstm, layers: 1000}", "model.layers must be a whole number ≥ 1 and ≤ 100, got 1000"),
            ("model: {filters: [3]}", "model.filters belongs to model.kind cnn; this is mlp"),
            ("model: {kind: cnn, units: 3}", "model.units belongs to model.kind lstm; this is cnn"),
            (
                "model: {kind: lstm, hidden: [3]}",
                "model.hidden belongs to model.kind mlp, cnn, wide_and_deep; this is lstm"
            ),
            (
                "model: {kind: lstm, unit: 3}",
                "unknown key 'model.unit'; did you mean 'units'? "
                    + "(allowed: kind, cell, units, layers, steps, initializer, dropout, precision, loss, outputs)"
            ),
            (
                "model: {kind: wide_and_deep}",
                "model.kind wide_and_deep needs categories: data.format ratings, or csv with data.categorical"
            ),
            (
                "{model: {kind: cnn}, data: {format: ratings, path: x}}",
                "model.kind cnn takes no categories; wide_and_deep does"
            ),
            (
                "data: {categorical: [0]}",
                "data.categorical belongs to data.format csv; this is embedded, the digits that ship, with a test part of "
                    + "their own"
            ),
            (
                "{model: {kind: wide_and_deep}, data: {format: ratings, path: x, task: classification}}",
                "data.task can't be classification for data.format ratings, which is a regression"
            ),
        ])
    func mistake(yaml: String, mistake: String) {
        #expect(mistakes(in: yaml).contains("line 1: " + mistake), "\(mistakes(in: yaml))")
    }

    @Test("all of a model's mistakes are listed at once, each with its line")
    func together() {
        let yaml = """
            model:
              kind: cnn
              filters: [32, none]
              units: 128
              kernl: 5
            """
        #expect(
            mistakes(in: yaml) == [
                "line 3: model.filters must be a whole number ≥ 1, got \"none\" as item 2 of the list",
                "line 4: model.units belongs to model.kind lstm; this is cnn",
                "line 5: unknown key 'model.kernl'; did you mean 'kernel'? (allowed: kind, image, filters, kernel, pool, "
                    + "batch_normalization, hidden, activation, initializer, dropout, precision, loss, outputs)",
            ])
    }
}
