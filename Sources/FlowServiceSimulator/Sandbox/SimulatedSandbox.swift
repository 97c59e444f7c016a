import FlowRuns

/// The Flow Service of one sandbox, without any I/O: its flows, the runs it took, and its rules. Time is a parameter,
/// and what happened is a list of `SandboxEvent`s, so that the same events give the same sandbox.
package struct SimulatedSandbox: Sendable {
    /// How it behaves.
    package let configuration: SandboxConfiguration
    private(set) var flows: [SimulatedFlow] = []
    private(set) var runs: [SimulatedRun] = []
    /// What was taken, and how often.
    private(set) var tally = RunTally()

    private var flowPlaces: [FlowID: Int] = [:]
    private var runPlaces: [String: Int] = [:]
    private var columns: [FlowID: DeltaColumn] = [:]
    private var specifications: [String: FlowSpecification] = [:]
    private var oldestFirst: [FlowID?: [Int]] = [:]

    /// A sandbox without flows.
    package init(configuration: SandboxConfiguration = SandboxConfiguration()) { self.configuration = configuration }

    /// Takes an event in. A flow that is there already is passed over.
    mutating func record(_ event: SandboxEvent) {
        switch event {
        case .flow(let flow): record(flow)
        case .run(let run): record(run)
        }
    }

    private mutating func record(_ flow: SimulatedFlow) {
        guard flowPlaces[flow.id] == nil else { return }
        flowPlaces[flow.id] = flows.count
        flows.append(flow)
        columns[flow.id] = flow.deltaColumn
        specifications[flow.specification.id] = specifications[flow.specification.id] ?? flow.specification
    }

    private mutating func record(_ run: SimulatedRun) {
        tally.count(run)
        if let column = run.parameters?.deltaColumn, columns[run.flow] == nil { columns[run.flow] = column }
        runPlaces[run.id] = runs.count
        runs.append(run)
        for key in [run.flow, nil] { Self.insertLast(of: runs, into: &oldestFirst[key, default: []]) }
    }

    /// Keeps places in order of creation, oldest first. Runs come nearly in order, so the search is from the end.
    /// Static, since a copy of the sandbox would make every insertion copy the places too.
    private static func insertLast(of runs: [SimulatedRun], into places: inout [Int]) {
        guard let createdAt = runs.last?.createdAt else { return }
        var index = places.endIndex
        while index > 0, runs[places[index - 1]].createdAt > createdAt { index -= 1 }
        places.insert(runs.endIndex - 1, at: index)
    }

    // MARK: - What it knows

    func flow(_ id: FlowID) -> SimulatedFlow? { flowPlaces[id].map { flows[$0] } }

    func flow(_ id: String) throws(ServiceError) -> SimulatedFlow {
        guard let flow = FlowID(id).flatMap(flow) else { throw .unknownFlow(id) }
        return flow
    }

    func run(_ id: String) throws(ServiceError) -> SimulatedRun {
        guard let place = runPlaces[id] else { throw .unknownRun(id) }
        return runs[place]
    }

    func specification(_ id: String) throws(ServiceError) -> FlowSpecification {
        guard let specification = specifications[id] else { throw .unknownSpecification(id) }
        return specification
    }

    /// The column in the flow's `Copy` transformation by now.
    func deltaColumn(of flow: FlowID) -> DeltaColumn? { columns[flow] }

    /// The places in `runs` of a flow's runs, or of all, oldest first.
    func places(of flow: FlowID?) -> [Int] { oldestFirst[flow] ?? [] }

    func answers(at now: Timestamp) -> RunAnswers { RunAnswers(configuration: configuration, now: now) }
}

/// Something that changed the sandbox; the state file is a list of them.
enum SandboxEvent: Hashable, Sendable {
    case flow(SimulatedFlow)
    case run(SimulatedRun)
}
