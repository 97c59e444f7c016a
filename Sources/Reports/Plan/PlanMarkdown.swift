import FlowRuns
import Manifests
import Planner

/// A plan as a comment on a pull request: diagnostics, all flows with their counts, points to check, a chart of the
/// windows, and the collapsed requests.
///
/// The comment never exceeds the size limit. Omitted parts are counted, and requests are the first to be omitted.
struct PlanMarkdown {
    /// The bytes reserved for the line that counts the omitted parts.
    private static let closingBytes = 600
    /// The maximum number of characters of an untrusted name that occurs once in the comment.
    private static let nameLimit = 200

    private let plan: Plan
    private let arguments: CommandArguments
    private let digest: String?

    /// The unfinished comment.
    private struct Draft {
        var comment = BoundedMarkdown(limit: BoundedMarkdown.maxBytes - closingBytes)
        /// The parts that did not fit.
        var omitted: [String] = []

        mutating func omit(_ count: Int, _ noun: String, _ plural: String? = nil) {
            if count > 0 { omitted.append(counted(count, noun, plural)) }
        }
    }

    init(_ plan: Plan, _ arguments: CommandArguments, digest: String? = nil) {
        self.plan = plan
        self.arguments = arguments
        self.digest = digest
    }

    /// The comment, whose size is limited to ``BoundedMarkdown/maxBytes``.
    var text: MarkdownText {
        var draft = Draft()
        draft.comment.add("\(marker)\n\(opening)")
        let diagnostics = plan.diagnostics.errorsFirst
        let alerts = draft.comment.add(diagnostics.lazy.map(\.markdownLine), share: 12_000, tail: "\n")
        draft.omit(diagnostics.count - alerts, "diagnostic")
        addTable(to: &draft)
        let checks = self.checks
        let shown = draft.comment.add(
            checks.lazy.map { $0() }, share: 8_000, head: "**Check before you approve**\n\n", tail: "\n")
        draft.omit(checks.count - shown, "check")
        addChart(to: &draft)
        addRequests(to: &draft)
        guard !draft.omitted.isEmpty else { return draft.comment.text }
        let omitted: MarkdownText = "Left out for length: \(draft.omitted.joined(separator: ", "))"
        return draft.comment.text + "\n_\(omitted). Complete: \(code: arguments.command("plan", "--format json"))_\n"
    }

    /// The first line of every comment on a target's plan, by which a bot finds the comment to update.
    private var marker: MarkdownText {
        // Two hyphens would end the HTML comment.
        let name = plan.target.name.prefix(Self.nameLimit).replacing("--", with: "- -").replacing(">", with: "")
        return "<!-- sluice:plan target=\(html: name) -->"
    }

    private var opening: MarkdownText {
        let counts = plan.counts
        var text: MarkdownText = "### Sluice plan for \(code: plan.target.name.prefix(Self.nameLimit))\n\n"
        if !plan.isApplicable {
            text += "🛑 **This plan cannot be applied: \(counts.diagnosticCounts).** "
        } else if !counts.diagnosticCounts.isEmpty {
            text += "⚠️ **\(counts.diagnosticCounts).** "
        }
        text += "**\(counts.summary)**\n\n"
        text += "Organization \(code: plan.target.organization.prefix(Self.nameLimit)), "
        text += "sandbox \(code: plan.target.sandbox.prefix(Self.nameLimit)), planned as of \(plan.asOf)."
        if let digest { text += " Saved as \(code: digest)." }
        text += "\n\n"
        switch plan.target.service {
        case .embedded: text += "Requests go to the embedded simulator."
        case .address(let address):
            text += "Requests and the access token go to \(code: address.prefix(Self.nameLimit))."
        }
        if counts.requests > 0 { text += " A flow run cannot be undone." }
        text += "\n\n"
        if let note = plan.unverifiedNote { text += "\(note)\n\n" }
        return text
    }

    // MARK: Points to check

