import Manifests
import Planner
import Reports

/// A view of a plan: its diagnostics with the source lines, then the plan itself.
struct PlanView {
    let report: PlanReport
    let sources: [SourceFile]
    let output: OutputOptions

    func show(_ format: Format<PlanReport>) {
        var report = report
        if format.chosen == .text {
            output.printDiagnostics(report.plan.diagnostics, sources: sources)
            report.showsDiagnostics = false
        }
        output.show(report, format)
        if format.chosen == .github { JobSummary.add(report) }
    }
}
