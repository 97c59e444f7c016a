import FlowRuns

/// The terminal view of a status: a table, the problems, a suggested next step, and a summary line.
struct StatusText {
    private let report: StatusReport
    private let style: TextStyle

    init(_ report: StatusReport, _ style: TextStyle) {
        self.report = report
        self.style = style
    }

    var lines: [StyledText] {
        guard !report.flows.isEmpty else { return style.lines("No flow is declared for target '\(report.target)'.") }
        return details + closing
    }

    var details: [StyledText] { figures + .blank + repeated + problems + waits }

    var closing: [StyledText] { style.lines("\(report.summary) \(report.refreshText)") }

    /// The most detailed table that fits the terminal without truncated words.
    private var figures: [StyledText] {
        let tables = Detail.allCases.lazy.map(table)
        return (tables.first(where: \.fits) ?? table(.least)).lines
    }

    /// The levels of detail of a table, from the highest to the lowest.
    private enum Detail: CaseIterable {
        case all, shortTimes, noTimes, countsOnly, least

        var times: Bool { self == .all || self == .shortTimes }
        var isBrief: Bool { self == .countsOnly || self == .least }
    }

    private func table(_ detail: Detail) -> TextTable {
        let figures = report.shownFigures.filter { detail != .least || ![.recorded, .succeeded].contains($0) }
        var table = TextTable(
            [.init("flow", isShrinkable: true)] + figures.map { .init($0.title, .right) }
                + (detail.times ? [.init("last window ends")] : [])
                + [.init("behind", detail.isBrief ? .right : .left)], style: style)
        for flow in report.flows {
            let mark = flow.isVerified ? "" : detail.isBrief ? " *" : " (not verified)"
            let numbers = figures.map { figure in
                let value = flow.counts[figure]
                return TextTable.Cell(value == 0 ? "·" : grouped(value), value == 0 ? .quiet : figure.tone)
            }
            let end = detail == .all ? flow.lastWindowText : flow.lastWindow?.end.minuteText ?? "never"
            let behind = detail.isBrief ? grouped(flow.missing) : flow.behindText
            table.add(
                [.init(flow.title + mark, .strong)] + numbers + (detail.times ? [.init(end)] : [])
                    + [.init(behind, flow.missing == 0 ? .quiet : .plain)])
        }
        if detail.isBrief, report.flows.contains(where: { !$0.isVerified }) {
            table.addRemark("* not verified: never compared with the service")
        }
        return table
    }

    /// The problems, with one block for each run, and the next step for the first one.
    private var problems: [StyledText] {
        let problems = report.shownProblems
        guard !problems.isEmpty else { return [] }
        var lines: [StyledText] = []
        for (flow, run) in problems {
            let rerun = run.identity.rerun.map { ", rerun \($0)" } ?? ""
            let window = run.window?.text(style.ellipsis) ?? "unknown window"
            let isGrave = run.state == .failed || flow.shortfall(of: run) != nil
            let state = style.paint("\(run.state.rawValue)\(rerun)", isGrave ? .error : .warning)
            lines += style.nextToOrBelow("\(style.paint(flow.title, .strong)) \(state)", text: window)
            if let id = run.id { lines += style.lines("run \(id)", .quiet, indent: 4) }
            lines += style.lines(flow.why(run), .plain, indent: 4)
        }
        let rest = report.otherProblems.map { style.lines("\(style.ellipsis) and \($0)") } ?? []
        return lines + rest + .blank + nextStep
    }

    /// A suggestion to declare a rerun. The YAML is meant to be pasted, so its lines are short enough never to wrap.
    private var nextStep: [StyledText] {
        guard let (flow, window) = report.windowToRerun else { return [] }
        let place = flow.hasReruns ? "in 'rerun' of flow \(flow.title)" : "below flow \(flow.title)"
        return style.lines(
            "To request a window once more, declare a rerun. For the first one, in \(flow.place.file) \(place):")
            + (flow.hasReruns ? [] : ["    rerun:"]) + [
                "      - start: \(window.start)", "        end: \(window.end)",
                "        id: \(flow.unusedRerunID)", "        reason: say why here",
            ] + .blank
    }

    private var waits: [StyledText] {
        guard !report.waits.isEmpty else { return [] }
        let lines = report.waits.prefix(StatusReport.problemsShown).flatMap { flow, wait in
            style.lines("\(flow.title)  \(wait.inWords)")
        }
        let rest = report.otherWaits.map { style.lines("\(style.ellipsis) and \($0)") } ?? []
        return lines + rest + .blank
    }

    private var repeated: [StyledText] {
        guard !report.repeatedWindows.isEmpty else { return [] }
        var table = TextTable(
            [.init("run more than once", isShrinkable: true), .init("window")], style: style)
        for (flow, repeated) in report.repeatedWindows.prefix(StatusReport.problemsShown) {
            table.add([.init(flow.title, .warning), .init(repeated.window.text(style.ellipsis))])
            table.addRemark("\(repeated.inWords): \(repeated.runIDs)")
        }
        let rest = report.otherRepeated.map { style.lines("\(style.ellipsis) and \($0)") } ?? []
        return table.lines + rest + .blank
    }
}

extension StatusReport {
    /// The first window that only a declared rerun brings in again.
    fileprivate var windowToRerun: (flow: FlowStatus, window: Window)? {
        for flow in flows { if let window = flow.windowToRerun { return (flow, window) } }
        return nil
    }
}

extension Timestamp {
    /// The time to the minute in UTC, such as `2024-05-01 00:00`.
    fileprivate var minuteText: String {
        String(description.prefix("2024-05-01T00:00".count)).replacing("T", with: " ")
    }
}
