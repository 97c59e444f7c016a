import FlowRuns
import Planner
import Text

extension PlanDifference {
    fileprivate enum Verb: String {
        case adds, removes, alters

        var sign: String {
            switch self {
            case .adds: "+"
            case .removes: "-"
            case .alters: "~"
            }
        }

        var tone: TextStyle.Tone {
            switch self {
            case .adds: .good
            case .removes: .error
            case .alters: .changed
            }
        }
    }

    /// The maximum number of ranges shown for each flow, and of flows.
    private static let lineLimit = 12
    private static let flowLimit = 40

    /// Formats what the change does, then the counts of what was due anyway.
    func lines(_ style: TextStyle) -> [StyledText] {
        var lines = style.lines(title, .strong) + .blank
        for flow in flows.prefix(Self.flowLimit) {
            let place = "\(flow.flow.place.file):\(flow.flow.place.line)"
            lines += style.nextToOrBelow("\(style.paint(flow.flow.title, .strong))", text: place)
            let all = changes(of: flow)
            for (verb, line) in all.prefix(Self.lineLimit) {
                let first: StyledText = "  \(style.paint(verb.sign, verb.tone)) "
                lines += style.lines(text(line, style.ellipsis), indent: 4, first: first)
            }
            let rest = all.count - Self.lineLimit
            if rest > 0 { lines += style.lines("\(style.ellipsis) and \(counted(rest, "more range"))", indent: 4) }
            lines += .blank
        }
        if flows.count > Self.flowLimit {
            lines += style.lines("\(style.ellipsis) and \(counted(flows.count - Self.flowLimit, "more flow"))") + .blank
        }
        return lines + style.lines(othersText) + .blank
    }

    /// The same as Markdown.
    var markdown: MarkdownText {
        var text: MarkdownText = "**\(title)**\n\n"
        for flow in flows.prefix(Self.flowLimit) {
            let all = changes(of: flow)
            for (verb, line) in all.prefix(Self.lineLimit) {
                text += "- \(code: flow.flow.title) \(verb.rawValue) \(self.text(line, "…"))\n"
            }
            let rest = all.count - Self.lineLimit
            if rest > 0 { text += "- \(code: flow.flow.title) and \(counted(rest, "more range"))\n" }
        }
        if flows.count > Self.flowLimit { text += "- and \(counted(flows.count - Self.flowLimit, "more flow"))\n" }
        return text + "\n\(othersText)\n\n"
    }

    private var title: String {
        let counts = [
            ("adds", flows.reduce(0) { $0 + $1.added.count }), ("removes", flows.reduce(0) { $0 + $1.removed.count }),
            ("alters", flows.reduce(0) { $0 + $1.altered.count }),
        ].filter { $0.1 > 0 }.map { "\($0.0) \(grouped($0.1))" }
        guard !counts.isEmpty else { return "Compared with \(revision), this change does not alter the plan." }
        return "Compared with \(revision), this change \(counts.listed) of the planned windows:"
    }

    private var othersText: String {
        let words = others.requestCounts + others.skippedCounts
        return words.isEmpty ? "Nothing else is due." : "Due without this change: \(words.joined(separator: ", "))."
    }

    private func text(_ line: PlanLine, _ ellipsis: String) -> String {
        let reason = line.reason.hasPrefix(line.kind.inWords) ? line.reason : "\(line.kind.inWords): \(line.reason)"
        return "\(line.windows.rangeText(ellipsis)), \(line.windows.sizeText), \(reason)"
    }

    private func changes(of flow: Flow) -> [(Verb, PlanLine)] {
        func folded(_ windows: [PlannedWindow]) -> [PlanLine] { PlanLine.folded(windows.lazy.map(PlanLine.init)) }
        return folded(flow.added).map { (.adds, $0) } + folded(flow.removed).map { (.removes, $0) }
            + folded(flow.altered.map(\.new)).map { (.alters, $0) }
    }
}

extension PlanLine {
    fileprivate init(_ planned: PlannedWindow) {
        switch planned {
        case .request(let action): self.init(action, unusual: nil)
        case .held(let held): self.init(held)
        }
    }
}
