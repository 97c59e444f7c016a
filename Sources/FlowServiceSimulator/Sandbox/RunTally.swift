import FlowRuns

/// Counts of the accepted runs, with which a test can prove that every window ran exactly once.
struct RunTally: Hashable, Sendable {
    private(set) var accepted = 0
    private(set) var acceptedByFlow: [FlowID: Int] = [:]
    private(set) var retriggered = 0
    /// The number of runs with a delta column whose flow already had runs.
    private(set) var deltaColumnsRepeated = 0
    private(set) var repeated: [FlowID: [Window: Int]] = [:]

    private var acceptedWindows: [FlowID: Set<Window>] = [:]
    private var flowsWithRuns: Set<FlowID> = []

    mutating func count(_ run: SimulatedRun) {
        defer { flowsWithRuns.insert(run.flow) }
        switch run.origin {
        case .elsewhere: return
        case .retrigger: retriggered += 1
        case .request:
            accepted += 1
            acceptedByFlow[run.flow, default: 0] += 1
            if run.parameters?.deltaColumn != nil, flowsWithRuns.contains(run.flow) { deltaColumnsRepeated += 1 }
            guard let window = run.window else { return }
            if !acceptedWindows[run.flow, default: []].insert(window).inserted {
                repeated[run.flow, default: [:]][window, default: 1] += 1
            }
        }
    }
}
