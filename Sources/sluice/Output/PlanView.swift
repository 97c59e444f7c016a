import Foundation
import Manifests
import Planner
import Reports
import Text

/// A view of a plan: its diagnostics with the source lines, then the plan itself.
struct PlanView {
    let report: PlanReport
    let sources: [SourceFile]
    let output: OutputOptions

    /// Shows the plan.
    ///
    /// - Parameters:
    ///   - format: The format of the plan.
    ///   - isOutputTaken: Whether standard output is for the saved plan, so that the view goes to standard error.
    func show(_ format: Format<PlanReport>, isOutputTaken: Bool = false) {
        var report = report
        if format.chosen == .text {
            output.printDiagnostics(report.plan.diagnostics, sources: sources)
            report.showsDiagnostics = false
        }
        if !isOutputTaken {
            output.show(report, format)
        } else if format.chosen != .text || !output.quiet {
            report.write(format.chosen, output.errorStyle) { Console.printNote($0) }
        }
        if format.chosen == .github { JobSummary.add(report) }
    }
}

/// The summary page of a CI job, if the environment has one (GitHub Actions and compatible services).
enum JobSummary {
    /// Appends to what the job's steps have written before. A summary that cannot be written is a warning: it only
    /// reports.
    static func add(_ markdown: [UInt8]) {
        guard let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let number = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
        guard number >= 0 else { return warn(path) }
        defer { close(number) }
        if writeAll(markdown[...], to: number) != 0 { warn(path) }
    }

    /// Appends a plan, which may be longer in a summary than in a comment: GitHub allows 1 MiB for each step.
    static func add(_ plan: PlanReport) {
        var plan = plan
        plan.maxMarkdownBytes = 1_000_000
        add(Array(plan.written(.markdown).utf8))
    }

    private static func warn(_ path: String) {
        let reason = String(cString: strerror(errno))
        Console.printNote("warning: cannot write the job summary '\(printable(path))' (GITHUB_STEP_SUMMARY): \(reason)")
    }
}
