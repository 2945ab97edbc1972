package import Cluster
internal import Dataflow
internal import Foundation
internal import Interchange

/// Results as text and JSON.
package enum Results {
    /// One JSON object on one line, keys sorted; NaN and infinity are null.
    static func json(_ value: some Encodable) throws -> String { try JSONText.encode(value) }

    /// A job's report as text.
    package static func text(_ report: JobReport) -> String {
        let speed = ProgressLine.grouped(report.samplesPerSecond)
        var lines = [
            "\(report.status.rawValue): \(ProgressLine.grouped(report.steps)) steps, "
                + "\(ProgressLine.grouped(report.samples)) samples in \(String(format: "%.1f", report.seconds)) s "
                + "(\(speed) samples/s)"
        ]
        let values = [report.loss.map { "loss \(ProgressLine.short($0))" }].compactMap { $0 }
        let all = values + ProgressLine.list(report.metrics)
        if !all.isEmpty { lines.append(all.joined(separator: ", ")) }
        func examples(_ count: Int, _ what: String) -> String? {
            count > 0 ? "\(ProgressLine.grouped(count)) examples \(what)" : nil
        }
        let gradients = [
            GradientText.whole(report.gradients), examples(report.missedExamples, "missed"),
            examples(report.repeatedExamples, "twice"),
        ].compactMap { $0 }
        if !gradients.isEmpty { lines.append(gradients.joined(separator: ", ")) }
        if report.skippedSteps > 0 {
            lines.append(
                "\(ProgressLine.grouped(report.skippedSteps)) steps skipped: their losses or gradients were not finite")
        }
        if let checkpoint = report.checkpoint { lines.append("checkpoint \(checkpoint)") }
        if let reason = report.reason { lines.append(reason) }
        return lines.map(TerminalText.line).joined(separator: "\n")
    }

    /// A job's status as text: a line for the job, one for its gradients, and one for each node.
    package static func text(_ status: JobStatus) -> String {
        let loss = status.step > 0 ? status.loss.map { ["loss \(ProgressLine.short($0))"] } ?? [] : []
        let head = ["step \(ProgressLine.grouped(status.step))/\(ProgressLine.grouped(status.totalSteps))"]
        let values = head + loss + ProgressLine.list(status.metrics)
        var lines = ["\(status.job): \(status.phase.rawValue), " + values.joined(separator: ", ")]
        if let gradients = GradientText.whole(status.gradients) { lines.append(gradients) }
        lines += status.nodes.map { node in
            let place = "\(node.host), pid \(node.pid)"
            let seen = String(format: "%.1f", node.lastSeenSeconds)
            let gradients = node.gradients.flatMap { GradientText.whole($0) }.map { ", " + $0 } ?? ""
            return
                "  \(node.role.rawValue) \(node.number)  \(node.state.rawValue), step \(node.step), \(place), seen \(seen) s ago"
                + gradients
        }
        if !status.checkpoint.isEmpty { lines.append("checkpoint \(status.checkpoint)") }
        if !status.failure.isEmpty { lines.append(status.failure) }
        return lines.map(TerminalText.line).joined(separator: "\n")
    }

    /// The report of a job, also of a failed one.
    static func report(_ run: () throws -> JobReport) throws -> JobReport {
        do { return try run() } catch let error as JobError { return error.report }
    }

    /// Prints the report.
    ///
    /// - Parameter isOutputTaken: standard output holds something else; a report as text then goes to standard error.
    /// - Throws: `Failure` after that if the job failed, or its last checkpoint or losses could not be saved.
    static func finish(_ report: JobReport, asJSON: Bool, isOutputTaken: Bool = false, _ console: Console) throws {
        let printed = Result {
            if asJSON { return try console.write(json(report)) }
            if isOutputTaken { console.log(text(report)) } else { try console.write(text(report)) }
        }
        if report.status == .failed {
            throw Failure(
                report.hasDiverged ? .badData : .peerUnavailable,
                message: "tributary: the job failed: \(report.reason ?? "no reason given")"
                    + (report.reason?.contains("devices.opencl_cpu") == true ? "; --opencl-cpu sets that key" : ""))
        }
        if let error = report.checkpointError {
            throw Failure(
                .cannotCreate,
                message: "tributary: the last checkpoint could not be written: \(error)")
        }
        if let error = report.lossesError {
            throw Failure(
                .cannotCreate, message: "tributary: the losses are not complete: \(error)")
        }
        try printed.get()
    }
}
