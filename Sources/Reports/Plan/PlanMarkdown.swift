import FlowRuns
import Manifests
import Planner
import RunRequests

/// A plan as the comment of a pull request: what is wrong first, then the counts by flow, the windows as a picture, and
/// the exact requests folded away. Never longer than a comment may be; what is left out is counted.
struct PlanMarkdown {
    /// Kept for the line that counts what was left out.
    private static let closingBytes = 600
    /// Names of others are cut to this many characters where they stand once for the whole plan.
    private static let nameLimit = 200

    private let plan: Plan
    private let digest: String?

    /// The comment so far.
    private struct Draft {
        var comment = BoundedMarkdown(limit: BoundedMarkdown.mostBytes - closingBytes)
        /// What there was no room for.
        var omitted: [String] = []

        mutating func omit(_ count: Int, _ noun: String, _ plural: String? = nil) {
            if count > 0 { omitted.append(counted(count, noun, plural)) }
        }
    }

    init(_ plan: Plan, digest: String? = nil) {
        self.plan = plan
        self.digest = digest
    }

    /// At most ``BoundedMarkdown/mostBytes`` bytes of UTF-8, and so at most as many characters.
    var text: MarkdownText {
        var draft = Draft()
        draft.comment.add("\(marker)\n\(opening)")
        let diagnostics = plan.diagnostics.errorsFirst
        let alerts = draft.comment.add(diagnostics.lazy.map { alert($0) }, share: 12_000, tail: "\n")
        draft.omit(diagnostics.count - alerts, "diagnostic")
        let checks = self.checks
        let shown = draft.comment.add(
            checks.lazy.map { $0() }, share: 8_000, head: "**Check before you approve**\n\n", tail: "\n")
        draft.omit(checks.count - shown, "check")
        addTable(to: &draft)
        addChart(to: &draft)
        addRequests(to: &draft)
        guard !draft.omitted.isEmpty else { return draft.comment.text }
        let omitted: MarkdownText = "Left out for length: \(draft.omitted.joined(separator: ", "))"
        return draft.comment.text + "\n_\(omitted). Complete: `sluice plan --format json`._\n"
    }

    /// The first line of every comment on a target's plan, by which a bot finds the comment that it updates.
    private var marker: MarkdownText {
        // Two hyphens would end the comment.
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

    private func alert(_ diagnostic: Diagnostic) -> MarkdownText {
        var text: MarkdownText = diagnostic.severity == .error ? "- 🛑" : "- ⚠️"
        text += " **\(diagnostic.code.rawValue)**"
        if let place = diagnostic.place { text += " \(code: place):" }
        text += " \(diagnostic.message)"
        if let suggestion = diagnostic.suggestion { text += " _(\(suggestion))_" }
        return text + "\n"
    }

    // MARK: What a reviewer should check

    /// What would otherwise have to be found in the table or the picture. Each is written only when there is room for it.
    private var checks: [() -> MarkdownText] {
        let early = plan.earlyStarts
        return plan.flows.flatMap { flow in
            let name: MarkdownText = "\(code: flow.title)"
            var checks: [() -> MarkdownText] = []
            if flow.failedCount > 0 {
                checks.append { "- 🛑 \(name): \(counted(flow.failedCount, "window")) failed, and no retry is left\n" }
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
            let lines = flow.requestLines(asOf: plan.asOf).filter(\.isNotable) + flow.heldLines
            return checks + lines.map { line in { check(line, name) } }
        }
    }

    private func check(_ line: PlanLine, _ flow: MarkdownText) -> MarkdownText {
        let unusual: MarkdownText = line.unusual.map { "⚠️ \($0): " } ?? ""
        let window = "\(line.windows.rangeText("…")) (\(line.windows.sizeText))"
        return "- \(flow) \(unusual)\(line.kind.inWords) \(window): \(line.reason)\n"
    }

    // MARK: Table, picture, requests

    private func addTable(to draft: inout Draft) {
        let busy = plan.flows.filter { !$0.isQuiet }
        let head = MarkdownText.head(
            [
                "Flow", "Declared at", "Requests cover (UTC)", "Request", "Retry", "Rerun", "Held", "Recorded",
                "Undeclared",
            ], numbersFrom: 3)
        draft.omit(
            busy.count - draft.comment.add(busy.lazy.map { row($0) }, share: 14_000, head: head, tail: "\n"), "flow")
        let quiet = plan.flows.count - busy.count
        guard quiet > 0, !busy.isEmpty else { return }
        draft.comment.add("\(counted(quiet, "more flow is", "more flows are")) up to date.\n\n")
    }

    private func row(_ flow: FlowPlan) -> MarkdownText {
        let counts = flow.counts
        var title: MarkdownText = "\(code: flow.title)"
        if let order = flow.orderText { title += " _\(order)_" }
        if !flow.isVerified { title += " _not verified_" }
        if flow.name != nil { title += "<br>\(code: flow.id)" }
        var span: MarkdownText = ""
        if let window = flow.span {
            span = "\(window.text("…"))"
            if let times = flow.timeZone.flatMap(ZonedTimes.init) {
                span += "<br>_\(times.text(FoldedWindows(window), "…"))_"
            }
            span += "<br>\(spanText(window.length))"
        }
        let numbers = [
            counts.create, counts.retry, counts.rerun, counts.held + counts.postponed, counts.recorded,
            counts.undeclared,
        ]
        return .row(
            [title, "\(code: "\(flow.place.file):\(flow.place.line)")", span]
                + numbers.map { $0 == 0 ? "" : "\(grouped($0))" })
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

    /// Every flow gets an equal share of what room is left, and what a flow does not need goes to the next.
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
        if let run = action.kind.retried {
            return .codeLine("POST /runs/\(run)/action?op=re-trigger")
        }
        let body = action.request(for: flow.id).body(plan.target.wireForm, sentAt: nil)
        return .codeLine("POST /runs \(body)")
    }
}
