import FlowRuns

/// A table for a terminal, what went wrong, and a line that sums it up.
struct StatusText {
    private let report: StatusReport
    private let style: TextStyle

    /// On a narrower terminal, figures that are zero everywhere are left out.
    private static let fullWidth = 125

    init(_ report: StatusReport, _ style: TextStyle) {
        self.report = report
        self.style = style
    }

    var lines: [StyledText] {
        guard !report.flows.isEmpty else { return style.lines("No flow is declared for target '\(report.target)'.") }
        return figures + .blank + repeated + problems + style.lines(report.summary)
    }

    private var figures: [StyledText] {
        let isNarrow = style.isNarrower(than: Self.fullWidth)
        let figures = report.figures.filter {
            !isNarrow || $0 == .due || $0 == .recorded || report.sum($0) > 0
        }
        var table = TextTable(
            [.init("flow", givesWay: true)] + figures.map { .init($0.title, .right) }
                + [.init("last window ends"), .init("behind", .right)], style: style)
        for flow in report.flows {
            let numbers = figures.map { figure in
                let value = figure.value(of: flow)
                return TextTable.Cell(value == 0 ? "·" : grouped(value), value == 0 ? .quiet : figure.tone)
            }
            table.add(
                [.init(flow.title + (flow.isVerified ? "" : " (not verified)"), .strong)]
                    + numbers + [.init(flow.lastWindowText), .init(flow.behindText)])
        }
        return table.lines
    }

    /// A line for each run that did not end well: what a person looks for next.
    private var problems: [StyledText] {
        guard !report.shownProblems.isEmpty else { return [] }
        var table = TextTable(
            [.init("what went wrong", givesWay: true), .init("window"), .init("run"), .init("why", givesWay: true)],
            style: style)
        for (flow, run) in report.shownProblems {
            let rerun = run.identity.rerun.map { ", rerun \($0)" } ?? ""
            table.add([
                .init("\(flow.title) \(run.state.rawValue)\(rerun)", run.state == .failed ? .error : .warning),
                .init(run.window?.text(style.ellipsis) ?? "unknown"), .init(run.id?.description ?? "", .quiet),
                .init(run.failure ?? "the service gives no reason"),
            ])
        }
        let rest = report.otherProblems.map { style.lines("\(style.ellipsis) and \($0)") } ?? []
        return table.lines + rest + .blank
    }

    private var repeated: [StyledText] {
        guard !report.repeatedWindows.isEmpty else { return [] }
        var table = TextTable(
            [.init("run more than once", givesWay: true), .init("window"), .init("what")], style: style)
        for (flow, repeated) in report.repeatedWindows.prefix(StatusReport.problemsShown) {
            table.add([
                .init(flow.title, .warning), .init(repeated.window.text(style.ellipsis)), .init(repeated.inWords),
            ])
            table.addRemark("runs \(repeated.runIDs)")
        }
        let rest = report.otherRepeated.map { style.lines("\(style.ellipsis) and \($0)") } ?? []
        return table.lines + rest + .blank
    }
}
