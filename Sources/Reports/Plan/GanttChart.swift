import FlowRuns
import Planner

/// A Mermaid gantt of a plan's windows: a section for each flow, plain windows folded, a bounded number of bars.
struct GanttChart {
    private static let sectionLimit = 20
    private static let barLimit = 60

    /// The chart as Mermaid's source.
    private(set) var source = ""
    /// How many windows have no bar.
    private(set) var omittedWindows = 0
    private(set) var omittedFlows = 0

    /// `nil` when there is nothing to draw.
    init?(_ plan: Plan) {
        let flows = plan.flows.filter { !$0.actions.isEmpty || !$0.held.isEmpty }
        guard let first = flows.first else { return nil }
        let barsPerFlow = max(3, Self.barLimit / min(flows.count, Self.sectionLimit))
        var earliest = first.earliest
        var latest = first.latest
        var sections = ""
        for flow in flows.prefix(Self.sectionLimit) {
            let selection = Selection(flow.entries(asOf: plan.asOf) + flow.heldEntries, limit: barsPerFlow)
            omittedWindows += selection.omittedCount
            sections += "    section \(word(flow.title))\n"
            for entry in selection.shown {
                earliest = min(earliest, entry.windows.start)
                latest = max(latest, entry.windows.end)
                sections += "    \(bar(entry))\n"
            }
        }
        for flow in flows.dropFirst(Self.sectionLimit) {
            omittedFlows += 1
            omittedWindows += flow.actions.count + flow.held.count
        }
        source += "gantt\n"
        source += "    dateFormat YYYY-MM-DDTHH:mm:ss\n"
        source += "    axisFormat \(axisFormat(latest - earliest))\n"
        source += "    todayMarker off\n"
        source += sections
    }

    private func bar(_ entry: PlanEntry) -> String {
        let isAlarming = entry.kind == .held || entry.oddity != nil
        let tag = isAlarming ? "crit, " : entry.kind == .create ? "active, " : ""
        let kind = entry.kind == .create ? "" : " \(entry.kind.inWords)"
        let times = [entry.windows.start, entry.windows.end].map { $0.description.dropLast() }
        return "\(word(entry.windows.sizeText + kind)) :\(tag)\(times.joined(separator: ", "))"
    }

    private func axisFormat(_ span: Duration) -> String {
        switch span {
        case ..<(.seconds(3 * 86_400)): "%m-%d %H:%M"
        case ..<(meanYear * 5): "%Y-%m-%d"
        default: "%Y"
        }
    }

    /// Mermaid ends a name at colons, semicolons and number signs, and reads some words as its own: so only letters,
    /// digits and a little more are left.
    private func word(_ text: String) -> String {
        let kept = text.prefix(60).map { $0.isLetter || $0.isNumber || "-_.,".contains($0) ? $0 : " " }
        let name = String(kept).split(separator: " ").joined(separator: " ")
        return name.isEmpty ? "flow" : name
    }
}

extension FlowPlan {
    fileprivate var earliest: Timestamp { min(actions.first?.window.start ?? .max, held.first?.window.start ?? .max) }
    fileprivate var latest: Timestamp { actions.first?.window.end ?? held.first?.window.end ?? .min }
}
