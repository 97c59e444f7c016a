import FlowRuns
import Manifests
import Planner
import Text

/// The section of one flow in the terminal view of a plan.
struct FlowSection {
    private let flow: FlowPlan
    private let asOf: Timestamp
    private let startsEarly: Duration?
    private let arguments: CommandArguments
    private let style: TextStyle
    private let limit: Int
    private let showsDiagnostics: Bool

    private static let indent = 2
    private static let diagnosticLimit = 5
    private static let heldLimit = 4
    private static let minPlaceWidth = 24
    /// The minimum number of columns for a reason next to its window; in a narrower terminal it goes below the window.
    private static let minReasonWidth = 36

    init(
        _ flow: FlowPlan, asOf: Timestamp, startsEarly: Duration?, arguments: CommandArguments, style: TextStyle,
        limit: Int, showsDiagnostics: Bool
    ) {
        self.flow = flow
        self.asOf = asOf
        self.startsEarly = startsEarly
        self.arguments = arguments
        self.style = style
        self.limit = limit
        self.showsDiagnostics = showsDiagnostics
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
        let requests = PlanLineSelection(flow.requestLines(asOf: asOf), limit: limit)
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
        let symbol = PlanSymbol(line.kind)
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
            let command = arguments.command("history", "--state failed", flow: flow.id)
            lines += indented("  \(failed), and no retry is left: \(command)", .error)
        }
        if !flow.undeclared.isEmpty {
            let runs = counted(flow.undeclared.count, "recorded run")
            let command = arguments.command("history", flow: flow.id)
            lines += marked(.undeclared, "\(runs) not declared in any manifest: \(command)")
        }
        return lines
    }

    private var diagnostics: [StyledText] {
        let sorted = flow.diagnostics.errorsFirst
        guard showsDiagnostics || sorted.isEmpty else {
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
