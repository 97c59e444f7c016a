import FlowRuns
import Manifests
import Planner
import Text

/// The terminal view of a plan: grouped by flow, with folded series, notable requests on separate lines, and a closing
/// line with the counts.
///
/// The view is about one screen long, regardless of the size of the plan.
///
/// ```
/// contacts  3abea21c-7e36-4be1-bec1-d3bad0e3e0de  flows/crm.yaml:14
///   + 2024-01-01T00:00:00Z … 2024-01-02T00:00:00Z  1d                 first run of the flow: carries the delta column ID
///   + 2024-01-02T00:00:00Z … 2024-12-31T00:00:00Z  364 windows of 1d  never run
///
/// Plan: 365 to request; 340 recorded.
/// ```
struct PlanText {
    private let report: PlanReport
    private let style: TextStyle

    /// The approximate maximum number of window lines, over all flows.
    private static let rowLimit = 40
    /// The maximum number of flows with a section of their own. If there are more flows, only those that a reviewer
    /// should check have a section; the others have one line each, and the rest is counted.
    private static let sectionLimit = 12
    private static let lineLimit = 40

    init(_ report: PlanReport, _ style: TextStyle) {
        self.report = report
        self.style = style
    }

    private var plan: Plan { report.plan }

    var lines: [StyledText] {
        if let difference = report.difference { return header + difference.lines(style) + closing }
        let busy = plan.flows.filter { !$0.isQuiet }
        let early = plan.earlyStarts
        let isShort = busy.count <= Self.sectionLimit
        let detailed = Set(
            busy.lazy.filter { isShort || needsAttention($0, startingEarly: early) }.prefix(Self.sectionLimit).map(\.id)
        )
        let limit = max(4, Self.rowLimit / max(1, detailed.count))
        let sections = busy.filter { detailed.contains($0.id) }.flatMap { flow in
            FlowSection(flow, of: report, style, startsEarly: early[flow.id], limit: limit).lines + .blank
        }
        let others = brief(busy.filter { !detailed.contains($0.id) }, startingEarly: early)
        return header + sections + others + quiet(besides: busy) + closing
    }

    /// Checks whether a flow has more to review than the number of its requests.
    private func needsAttention(_ flow: FlowPlan, startingEarly early: [FlowID: Duration]) -> Bool {
        let counts = flow.counts
        return !flow.diagnostics.isEmpty || counts[.held] + counts[.failed] + counts[.retry] + counts[.rerun] > 0
            || early[flow.id] != nil || !UnusualWindows(flow.actions, asOf: plan.asOf).isEmpty
    }

    private var header: [StyledText] {
        let counts = plan.counts
        let target = "\(plan.target.name) (\(plan.target.organization), sandbox \(plan.target.sandbox))"
        guard counts.requests > 0 else {
            return style.lines("Plan for target \(target) as of \(plan.asOf)") + .blank
        }
        let verb = plan.isApplicable ? "will" : "would"
        let requests = counted(counts.requests, "flow run")
        let symbols = PlanSymbol.allCases.filter { $0.count(in: counts) > 0 }
        let legend: [StyledText] = symbols.map { "\($0.painted(style)) \($0.meaning)" }
        let title = "Sluice \(verb) request \(requests) from target \(target), planned as of \(plan.asOf)."
        let symbolLine: StyledText = "  \(legend.joined(separator: "  "))"
        return style.lines(title) + style.lines(plan.destination) + [symbolLine] + .blank
    }

    /// Formats one line for each flow without a section.
    private func brief(_ flows: [FlowPlan], startingEarly early: [FlowID: Duration]) -> [StyledText] {
        guard !flows.isEmpty else { return [] }
        let shown = flows.prefix(Self.lineLimit)
        let withIDs = table(shown, early, showsIDs: true)
        let table = withIDs.fits ? withIDs : table(shown, early, showsIDs: false)
        let rest = flows.dropFirst(Self.lineLimit)
        guard !rest.isEmpty else { return table.lines + .blank }
        let counts = rest.reduce(PlanCounts()) { $0 + $1.counts }
        let words = (counts.requestCounts + counts.skippedCounts + [counts.diagnosticCounts]).filter { !$0.isEmpty }
        let more = counted(rest.count, "more flow")
        let sum = "\(style.ellipsis) and \(more): \(words.joined(separator: ", ")); see --format json"
        return table.lines + style.lines(sum, .strong) + .blank
    }

