import FlowRuns

/// A window or gap that needs a person's attention.
struct AttentionPoint {
    /// The kinds of points, in ascending severity.
    enum Kind: Int {
        case gap, held, repeated, tooFewRecords, failed

        /// The name in the page's data attributes.
        var name: String { "\(self)" }

        var inWords: String {
            switch self {
            case .gap: CoverageState.gap.inWords
            case .held: CoverageState.held.inWords
            case .repeated: "run more than once"
            case .tooFewRecords: CoverageState.tooFewRecords.inWords
            case .failed: CoverageState.failed.inWords
            }
        }
    }

    let flow: FlowCoverage
    let kind: Kind
    let start: Timestamp
    let end: Timestamp
    let why: String
    /// The runs of the window.
    let runs: [RunID]

    /// Returns the points of all flows, most severe first, then newest first.
    static func all(in flows: [FlowCoverage]) -> [AttentionPoint] {
        flows.flatMap { flow in
            flow.stretches.compactMap { AttentionPoint($0, of: flow) }
                + flow.repeated.map { AttentionPoint($0, of: flow) }
        }.sorted { ($0.kind.rawValue, $0.start) > ($1.kind.rawValue, $1.start) }
    }

    /// Counts the points in words, such as `1 window and 2 gaps need attention`.
    static func summary(of points: [AttentionPoint]) -> String {
        let gaps = points.count { $0.kind == .gap }
        let windows = points.count - gaps
        let counts = [
            windows > 0 ? counted(windows, "window") : nil, gaps > 0 ? counted(gaps, "gap") : nil,
        ].compactMap(\.self)
        return "\(counts.listed) \(points.count == 1 ? "needs" : "need") attention"
    }

    private init?(_ stretch: FlowCoverage.Stretch, of flow: FlowCoverage) {
        switch stretch.state {
        case .gap: kind = .gap
        case .held: kind = .held
        case .tooFewRecords: kind = .tooFewRecords
        case .failed: kind = .failed
        case .succeeded, .running, .partial, .planned, .paused: return nil
        }
        self.flow = flow
        (start, end) = (stretch.start, stretch.end)
        why = stretch.why ?? ""
        runs = [stretch.run].compactMap(\.self)
    }

    private init(_ repeated: RepeatedWindow, of flow: FlowCoverage) {
        kind = .repeated
        self.flow = flow
        (start, end) = (repeated.window.start, repeated.window.end)
        why = repeated.inWords
        runs = repeated.runs.compactMap(\.id)
    }
}
