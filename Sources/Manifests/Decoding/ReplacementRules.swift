import FlowRuns

/// The rules on flows that replace other flows of their target.
struct ReplacementRules {
    private(set) var diagnostics: [Diagnostic] = []
    /// The flows with ``FlowDeclaration/replaced`` resolved, in the given order.
    private(set) var flows: [FlowDeclaration]
    private let declared: [String: [FlowID: FlowDeclaration]]

    init(_ flows: [FlowDeclaration]) {
        self.flows = flows
        guard flows.contains(where: { !$0.replaces.isEmpty }) else {
            declared = [:]
            return
        }
        declared = Dictionary(grouping: flows.sorted { $0.place < $1.place }, by: \.target).mapValues { flows in
            Dictionary(flows.map { ($0.id, $0) }) { first, _ in first }
        }
        for index in flows.indices where !flows[index].replaces.isEmpty { resolve(index) }
    }

    private mutating func resolve(_ index: Int) {
        let flow = flows[index]
        let others = declared[flow.target] ?? [:]
        var replaced: [FlowID] = []
        for replacement in flow.replaces {
            var next = [replacement.flow]
            while let id = next.popLast() {
                guard id != flow.id else {
                    diagnostics.append(.loop(flow, by: replacement))
                    continue
                }
                guard !replaced.contains(id) else { continue }
                replaced.append(id)
                next += others[id]?.replaces.map(\.flow).reversed() ?? []
            }
        }
        flows[index].replaced = replaced
        for other in replaced.compactMap({ others[$0] }) { checkTime(of: flow, replacing: other) }
    }

    /// Checks that a flow and the flow it replaces do not declare the same time, which both would request.
    private mutating func checkTime(of flow: FlowDeclaration, replacing other: FlowDeclaration) {
        let spans = (flow.spans.map { ($0, true) } + other.spans.map { ($0, false) }).sorted {
            ($0.0.start, $0.0.end) < ($1.0.start, $1.0.end)
        }
        var lastEnding: (own: DeclaredSpan?, other: DeclaredSpan?)
        for (span, isOwn) in spans {
            if let earlier = isOwn ? lastEnding.other : lastEnding.own, earlier.end > span.start {
                let places = isOwn ? (span.place, earlier.place) : (earlier.place, span.place)
                diagnostics.append(.declaredByBoth(from: span.start, other, at: places.0, and: places.1))
                return
            }
            if isOwn, span.end > lastEnding.own?.end ?? .min { lastEnding.own = span }
            if !isOwn, span.end > lastEnding.other?.end ?? .min { lastEnding.other = span }
        }
    }
}

/// A span of time that a flow declares: an explicit window, or a whole series.
private struct DeclaredSpan {
    let start: Timestamp
    let end: Timestamp
    let place: Place
}

extension FlowDeclaration {
    fileprivate var spans: [DeclaredSpan] {
        windows.map { DeclaredSpan(start: $0.window.start, end: $0.window.end, place: place(of: $0)) }
            + series.map { series in
                let end = if case .time(let time) = series.until { time } else { Timestamp.max }
                return DeclaredSpan(start: series.from, end: end, place: series.place)
            }
    }
}

extension Diagnostic {
    fileprivate static func loop(_ flow: FlowDeclaration, by replacement: Replacement) -> Diagnostic {
        let way = replacement.flow == flow.id ? "" : ", by way of \(replacement.flow)"
        return Diagnostic(
            .replacesItself, at: replacement.place, "the flow \(flow.id) replaces itself\(way)",
            suggestion: "name only flows that were used before this one")
    }

    fileprivate static func declaredByBoth(
        from start: Timestamp, _ other: FlowDeclaration, at place: Place, and otherPlace: Place
    ) -> Diagnostic {
        Diagnostic(
            .timeOfReplacedFlow, at: place,
            "the time from \(start) on is declared here and by the flow \(other.id), which this flow replaces",
            suggestion: "remove it from the replaced flow: what that has recorded counts for this one",
            notes: [Note(place: otherPlace, message: "also declared here")])
    }
}
