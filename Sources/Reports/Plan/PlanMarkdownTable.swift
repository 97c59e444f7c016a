import FlowRuns
import Planner

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
        guard flows.count > 1, let first = flows.first else { return flows.first.map(row) ?? "" }
        let counts = first.counts
        let numbers: [MarkdownText] = columns.map { column in
            let value = column.value(of: counts)
            return value == 0 ? "" : "\(grouped(value)) each"
        }
        var title: MarkdownText =
            "\(grouped(flows.count)) flows: \(code: first.title.prefix(60)) … \(code: (flows.last?.title ?? "").prefix(60))"
        if marksUnverified, !first.isVerified { title += " _not verified_" }
        return .row([title, "\(first.span.map(shortText) ?? "")"] + numbers)
    }

    private func row(_ flow: FlowPlan) -> MarkdownText {
        let counts = flow.counts
        let numbers: [MarkdownText] = columns.map { column in
            let value = column.value(of: counts)
            return value == 0 ? "" : "\(grouped(value))"
        }
        return .row((isShort ? shortCells(flow) : fullCells(flow)) + numbers)
    }

    private func shortCells(_ flow: FlowPlan) -> [MarkdownText] {
        var title: MarkdownText = "\(code: flow.title.prefix(60))"
        if marksUnverified, !flow.isVerified { title += " _not verified_" }
        return [title, "\(flow.span.map(shortText) ?? "")"]
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
