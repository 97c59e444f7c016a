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
    private let difference: PlanDifference?
    private let limit: Int

    /// The unfinished comment.
    private struct Draft {
        var comment: BoundedMarkdown
        /// The parts that did not fit.
        var omitted: [String] = []

        mutating func omit(_ count: Int, _ noun: String, _ plural: String? = nil) {
            if count > 0 { omitted.append(counted(count, noun, plural)) }
        }
    }

    init(_ report: PlanReport) {
        plan = report.plan
        arguments = report.arguments
        digest = report.digest
        difference = report.difference
        limit = report.maxMarkdownBytes
    }

    /// The comment, whose size is limited to ``PlanReport/maxMarkdownBytes``.
    var text: MarkdownText {
        var draft = Draft(comment: BoundedMarkdown(limit: limit - Self.closingBytes))
        draft.comment.add("\(MarkdownText.planMarker(of: plan.target.name))\n\(opening)")
        let diagnostics = plan.diagnostics.errorsFirst.byCause
        let alerts = draft.comment.add(diagnostics.lazy.map(item), share: limit / 5, tail: "\n")
        draft.omit(diagnostics.dropFirst(alerts).reduce(0) { $0 + $1.count }, "diagnostic")
        if let difference {
            draft.comment.add(difference.markdown)
            draft.comment.add("<details><summary>The whole plan</summary>\n\n")
        }
        addTable(to: &draft)
        let checks = self.checks
        let shown = draft.comment.add(
            checks.lazy.map { $0() }, share: limit / 7, head: "**Check before you approve**\n\n", tail: "\n")
        draft.omit(checks.count - shown, "check")
        addChart(to: &draft)
        addRequests(to: &draft)
        if difference != nil { draft.comment.add("\n</details>\n") }
        guard !draft.omitted.isEmpty else { return draft.comment.text }
        let omitted: MarkdownText = "Left out for length: \(draft.omitted.joined(separator: ", "))"
        return draft.comment.text + "\n_\(omitted). Complete: \(code: arguments.command("plan", "--format json"))_\n"
    }

    private var opening: MarkdownText {
        let counts = plan.counts
        var text: MarkdownText = "### Sluice plan for \(code: plan.target.name.prefix(Self.nameLimit))\n\n"
        if let digest { text += "Saved as \(code: digest)\n\n" }
        if !plan.isApplicable {
            text += "🛑 **This plan cannot be applied: \(counts.diagnosticCounts).** "
        } else if !counts.diagnosticCounts.isEmpty {
            text += "⚠️ **\(counts.diagnosticCounts).** "
        }
        text += "**\(counts.summary)**\n\n"
        text += "Organization \(code: plan.target.organization.prefix(Self.nameLimit)), "
        text += "sandbox \(code: plan.target.sandbox.prefix(Self.nameLimit)), planned as of \(plan.asOf)."
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

    /// Formats diagnostics with one cause: the first one, and the number of the others.
    private func item(_ diagnostics: [Diagnostic]) -> MarkdownText {
        guard diagnostics.count > 1 else { return diagnostics.first?.markdownItem ?? "" }
        let places = diagnostics.compactMap(\.place).dropFirst().prefix(3).map { "\($0.file):\($0.line)" }
        let rest = diagnostics.count - 1 - places.count
        let others = places + (rest > 0 ? ["\(grouped(rest)) more"] : [])
        return
            "\(diagnostics[0].markdownItem)  - and \(counted(diagnostics.count - 1, "time")) more, at \(others.listed)\n"
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
                let lines = flow.requestLines(asOf: plan.asOf).filter {
                    $0.isNotable && !(areFirstRunsOne && $0.isPlainFirstRun)
                }
                return checks + lines.map { line in { check(line, name) } }
            } + heldChecks
    }

    /// The held windows of all flows, one point for each reason.
    private var heldChecks: [() -> MarkdownText] {
        let held = plan.flows.flatMap { flow in flow.heldLines.map { (flow: flow, line: $0) } }
        return held.groups(by: \.line.reason).compactMap { reason, lines in
            guard let first = lines.first else { return nil }
            return {
                guard lines.count > 1 else { return check(first.line, "\(code: first.flow.title)") }
                let count = lines.reduce(0) { $0 + $1.line.windows.count }
                let flows = lines.map(\.flow.title).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
                let names = flows.prefix(5).map { name -> MarkdownText in "\(code: name)" }
                let list = names.dropFirst().reduce(names.first ?? "") { $0 + ", " + $1 }
                let rest: MarkdownText = flows.count > 5 ? " and \(counted(flows.count - 5, "more flow"))" : ""
                return "- \(list)\(rest): \(counted(count, "window")) \(first.line.kind.inWords): \(reason)\n"
            }
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
        let rows = table.rows
        let shown = draft.comment.add(rows.lazy.map(table.row), share: limit / 2, head: table.head, tail: "\n")
        draft.omit(rows.dropFirst(shown).reduce(0) { $0 + $1.count }, "flow")
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

/// A table of the flows in a plan.
///
/// If there are many flows, each one is a short line, so that a reviewer sees all flows before any details. Empty
/// columns are omitted.
struct PlanMarkdownTable {
    /// The maximum number of flows with full rows.
    private static let maxFullRows = 25

    private enum Column: String, CaseIterable {
        case request = "Request"
        case retry = "Retry"
        case rerun = "Rerun"
        case held = "Held"
        case recorded = "Recorded"
        case undeclared = "Undeclared"

        func value(of counts: PlanCounts) -> Int {
            switch self {
            case .request: counts[.create]
            case .retry: counts[.retry]
            case .rerun: counts[.rerun]
            case .held: counts[.held] + counts.postponed
            case .recorded: counts[.recorded]
            case .undeclared: counts[.undeclared]
            }
        }
    }

    let flows: [FlowPlan]
    private let columns: [Column]
    private let isShort: Bool
    /// Whether to mark unverified flows; if all of them are unverified, a note above the table says so.
    private let marksUnverified: Bool

    /// Creates a table.
    ///
    /// - Parameter flows: The flows to show.
    init(_ flows: [FlowPlan]) {
        self.flows = flows
        let counts = flows.map(\.counts)
        columns = Column.allCases.filter { column in
            column == .request || counts.contains { column.value(of: $0) > 0 }
        }
        isShort = flows.count > Self.maxFullRows
        marksUnverified = flows.contains(where: \.isVerified)
    }

    var head: MarkdownText {
        let texts = ["Flow", "Requests cover (UTC)"]
        return .head(texts + columns.map(\.rawValue), numbersFrom: texts.count)
    }

    /// The flows of each row: a flow alone or, where there are many flows, those with equal cells but for their name.
    var rows: [[FlowPlan]] {
        guard isShort else { return flows.map { [$0] } }
        let rows = flows.groups { flow in
            let counts = flow.counts
            return columns.map { "\($0.value(of: counts))" } + [flow.span.map(shortText) ?? "", "\(flow.isVerified)"]
        }
        return rows.flatMap { $0.elements.count < 3 ? $0.elements.map { [$0] } : [$0.elements] }
    }

    func row(_ flows: [FlowPlan]) -> MarkdownText {
        guard let first = flows.first else { return "" }
        let counts = first.counts
        let suffix = flows.count > 1 ? " each" : ""
        let numbers: [MarkdownText] = columns.map { column in
            let value = column.value(of: counts)
            return value == 0 ? "" : "\(grouped(value))\(suffix)"
        }
        return .row((isShort ? shortCells(flows, first) : fullCells(first)) + numbers)
    }

    private func shortCells(_ flows: [FlowPlan], _ first: FlowPlan) -> [MarkdownText] {
        let names = [first, flows[flows.count - 1]].map { flow -> MarkdownText in "\(code: flow.title.prefix(60))" }
        var title = flows.count > 1 ? "\(grouped(flows.count)) flows: \(names[0]) … \(names[1])" : names[0]
        if marksUnverified, !first.isVerified { title += " _not verified_" }
        return [title, "\(first.span.map(shortText) ?? "")"]
    }

    private func fullCells(_ flow: FlowPlan) -> [MarkdownText] {
        var title: MarkdownText = "\(code: flow.title)"
        if let order = flow.orderText { title += " _\(order)_" }
        if marksUnverified, !flow.isVerified { title += " _not verified_" }
        if flow.name != nil { title += "<br>\(code: flow.id)" }
        title += "<br>\(code: "\(flow.place.file):\(flow.place.line)")"
        var span: MarkdownText = ""
        if let window = flow.span {
            span = "\(shortText(window))"
            if let times = flow.timeZone.flatMap(ZonedTimes.init) {
                span += "<br>_\(times.text(FoldedWindows(window), "…"))_"
            }
            span += "<br>\(spanText(window.length))"
        }
        return [title, span]
    }

    /// Formats a window without zero seconds.
    private func shortText(_ window: Window) -> String {
        window.text("…").replacing(":00Z", with: "Z")
    }
}
