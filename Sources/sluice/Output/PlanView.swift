import Foundation
import Manifests
import Planner
import Reports

/// Shows a plan: its diagnostics with the lines that they are about, then the plan itself.
struct PlanView {
    let report: PlanReport
    let sources: [SourceFile]
    let output: OutputOptions

    func show(_ format: Format<PlanReport>) throws(Failure) {
        if format.chosen == .text { output.tell(report.plan.diagnostics, sources) }
        output.show(report, format)
        if format.chosen == .github { try writeJobSummary() }
    }

    /// The job's summary page, where the workflow's environment offers one.
    private func writeJobSummary() throws(Failure) {
        guard let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let earlier = FileManager.default.contents(atPath: path).map(Array.init) ?? []
        try FileOutput.write(earlier + Array(report.written(.markdown).utf8), to: path)
    }
}