    /// The points that a reviewer would otherwise have to find in the table or the chart, formatted only if they fit.
    private var checks: [() -> MarkdownText] {
        let early = plan.earlyStarts
        let firstRuns = plan.flows.filter { $0.firstColumn != nil }
        let areFirstRunsOne = firstRuns.count > Self.maxFirstRuns
        let merged = areFirstRunsOne ? [{ firstRunsCheck(firstRuns) }] : []
        return merged
            + plan.flows.flatMap { flow in
                let name: MarkdownText = "\(code: flow.title)"
                var checks: [() -> MarkdownText] = []
                if flow.failedCount > 0 {
                    checks.append {
                        "- 🛑 \(name): \(counted(flow.failedCount, "window")) failed, and no retry is left\n"
                    }
                }
                if let ahead = early[flow.id] {
                    checks.append { "- ⚠️ \(name) begins \(spanText(ahead)) before most flows of this plan\n" }
                } else if let span = flow.span, span.length > UnusualWindows.longSpan {
                    let requests = counted(flow.actions.count, "request")
                    checks.append { "- ⚠️ \(name): \(requests) over \(spanText(span.length))\n" }
                }
                if flow.replacedCount > 0 {
                    checks.append { "- \(name): \(grouped(flow.recordedCount)) recorded\(flow.replacedText)\n" }
                }
                let lines =
                    flow.requestLines(asOf: plan.asOf).filter {
                        $0.isNotable && !(areFirstRunsOne && $0.isPlainFirstRun)
                    } + flow.heldLines
                return checks + lines.map { line in { check(line, name) } }
            }
    }

    /// The maximum number of flows whose first runs are listed separately.
    private static let maxFirstRuns = 5

    /// Lists first runs, such as `- 2 flows make their first run, which carries the delta column: ID of a and b`.
    private func firstRunsCheck(_ flows: [FlowPlan]) -> MarkdownText {
        let byColumn = Dictionary(grouping: flows) { $0.firstColumn?.name ?? "" }
        let columns = byColumn.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let parts = columns.prefix(20).map { column, flows -> MarkdownText in
            let names = flows.count > 3 ? counted(flows.count, "flow") : flows.map(\.title).listed
            return "\(code: column) of \(names)"
        }
        let rest: MarkdownText = columns.count > parts.count ? " and \(columns.count - parts.count) more" : ""
        let list = parts.dropFirst().reduce(parts.first ?? "") { $0 + ", " + $1 }
        return "- \(counted(flows.count, "flow")) make their first run, which carries the delta column: "
            + list + rest + "\n"
    }

    private func check(_ line: PlanLine, _ flow: MarkdownText) -> MarkdownText {
        let unusual: MarkdownText = line.unusual.map { "⚠️ \($0): " } ?? ""
        let window = "\(line.windows.rangeText("…")) (\(line.windows.sizeText))"
        return "- \(flow) \(unusual)\(line.kind.inWords) \(window): \(line.reason)\n"
    }

    // MARK: Table, chart, requests

    private func addTable(to draft: inout Draft) {
        let table = PlanMarkdownTable(plan.flows.filter { !$0.isQuiet })
        let shown = draft.comment.add(table.flows.lazy.map(table.row), share: 32_000, head: table.head, tail: "\n")
        draft.omit(table.flows.count - shown, "flow")
        let quiet = plan.flows.count - table.flows.count
        guard quiet > 0, !table.flows.isEmpty else { return }
        draft.comment.add("\(counted(quiet, "more flow is", "more flows are")) up to date.\n\n")
    }

    private func addChart(to draft: inout Draft) {
        guard let chart = GanttChart(plan) else { return }
        if draft.comment.add(.block(chart.lines, language: "mermaid") + "\n") {
            draft.omit(chart.omittedFlows, "flow in the picture", "flows in the picture")
            draft.omit(chart.omittedWindows, "window in the picture", "windows in the picture")
        } else {
            draft.omit(1, "picture")
        }
    }

    /// Adds the requests. Each flow gets an equal share of the remaining size, plus what earlier flows did not use.
    private func addRequests(to draft: inout Draft) {
        let flows = plan.flows.filter { !$0.actions.isEmpty }
        var shown = 0
        for (index, flow) in flows.enumerated() {
            let requests = counted(flow.actions.count, "request")
            shown += draft.comment.add(
                flow.actions.lazy.map { request($0, of: flow) }, share: draft.comment.left / (flows.count - index),
                head: "<details><summary>\(requests) of <code>\(html: flow.title)</code></summary>\n\n``````http\n",
                tail: "``````\n\n</details>\n")
        }
        draft.omit(flows.reduce(0) { $0 + $1.actions.count } - shown, "request")
    }

    private func request(_ action: PlannedAction, of flow: FlowPlan) -> MarkdownText {
        if let run = action.kind.retriggered {
            return .codeLine("POST /runs/\(run)/action?op=re-trigger")
        }
        let body = action.request(for: flow.id).body(plan.target.wireForm, sentAt: nil)
        return .codeLine("POST /runs \(body)")
    }
}
