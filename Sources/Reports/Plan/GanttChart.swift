import FlowRuns
import Planner
import Text

/// A Mermaid Gantt chart of a plan's windows, with a section for each flow and a limited number of bars.
struct GanttChart {
    private static let sectionLimit = 20
    private static let barLimit = 60

    /// The lines of Mermaid source.
    private(set) var lines: [String] = []
    /// The number of windows without a bar.
    private(set) var omittedWindows = 0
    private(set) var omittedFlows = 0

    /// Returns `nil` if the plan has no windows to draw.
    init?(_ plan: Plan) {
        let flows = plan.flows.filter { !$0.actions.isEmpty || !$0.held.isEmpty }
        guard !flows.isEmpty else { return nil }
        let barsPerFlow = max(3, Self.barLimit / min(flows.count, Self.sectionLimit))
        var earliest = Timestamp.max
        var latest = Timestamp.min
        var sections: [String] = []
        for flow in flows.prefix(Self.sectionLimit) {
            let selection = PlanLineSelection(flow.requestLines(asOf: plan.asOf) + flow.heldLines, limit: barsPerFlow)
            omittedWindows += selection.omittedCount
            sections.append("    section \(word(flow.title))")
            for line in selection.shown {
                earliest = min(earliest, line.windows.start)
                latest = max(latest, line.windows.end)
                sections.append("    \(bar(line))")
            }
        }
        for flow in flows.dropFirst(Self.sectionLimit) {
            omittedFlows += 1
            omittedWindows += flow.actions.count + flow.held.count
        }
        lines = [
            "gantt", "    dateFormat YYYY-MM-DDTHH:mm:ss", "    axisFormat \(axisFormat(latest - earliest))",
            "    todayMarker off",
        ]
        lines += sections
    }

    private func bar(_ line: PlanLine) -> String {
        let isCritical = line.kind == .held || line.unusual != nil
        let tag = isCritical ? "crit, " : line.kind == .create ? "active, " : ""
        let kind = line.kind == .create ? "" : " \(line.kind.inWords)"
        let times = [line.windows.start, line.windows.end].map { $0.description.dropLast() }
        return "\(word(line.windows.sizeText + kind)) :\(tag)\(times.joined(separator: ", "))"
    }

    private func axisFormat(_ span: Duration) -> String {
        switch span {
        case ..<(.seconds(3 * 86_400)): "%m-%d %H:%M"
        case ..<(meanYear * 5): "%Y-%m-%d"
        default: "%Y"
        }
    }

    /// Removes characters that have a meaning in Mermaid.
    ///
    /// Colons, semicolons and number signs end a name, and some words are keywords, so only letters, digits and a few
    /// other characters are kept.
    private func word(_ text: String) -> String {
        let printable = text.prefix(60).map { $0.isLetter || $0.isNumber || "-_.,".contains($0) ? $0 : " " }
        let name = String(printable).split(separator: " ").joined(separator: " ")
        return name.isEmpty ? "flow" : name
    }
}
