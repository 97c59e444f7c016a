import FlowRuns
import Manifests
import Planner
import RunRequests
import Text

/// A plan as the comment of a pull request: what is wrong first, then the counts by flow, the windows as a picture, and
/// the exact requests folded away. Never longer than a comment may be; what is left out is counted.
package struct PlanMarkdown: Sendable {
    /// GitHub takes 65,536 characters; the rest is for what a bot may add.
    package static let mostBytes = 60_000
    /// Kept for the line that counts what was left out.
    private static let closingBytes = 600

    private let digest: String?

    /// - Parameter digest: of the plan's saved form, where a reviewer approves that.
    package init(digest: String? = nil) { self.digest = digest }

    /// The first line of every comment on a target's plan, by which a bot finds the comment that it updates.
    package func marker(target: String) -> String {
        // Two hyphens would end the comment, and a line break the line.
        let name = printable(target).replacing("--", with: "-\u{200B}-").replacing(">", with: "")
        return "<!-- sluice:plan target=\(name) -->"
    }

    /// At most ``mostBytes`` bytes of UTF-8, and so at most as many characters.
    package func render(_ plan: Plan) -> String {
        var text = BoundedText(limit: Self.mostBytes - Self.closingBytes)
        var omitted: [String] = []
        func note(_ count: Int, _ noun: String, _ plural: String? = nil) {
            if count > 0 { omitted.append(counted(count, noun, plural)) }
        }

        text.add(marker(target: String(plan.target.name.prefix(200))) + "\n" + opening(plan))
        let diagnostics =
            plan.diagnostics.filter { $0.severity == .error } + plan.diagnostics.filter { $0.severity == .warning }
        let alerts = diagnostics.lazy.map { alert($0) }
        note(diagnostics.count - text.add(alerts, share: 12_000, tail: "\n"), "diagnostic")
        let remarks = self.remarks(plan)
        let remarksHead = "**Look twice at**\n\n"
        let shown = text.add(remarks.lazy.map { $0() }, share: 8_000, head: remarksHead, tail: "\n")
        note(remarks.count - shown, "remark")
        let busy = plan.flows.filter { !$0.isQuiet }
        let head = Markdown.head(
            [
                "Flow", "Declared at", "Requests cover (UTC)", "Request", "Retry", "Rerun", "Held", "Recorded",
                "Undeclared",
            ],
            numbersFrom: 3)
        note(busy.count - text.add(busy.lazy.map { row($0) }, share: 14_000, head: head, tail: "\n"), "flow")
        let quiet = plan.flows.count - busy.count
        if quiet > 0, !busy.isEmpty { text.add("\(counted(quiet, "more flow needs", "more flows need")) nothing.\n\n") }
        addChart(plan, to: &text, note)
        addRequests(plan, to: &text, note)
        guard !omitted.isEmpty else { return text.text }
        return text.text + "\n_Left out for length: \(omitted.joined(separator: ", ")). All of it: "
            + "`sluice plan --format json`._\n"
    }

    private func opening(_ plan: Plan) -> String {
        let counts = plan.counts
        let target = Markdown.code(String(plan.target.name.prefix(200)))
        let sandbox = Markdown.code(String(plan.target.sandbox.prefix(200)))
        var text = "### Sluice plan for \(target)\n\n"
        if !plan.isApplicable {
            text += "🛑 **This plan cannot be applied: \(counts.faults).** "
        } else if !counts.faults.isEmpty {
            text += "⚠️ **\(counts.faults).** "
        }
        text += "**\(counts.summary)**\n\n"
        let warning = counts.requests > 0 ? " A flow run cannot be undone." : ""
        let saved = digest.map { " Saved as \(Markdown.code($0))." } ?? ""
        text += "Sandbox \(sandbox), planned as of \(plan.asOf).\(saved)\(warning)\n\n"
        let unverified = plan.unverifiedCount
        if unverified > 0 {
            text += "\(counted(unverified, "flow is", "flows are")) _unverified_: this ledger has never compared "
            text += "\(unverified == 1 ? "it" : "them") with the service. Apply does so first; what it finds can only "
            text += "take requests away.\n\n"
        }
        return text
    }

    private func alert(_ diagnostic: Diagnostic) -> String {
        let sign = diagnostic.severity == .error ? "🛑" : "⚠️"
        let place = diagnostic.place.map { "\(Markdown.code($0.description)): " } ?? ""
        let help = diagnostic.suggestion.map { " _(\(Markdown.escaped($0)))_" } ?? ""
        let message = Markdown.escaped(diagnostic.message)
        return "- \(sign) **\(diagnostic.code.rawValue)** \(place)\(message)\(help)\n"
    }

    /// What a reviewer would otherwise have to find in the table or the picture. Each is written only when there is room
    /// for it.
    private func remarks(_ plan: Plan) -> [() -> String] {
        let early = plan.earlyStarts
        return plan.flows.flatMap { flow in
            let start = early[flow.id].map { ahead in
                { "- \(Markdown.code(flow.title)) begins \(spanText(ahead)) before most flows of this plan\n" }
            }
            let failed = flow.failedCount > 0 ? [{ failures(of: flow) }] : []
            let long =
                (flow.span?.length ?? .zero) > OddWindows.longSpan && start == nil ? [{ longSpan(of: flow) }] : []
            let entries = flow.entries(asOf: plan.asOf).filter(\.isNotable) + flow.heldEntries
            return failed + [start].compactMap(\.self) + long + entries.map { entry in { remark(entry, of: flow) } }
        }
    }

    private func failures(of flow: FlowPlan) -> String {
        "- 🛑 \(Markdown.code(flow.title)): \(counted(flow.failedCount, "window")) failed, and no retry is left\n"
    }

    private func longSpan(of flow: FlowPlan) -> String {
        guard let span = flow.span else { return "" }
        let requests = counted(flow.actions.count, "request")
        return "- ⚠️ \(Markdown.code(flow.title)): \(requests) over \(spanText(span.length))\n"
    }

    private func remark(_ entry: PlanEntry, of flow: FlowPlan) -> String {
        let oddity = entry.oddity.map { "⚠️ \($0): " } ?? ""
        let window = "\(entry.windows.rangeText("…")) (\(entry.windows.sizeText))"
        let reason = Markdown.escaped(entry.reason)
        return "- \(Markdown.code(flow.title)) \(oddity)\(entry.kind.inWords) \(window): \(reason)\n"
    }

    private func row(_ flow: FlowPlan) -> String {
        let counts = flow.counts
        let id = flow.name == nil ? "" : "<br>\(Markdown.code(flow.id.description))"
        let unverified = flow.isVerified ? "" : " _unverified_"
        let place = Markdown.code("\(flow.place.file):\(flow.place.line)")
        let span = flow.span.map { "\($0.text("…"))\(localTimes($0, of: flow))<br>\(spanText($0.length))" } ?? ""
        let numbers = [counts.create, counts.retry, counts.rerun, counts.held, counts.recorded, counts.undeclared]
        return Markdown.row(
            [Markdown.code(flow.title) + unverified + id, place, span] + numbers.map { $0 == 0 ? "" : grouped($0) })
    }

    private func localTimes(_ span: Window, of flow: FlowPlan) -> String {
        guard let local = flow.timeZone.flatMap(LocalTimes.init) else { return "" }
        return "<br>_\(local.text(FoldedWindows(span), "…"))_"
    }

    private func addChart(_ plan: Plan, to text: inout BoundedText, _ note: (Int, String, String?) -> Void) {
        guard let chart = GanttChart(plan) else { return }
        if text.add(Markdown.block(chart.source, language: "mermaid") + "\n") {
            note(chart.omittedFlows, "flow in the picture", "flows in the picture")
            note(chart.omittedWindows, "window in the picture", "windows in the picture")
        } else {
            note(1, "picture", nil)
        }
    }

    /// Every flow gets an equal share of what room is left, and what a flow does not need goes to the next.
    private func addRequests(_ plan: Plan, to text: inout BoundedText, _ note: (Int, String, String?) -> Void) {
        let flows = plan.flows.filter { !$0.actions.isEmpty }
        var shown = 0
        for (index, flow) in flows.enumerated() {
            let lines = flow.actions.lazy.map { request($0, of: flow, plan.target.wireForm) }
            let title = "\(counted(flow.actions.count, "request")) of <code>\(htmlEscaped(flow.title))</code>"
            shown += text.add(
                lines, share: text.left / (flows.count - index),
                head: "<details><summary>\(title)</summary>\n\n``````http\n", tail: "``````\n\n</details>\n")
        }
        note(flows.reduce(0) { $0 + $1.actions.count } - shown, "request", nil)
    }

    private func request(_ action: PlannedAction, of flow: FlowPlan, _ form: WireForm) -> String {
        let line: String
        if let run = action.kind.retried {
            line = "POST /runs/\(run)/action?op=re-trigger"
        } else {
            line = "POST /runs \(action.request(for: flow.id).body(form, sentAt: nil))"
        }
        return printable(line).replacing("``````", with: "`\u{200B}`\u{200B}`\u{200B}`\u{200B}`\u{200B}`") + "\n"
    }
}