    private func table(
        _ flows: ArraySlice<FlowPlan>, _ early: [FlowID: Duration], showsIDs: Bool
    ) -> TextTable {
        let checks = flows.map { flow in
            let isUnusual = early[flow.id] != nil || !UnusualWindows(flow.actions, asOf: plan.asOf).isEmpty
            let firstRun = flow.firstColumn.map { "first run: \($0.name)" } ?? ""
            return [flow.counts.diagnosticCounts, isUnusual ? "unusual windows" : "", firstRun]
                .filter { !$0.isEmpty }.joined(separator: ", ")
        }
        let showsChecks = checks.contains { !$0.isEmpty }
        var columns = [TextTable.Column("flow", isShrinkable: true)]
        if showsIDs { columns.append(.init("id")) }
        columns.append(.init("planned"))
        if showsChecks { columns.append(.init("check", isShrinkable: true)) }
        var table = TextTable(columns, style: style)
        for (flow, check) in zip(flows, checks) {
            let id: [TextTable.Cell] = showsIDs ? [.init(flow.id.description, .quiet)] : []
            let counts = flow.counts
            let planned = (counts.requestCounts + counts.skippedCounts).joined(separator: ", ")
            table.add([.init(flow.title)] + id + [.init(planned), .init(check, .warning)])
        }
        return table
    }

    private func quiet(besides busy: [FlowPlan]) -> [StyledText] {
        let flows = plan.flows.filter(\.isQuiet)
        guard !flows.isEmpty, !busy.isEmpty else { return [] }
        let recorded = counted(flows.reduce(0) { $0 + $1.recordedCount }, "window")
        let which = counted(flows.count, "more flow is", "more flows are")
        let line: StyledText = "\(PlanSymbol.recorded.painted(style)) \(which) up to date: \(recorded) recorded"
        return [line] + .blank
    }

    private var closing: [StyledText] {
        let counts = plan.counts
        var lines: [StyledText] = []
        if let note = plan.unverifiedNote { lines += style.lines(note) + .blank }
        for diagnostic in plan.ownDiagnostics { lines += style.lines(diagnostic.line, .warning) }
        lines += style.lines(counts.diagnosticCounts, counts[.errors] > 0 ? .error : .warning)
        guard !plan.isApplicable else { return lines + style.lines(counts.summary, .strong) }
        let errors = counts[.errors] == 1 ? "error" : "errors"
        return lines + style.lines("This plan cannot be applied: fix the \(errors) first.", .error)
            + style.lines("(\(counts.summary))")
    }
}

/// The section of one flow in the terminal view of a plan.
struct FlowSection {
    private let flow: FlowPlan
    private let report: PlanReport
    private let style: TextStyle
    private let startsEarly: Duration?
    private let limit: Int

    private static let indent = 2
    private static let diagnosticLimit = 5
    private static let heldLimit = 4
    private static let minPlaceWidth = 24
    /// The minimum number of columns for a reason next to its window; in a narrower terminal it goes below the window.
    private static let minReasonWidth = 36

    /// Creates a section.
    ///
    /// - Parameters:
    ///   - flow: The flow.
    ///   - report: The plan with the flow.
    ///   - style: The capabilities of the terminal.
    ///   - startsEarly: How much earlier the requests begin than those of most other flows; `nil` if they do not.
    ///   - limit: The maximum number of lines for requests.
    init(_ flow: FlowPlan, of report: PlanReport, _ style: TextStyle, startsEarly: Duration?, limit: Int) {
        self.flow = flow
        self.report = report
        self.style = style
        self.startsEarly = startsEarly
        self.limit = limit
    }

    var lines: [StyledText] { [title] + windows + span + skippedCounts + diagnostics }

    private var title: StyledText {
        var id = flow.name == nil ? "" : "  \(flow.id)"
        let order = flow.orderText.map { "  \($0)" } ?? ""
        let tag = flow.isVerified ? "" : "  not verified"
        var place = printable("\(flow.place.file):\(flow.place.line)")
        var name = printable(flow.title)
        if let width = style.width {
            var room = width - order.columns - tag.columns - 2
            // Drop the ID first: the position leads to the ID as well, and people recognize the name.
            if name.columns + id.columns + min(place.columns, Self.minPlaceWidth) > room { id = "" }
            room -= id.columns
            name = name.cutInMiddle(to: max(12, room - min(place.columns, max(12, room / 2))), style)
            place = place.cutInMiddle(to: max(8, room - name.columns), style)
        }
        return "\(style.paint(name, .strong))\(id)  \(style.paint(place, .quiet))\(order)\(style.paint(tag, .warning))"
    }

    private var windows: [StyledText] {
        let requests = PlanLineSelection(flow.requestLines(asOf: report.plan.asOf), limit: limit)
        let held = PlanLineSelection(flow.heldLines, limit: Self.heldLimit)
        let shown = requests.shown + held.shown
        let rangeWidth = shown.map { $0.windows.rangeText(style.ellipsis).columns }.max() ?? 0
        let sizeWidth = shown.map { $0.windows.sizeText.columns }.max() ?? 0
        func lines(_ selection: PlanLineSelection) -> [StyledText] {
            let lines = selection.shown.flatMap { self.lines($0, rangeWidth: rangeWidth, sizeWidth: sizeWidth) }
            guard selection.omittedCount > 0 else { return lines }
            let more = "\(style.ellipsis) and \(grouped(selection.omittedCount)) more: \(selection.omittedText)"
            return lines + indented("\(more); see --format json", .strong)
        }
        return lines(requests) + lines(held)
    }

