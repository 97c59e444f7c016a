import FlowRuns
import Manifests
import Planner
import Text

/// The lines of one flow in the terminal view of a plan.
struct FlowSection {
    private let flow: FlowPlan
    private let asOf: Timestamp
    private let startsEarly: Duration?
    private let style: TextStyle
    private let limit: Int

    private static let indent = "  "
    private static let diagnosticLimit = 5
    private static let heldLimit = 4

    init(_ flow: FlowPlan, asOf: Timestamp, startsEarly: Duration?, style: TextStyle, limit: Int) {
        self.flow = flow
        self.asOf = asOf
        self.startsEarly = startsEarly
        self.style = style
        self.limit = limit
    }

    var lines: [String] { [title] + requests + span + standing + diagnostics }

    private var title: String {
        let id = flow.name == nil ? "" : "  \(flow.id)"
        let tag = flow.isVerified ? "" : "  unverified"
        let place = printable("\(flow.place.file):\(flow.place.line)")
        guard let width = style.width else {
            return style.paint(printable(flow.title), .strong) + id + "  " + style.paint(place, .quiet)
                + style.paint(tag, .caution)
        }
        let room = width - id.columns - tag.columns - 2
        let name = printable(flow.title).cutInMiddle(to: max(12, room - min(place.columns, max(12, room / 2))), style)
        let shownPlace = place.cutInMiddle(to: max(8, room - name.columns), style)
        return style.paint(name, .strong) + id + "  " + style.paint(shownPlace, .quiet) + style.paint(tag, .caution)
    }

    private var requests: [String] {
        let requests = Selection(flow.entries(asOf: asOf), limit: limit)
        let held = Selection(flow.heldEntries, limit: Self.heldLimit)
        let entries = requests.shown + held.shown
        let rangeWidth = entries.map { $0.windows.rangeText(style.ellipsis).columns }.max() ?? 0
        let sizeWidth = entries.map { $0.windows.sizeText.columns }.max() ?? 0
        func lines(_ selection: Selection) -> [String] {
            var lines = selection.shown.flatMap { self.lines($0, rangeWidth, sizeWidth) }
            if selection.omittedCount > 0 {
                let more = "\(style.ellipsis) and \(grouped(selection.omittedCount)) more: \(selection.omittedText)"
                lines += indented("\(more); see --format json", .strong)
            }
            return lines
        }
        return lines(requests) + lines(held)
    }

    private func lines(_ entry: PlanEntry, _ rangeWidth: Int, _ sizeWidth: Int) -> [String] {
        let mark = Mark(entry.kind)
        let range = entry.windows.rangeText(style.ellipsis).padded(to: rangeWidth)
        let size = entry.windows.sizeText
        let head = "\(Self.indent)\(mark.painted(style)) \(range)  "
        let headWidth = Self.indent.count + 1 + 1 + rangeWidth + 2
        var notes = [(printable(entry.reason), entry.isNotable ? mark.noteTone : .quiet)]
        if let oddity = entry.oddity { notes.insert(("\(style.unicode ? "⚠" : "(!)") \(oddity)", .caution), at: 0) }
        let sizeTone: TextStyle.Tone = entry.oddity == nil ? .plain : .caution

        let room = style.width.map { $0 - headWidth - sizeWidth - 2 } ?? .max
        if room >= 36 {
            var texts = notes.flatMap { note, tone in note.wrapped(to: room, style).map { style.paint($0, tone) } }
            let first = texts.isEmpty ? "" : texts.removeFirst()
            let indent = String(repeating: " ", count: headWidth + sizeWidth + 2)
            let pad = String(repeating: " ", count: sizeWidth - size.columns)
            return ["\(head)\(style.paint(size, sizeTone))\(pad)  \(first)"] + texts.map { indent + $0 }
                + localTimes(entry)
        }
        let indent = Self.indent + "    "
        let texts = notes.flatMap { note, tone in
            note.wrapped(to: (style.width ?? 80) - indent.count, style).map { indent + style.paint($0, tone) }
        }
        return [head + style.paint(size, sizeTone)] + localTimes(entry) + texts
    }

    /// The same range by the clocks of the series' time zone, below the one in UTC.
    private func localTimes(_ entry: PlanEntry) -> [String] {
        guard let local = entry.timeZone.flatMap(LocalTimes.init) else { return [] }
        let indent = Self.indent + "  "
        return local.text(entry.windows, style.ellipsis).wrapped(to: (style.width ?? .max) - indent.count, style)
            .map { indent + style.paint($0, .quiet) }
    }

    /// How much time the requests cover, where it is not plain from a single line.
    private var span: [String] {
        guard let span = flow.span, flow.actions.count > 1 || startsEarly != nil else { return [] }
        let isLong = span.length > OddWindows.longSpan
        let requests = counted(flow.actions.count, "request")
        var text = "\(requests) over \(spanText(span.length)), \(span.text(style.ellipsis))"
        if let startsEarly { text += "; begins \(spanText(startsEarly)) before most flows of this plan" }
        let isOdd = isLong || startsEarly != nil
        if isOdd { text = "\(style.unicode ? "⚠" : "(!)") " + text }
        return indented(text, isOdd ? .caution : .quiet)
    }

    private var standing: [String] {
        var lines: [String] = []
        if flow.recordedCount > 0 {
            lines += marked(.recorded, "\(counted(flow.recordedCount, "window")) recorded")
        }
        if flow.failedCount > 0 {
            let windows = counted(flow.failedCount, "window")
            let note =
                "of them \(windows) failed, and no retry is left: sluice history --flow \(flow.id) --state failed"
            lines += indented("  \(note)", .trouble)
        }
        if !flow.undeclared.isEmpty {
            let runs = counted(
                flow.undeclared.count, "recorded run that no manifest declares",
                "recorded runs that no manifest declares")
            lines += marked(.undeclared, "\(runs): sluice history --flow \(flow.id)")
        }
        return lines
    }

    private var diagnostics: [String] {
        // Errors come first, so that no number of warnings hides them.
        let sorted =
            flow.diagnostics.filter { $0.severity == .error } + flow.diagnostics.filter { $0.severity == .warning }
        var lines = sorted.prefix(Self.diagnosticLimit).flatMap { diagnostic in
            indented(diagnostic.line, diagnostic.severity == .error ? .trouble : .caution)
        }
        let rest = sorted.count - Self.diagnosticLimit
        if rest > 0 { lines += indented("\(style.ellipsis) and \(counted(rest, "more diagnostic"))", .caution) }
        return lines
    }

    private func marked(_ mark: Mark, _ text: String) -> [String] {
        text.wrapped(to: (style.width ?? .max) - 4, style).enumerated().map { index, line in
            Self.indent + (index == 0 ? mark.painted(style) + " " : "  ") + style.paint(line, .quiet)
        }
    }

    private func indented(_ text: String, _ tone: TextStyle.Tone) -> [String] {
        text.wrapped(to: (style.width ?? .max) - Self.indent.count, style).map { Self.indent + style.paint($0, tone) }
    }
}

extension Diagnostic {
    /// `warning[SLU0204]: flows.yaml:9: what is wrong; what to write instead`
    var line: String {
        let place = place.map { "\($0.file):\($0.line): " } ?? ""
        let help = suggestion.map { "; \($0)" } ?? ""
        return "\(severity.rawValue)[\(code.rawValue)]: \(printable(place + message + help))"
    }
}

extension Mark {
    /// How a remark on a line that a reviewer should read is painted.
    fileprivate var noteTone: TextStyle.Tone { self == .create ? .plain : tone }
}
