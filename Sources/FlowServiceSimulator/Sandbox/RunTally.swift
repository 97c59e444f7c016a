import FlowRuns

/// What the service took, counted run by run, so that a test can prove 'once and only once'.
struct RunTally: Hashable, Sendable {
    private(set) var taken = 0
    private(set) var takenByFlow: [FlowID: Int] = [:]
    private(set) var retriggered = 0
    /// Runs that brought a delta column though their flow had runs already.
    private(set) var deltaColumnsRepeated = 0
    private(set) var repeated: [FlowID: [Window: Int]] = [:]

    private var seen: [FlowID: Set<Window>] = [:]
    private var known: Set<FlowID> = []

    mutating func count(_ run: SimulatedRun) {
        defer { known.insert(run.flow) }
        switch run.origin {
        case .elsewhere: return
        case .retrigger: retriggered += 1
        case .request:
            taken += 1
            takenByFlow[run.flow, default: 0] += 1
            if run.parameters?.deltaColumn != nil, known.contains(run.flow) { deltaColumnsRepeated += 1 }
            guard let window = run.window else { return }
            if !seen[run.flow, default: []].insert(window).inserted {
                repeated[run.flow, default: [:]][window, default: 1] += 1
            }
        }
    }
}
