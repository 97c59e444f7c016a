import Foundation
import Planner
import Reports

/// Shows a plan in the form that was asked for.
struct PlanView {
    let plan: Plan
    /// Of its saved form, where it is saved.
    var digest: String?
    let workspace: Workspace
    let output: OutputOptions

    func show(_ format: PlanFormat) throws(Failure) {
        switch format {
        case .text:
            Workspace.show(plan.diagnostics, workspace.sources, output)
            Console.output(Self.text(plan, output))
        case .json: writePlan(plan) { Console.output($0) }
        case .markdown: Console.output(PlanMarkdown(digest: digest).render(plan))
        case .github:
            Console.output(GitHubAnnotations().render(plan))
            try writeJobSummary()
        }
    }

    static func text(_ plan: Plan, _ output: OutputOptions) -> String {
        PlanText(style: output.style).render(plan)
    }

    /// The job's summary page, where the workflow's environment offers one.
    private func writeJobSummary() throws(Failure) {
        guard let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let earlier = FileManager.default.contents(atPath: path).map(Array.init) ?? []
        try FileOutput.write(earlier + Array(PlanMarkdown(digest: digest).render(plan).utf8), to: path)
    }
}
