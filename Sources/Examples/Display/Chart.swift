internal import Foundation

/// Lines over common axes, drawn as an SVG.
public struct Chart {
    public struct Line {
        let label: String
        let points: [(x: Double, y: Double)]

        public init(_ label: String, _ points: [(x: Double, y: Double)]) {
            self.label = label
            self.points = points
        }
    }

    let title: String
    let axes: (x: String, y: String)
    let lines: [Line]
    let logarithmic: Bool

    /// - Parameter logarithmic: the y axis shows powers of ten; points that are not above 0 are left out.
    public init(_ title: String, x: String, y: String, logarithmic: Bool = false, _ lines: [Line]) {
        self.title = title
        axes = (x, y)
        self.lines = lines
        self.logarithmic = logarithmic
    }

    private static let colors = [
        "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2",
    ]
    static let (width, height) = (520.0, 320.0)
    private static let (left, right, top, bottom) = (62.0, 150.0, 34.0, 46.0)

    /// The chart as the inside of an SVG, its upper left corner at (0, `offset`).
    func drawing(offset: Double) -> String {
        let shown = lines.map { line in line.points.filter { $0.y.isFinite && (!logarithmic || $0.y > 0) } }
        let xs = shown.joined().map(\.x)
        let ys = shown.joined().map { height(of: $0.y) }
        let (x0, x1) = Chart.span(xs)
        let (y0, y1) = Chart.span(ys)
        let plotWidth = Chart.width - Chart.left - Chart.right
        let plotHeight = Chart.height - Chart.top - Chart.bottom
        let px = { (x: Double) in Chart.left + (x - x0) / (x1 - x0) * plotWidth }
        let py = { (y: Double) in offset + Chart.top + (y1 - y) / (y1 - y0) * plotHeight }
        var svg = label(Chart.left, offset + 20, title, size: 15)
        svg += label(Chart.left + plotWidth / 2, offset + Chart.height - 8, axes.x, anchor: "middle")
        svg += label(8, offset + Chart.top - 6, axes.y)
        for i in 0...4 {
            let (x, y) = (x0 + (x1 - x0) * Double(i) / 4, y0 + (y1 - y0) * Double(i) / 4)
            svg += line(px(x), py(y0), px(x), py(y1)) + line(px(x0), py(y), px(x1), py(y))
            svg += label(px(x), py(y0) + 16, x.text(abs(x1 - x0) > 8 ? 1 : 2), anchor: "middle")
            svg += label(px(x0) - 6, py(y) + 4, logarithmic ? "1e\(y.text(1))" : y.text(2), anchor: "end")
        }
        for (i, points) in shown.enumerated() {
            let color = Chart.colors[i % Chart.colors.count]
            let path = points.map { "\(px($0.x).text(1)),\(py(height(of: $0.y)).text(1))" }.joined(separator: " ")
            svg += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>\n"
            let y = offset + Chart.top + 14 + Double(i) * 18
            svg += label(Chart.width - Chart.right + 12, y, lines[i].label, color: color)
        }
        return svg
    }

    private func height(of y: Double) -> Double { logarithmic ? log10(y) : y }

    private static func span(_ values: [Double]) -> (Double, Double) {
        let (low, high) = (values.min() ?? 0, values.max() ?? 1)
        return low < high ? (low, high) : (low - 1, high + 1)
    }

    private func line(_ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> String {
        "<line x1=\"\(x0.text(1))\" y1=\"\(y0.text(1))\" x2=\"\(x1.text(1))\" y2=\"\(y1.text(1))\" stroke=\"#ddd\"/>\n"
    }

    private func label(
        _ x: Double, _ y: Double, _ text: String, size: Int = 12, anchor: String = "start", color: String = "#333"
    ) -> String {
        "<text x=\"\(x.text(1))\" y=\"\(y.text(1))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\" fill=\"\(color)\">"
            + "\(text)</text>\n"
    }

    /// Writes charts, one below the other, to a file.
    public static func write(_ charts: [Chart], to path: String) throws {
        let total = (height * Double(charts.count)).text(0)
        var svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width.text(0))\" height=\"\(total)\""
        svg += " font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        for (i, chart) in charts.enumerated() { svg += chart.drawing(offset: Double(i) * height) }
        try (svg + "</svg>\n").write(toFile: path, atomically: false, encoding: .utf8)
    }
}