    private func lines(_ line: PlanLine, rangeWidth: Int, sizeWidth: Int) -> [StyledText] {
        let symbol = line.kind
        let range = line.windows.rangeText(style.ellipsis).padded(to: rangeWidth)
        let size = line.windows.sizeText
        let reasonTone = !line.isNotable ? .quiet : symbol == .create ? .plain : symbol.tone
        var notes: [(String, TextStyle.Tone)] = [(line.reason, reasonTone)]
        if let unusual = line.unusual { notes.insert(("\(style.warningSign) \(unusual)", .warning), at: 0) }
        let head: StyledText = "  \(symbol.painted(style)) \(range)  "
        let painted = style.paint(size, line.unusual == nil ? .plain : .warning)

        let indent = head.columns + sizeWidth + 2
        if style.isNarrower(than: indent + Self.minReasonWidth) {
            let start: StyledText = "\(head)\(painted)"
            return [start] + zonedTimes(line)
                + notes.flatMap { note, tone in style.lines(note, tone, indent: Self.indent + 4) }
        }
        let first: StyledText = "\(head)\(painted)\(StyledText.spaces(sizeWidth + 2 - size.columns))"
        return notes.enumerated().flatMap { index, note in
            style.lines(note.0, note.1, indent: indent, first: index == 0 ? first : nil)
        } + zonedTimes(line)
    }

    /// Formats the line's range in the time zone of its series, to be shown below the range in UTC.
    private func zonedTimes(_ line: PlanLine) -> [StyledText] {
        guard let times = line.timeZone.flatMap(ZonedTimes.init) else { return [] }
        return style.lines(times.text(line.windows, style.ellipsis), .quiet, indent: Self.indent + 2)
    }

    /// The time that the requests cover, unless a single line already shows it.
    private var span: [StyledText] {
        guard let span = flow.span, flow.actions.count > 1 || startsEarly != nil else { return [] }
        let isUnusual = span.length > UnusualWindows.longSpan || startsEarly != nil
        let requests = counted(flow.actions.count, "request")
        var text = "\(requests) over \(spanText(span.length)), \(span.text(style.ellipsis))"
        if let startsEarly { text += "; begins \(spanText(startsEarly)) before most flows of this plan" }
        return indented(isUnusual ? "\(style.warningSign) \(text)" : text, isUnusual ? .warning : .quiet)
    }

    private var skippedCounts: [StyledText] {
        var lines: [StyledText] = []
        if flow.recordedCount > 0 {
            lines += marked(.recorded, "\(counted(flow.recordedCount, "window")) recorded\(flow.replacedText)")
        }
        if flow.failedCount > 0 {
            let failed = counted(flow.failedCount, "of them failed", "of them failed")
            let command = report.arguments.command("history", "--state failed", flow: flow.id)
            lines += style.lines("\(failed), and no retry is left: \(command)", .error, indent: 4)
        }
        if !flow.undeclared.isEmpty {
            let runs = counted(flow.undeclared.count, "recorded run")
            let command = report.arguments.command("history", flow: flow.id)
            lines += marked(.undeclared, "\(runs) not declared in any manifest: \(command)")
        }
        return lines
    }

    private var diagnostics: [StyledText] {
        let sorted = flow.diagnostics.errorsFirst
        guard report.showsDiagnostics || sorted.isEmpty else {
            let tone: TextStyle.Tone = sorted[0].severity == .error ? .error : .warning
            return indented("\(flow.counts.diagnosticCounts), shown above", tone)
        }
        let lines = sorted.prefix(Self.diagnosticLimit).flatMap { diagnostic in
            indented(diagnostic.line, diagnostic.severity == .error ? .error : .warning)
        }
        let rest = sorted.count - Self.diagnosticLimit
        guard rest > 0 else { return lines }
        return lines + indented("\(style.ellipsis) and \(counted(rest, "more diagnostic"))", .warning)
    }

    private func marked(_ symbol: PlanSymbol, _ text: String) -> [StyledText] {
        style.lines(text, .quiet, indent: 4, first: "  \(symbol.painted(style)) ")
    }

    private func indented(_ text: String, _ tone: TextStyle.Tone) -> [StyledText] {
        style.lines(text, tone, indent: Self.indent)
    }
}

extension Diagnostic {
    /// The diagnostic on one line, such as `warning[SLU0204]: flows.yaml:9: problem; suggestion`.
    package var line: String {
        let place = place.map { "\($0.file):\($0.line): " } ?? ""
        let help = suggestion.map { "; \($0)" } ?? ""
        return "\(severity.rawValue)[\(code.rawValue)]: \(place)\(message)\(help)"
    }
}
