import FlowRuns
import Manifests
import Text

/// Where the flows of a target stand, as a table, JSON or Markdown.
package struct StatusReport: Sendable {
    private let target: String
    private let asOf: Timestamp
    private let flows: [FlowStatus]

    /// - Parameters:
    ///   - target: its name.
    ///   - asOf: the instant of the statuses.
    package init(target: String, asOf: Timestamp, flows: [FlowStatus]) {
        self.target = target
        self.asOf = asOf
        self.flows = flows
    }

    /// How many runs are under way, as far as the ledger knows.
    package var running: Int { sum(.running) }
    /// Whether the latest run of any window of any flow failed.
    package var anyFailed: Bool { sum(.failed) > 0 }

    /// A table for a terminal, and a line that sums it up.
    package func text(_ style: TextStyle) -> String {
        guard !flows.isEmpty else { return "No flow is declared for target \(printable(target)).\n" }
        // On a narrow terminal what is nought everywhere gives way first.
        let isNarrow = (style.width ?? .max) < 125
        let figures = Figure.allCases.filter { !isNarrow || $0 == .due || $0 == .recorded || sum($0) > 0 }
        var table = TextTable(
            [.init("flow", givesWay: true)] + figures.map { .init($0.title, .right) }
                + [.init("last window ends"), .init("behind", .right)], style: style)
        for flow in flows {
            let numbers = figures.map { figure in
                let value = figure.value(of: flow)
                return TextTable.Cell(value == 0 ? "·" : grouped(value), value == 0 ? .quiet : figure.tone)
            }
            table.add(
                [.init(flow.title + (flow.isVerified ? "" : " (unverified)"), .strong)]
                    + numbers + [.init(flow.lastWindowText), .init(flow.behindText)])
        }
        return table.render() + "\n" + troubles(style) + summary + "\n"
    }

    /// A line for each run that did not end well: what a person looks for next.
    private func troubles(_ style: TextStyle) -> String {
        guard !shownTroubles.isEmpty else { return "" }
        var table = TextTable(
            [.init("what went wrong", givesWay: true), .init("window"), .init("run"), .init("why", givesWay: true)],
            style: style)
        for (flow, run) in shownTroubles {
            let window = run.window?.text(style.ellipsis) ?? "unknown"
            let rerun = run.identity.rerun.map { ", rerun \($0)" } ?? ""
            table.add([
                .init("\(flow.title) \(run.state.rawValue)\(rerun)", run.state == .failed ? .trouble : .caution),
                .init(window), .init(run.id?.description ?? "", .quiet),
                .init(run.failure ?? "the service does not say"),
            ])
        }
        let rest = untoldTroubles.map { "\(style.ellipsis) and \($0)\n" } ?? ""
        return table.render() + rest + "\n"
    }

    private static let troublesShown = 10

    /// Fairly: the latest of each flow before the second of any.
    private var shownTroubles: [(flow: FlowStatus, run: RecordedRun)] {
        let ranked = flows.flatMap { flow in flow.troubles.enumerated().map { ($0.offset, flow, $0.element) } }
        let first = ranked.sorted { left, right in
            (left.2.state == .failed ? 0 : 1, left.0) < (right.2.state == .failed ? 0 : 1, right.0)
        }
        return first.prefix(Self.troublesShown).map { ($0.1, $0.2) }
    }

    /// `12 more: sluice history --state failed --state partial`; `nil` when all are shown.
    private var untoldTroubles: String? {
        let all = flows.reduce(0) { $0 + $1.failed + $1.partial }
        let rest = all - shownTroubles.count
        return rest > 0 ? "\(grouped(rest)) more: sluice history --state failed --state partial" : nil
    }

    /// A table in Markdown.
    package func markdown() -> String {
        let titles = ["Flow"] + Figure.allCases.map(\.title) + ["last window ends (UTC)", "behind"]
        var text = BoundedText(limit: PlanMarkdown.mostBytes - 400)
        text.add("### Status of \(Markdown.code(String(target.prefix(200)))) as of \(asOf)\n\n\(summary)\n\n")
        let rows = flows.lazy.map { flow in
            Markdown.row(
                [Markdown.code(flow.title) + (flow.isVerified ? "" : " _unverified_")]
                    + Figure.allCases.map { $0.value(of: flow) == 0 ? "" : grouped($0.value(of: flow)) }
                    + [flow.lastWindowText, flow.behindText])
        }
        let shown = text.add(rows, head: Markdown.head(titles, numbersFrom: 1))
        let rest = flows.count - shown
        if rest > 0 { text.add("\n_\(counted(rest, "flow")) left out for length._\n") }
        if !shownTroubles.isEmpty { text.add("\n" + shownTroubles.map(trouble).joined()) }
        if let untoldTroubles { text.add("\n_… and \(untoldTroubles)_\n") }
        return text.text
    }

    private func trouble(_ flow: FlowStatus, _ run: RecordedRun) -> String {
        let window = run.window?.text("…") ?? "unknown window"
        let id = run.id.map { " \(Markdown.code($0.description))" } ?? ""
        let why = Markdown.escaped(run.failure ?? "the service does not say why")
        return "- \(Markdown.code(flow.title)) **\(run.state.rawValue)** \(window)\(id): \(why)\n"
    }

    /// One flow a line.
    package func json() -> [UInt8] {
        var all: [UInt8] = []
        streamJSON(to: { all += $0 }) { json, _ in
            json.member("formatVersion", 1)
            json.member("target", target)
            json.member("asOf", asOf.seconds)
            json.member("asOfUTC", asOf.description)
            json.member("anyFailed", anyFailed)
            json.array("flows") { json in
                for flow in flows { json.line { members(of: flow, into: &$0) } }
            }
        }
        return all
    }

    private func members(of flow: FlowStatus, into json: inout JSONText) {
        json.member("flowId", flow.flow.description)
        json.optional("name", flow.name)
        json.member("verified", flow.isVerified)
        for figure in Figure.allCases { json.member(figure.rawValue, figure.value(of: flow)) }
        if let window = flow.lastWindow { json.member("lastWindow", window) } else { json.null("lastWindow") }
        if let behind = flow.behind {
            json.member("behindSeconds", behind.wholeSeconds)
        } else {
            json.null("behindSeconds")
        }
        json.array("troubles") { for run in flow.troubles { $0.element { $0.members(of: run) } } }
    }

    private func sum(_ figure: Figure) -> Int { flows.reduce(0) { $0 + figure.value(of: $1) } }

    private var summary: String {
        let words = [Figure.pending, .running, .failed, .partial, .held, .errors].compactMap { figure in
            sum(figure) > 0 ? "\(grouped(sum(figure))) \(figure.title(of: sum(figure)))" : nil
        }
        let flowCount = counted(flows.count, "flow")
        let progress = "\(grouped(sum(.recorded))) of \(counted(sum(.due), "due window")) recorded"
        return "\(flowCount): \(([progress] + words).joined(separator: ", "))."
    }
}

/// The numbers of a status, in the order in which they are shown.
private enum Figure: String, CaseIterable {
    case due, recorded, pending, running, succeeded, partial, failed, held, errors

    var title: String { self == .pending ? "to request" : rawValue }

    func title(of count: Int) -> String { self == .errors && count == 1 ? "error" : title }

    var tone: TextStyle.Tone {
        switch self {
        case .due, .recorded: .plain
        case .pending, .running: .rerun
        case .succeeded: .create
        case .partial, .held: .caution
        case .failed, .errors: .trouble
        }
    }

    func value(of flow: FlowStatus) -> Int {
        switch self {
        case .due: flow.due
        case .recorded: flow.recorded
        case .pending: flow.pending
        case .running: flow.running
        case .succeeded: flow.succeeded
        case .partial: flow.partial
        case .failed: flow.failed
        case .held: flow.held
        case .errors: flow.errors
        }
    }
}

extension FlowStatus {
    fileprivate var title: String { name ?? flow.description }
    fileprivate var lastWindowText: String { lastWindow.map { $0.end.description } ?? "never" }
    fileprivate var behindText: String { behind.map { $0 == .zero ? "none" : spanText($0) } ?? "" }
}
