import FlowRuns

/// The Flow Service of one sandbox, without any I/O: its flows, the runs it took, and its rules. Time is a parameter,
/// and what happened is a list of `SandboxEvent`s, so that the same events give the same sandbox. The HTTP simulator
/// and the deterministic simulation of the applier both answer from it.
///
/// ```swift
/// var sandbox = SimulatedSandbox()
/// sandbox.add(SimulatedFlow(id: flow, source: .file))
/// let run = try sandbox.createRun(RunCreation(flow: flow, parameters: .init(window: window), client: "me"), at: now)
/// let newest = try sandbox.runs(ListQuery(flow: flow, limit: 10), at: now).items
/// ```
package struct SimulatedSandbox: Sendable {
    /// How it behaves from now on.
    package var configuration: SandboxConfiguration
    package private(set) var flows: [SimulatedFlow] = []
    /// In the order in which they were recorded.
    package private(set) var runs: [SimulatedRun] = []
    /// In the order in which flows brought them.
    private(set) var specifications: [FlowSpecification] = []
    /// What was taken, and how often.
    private(set) var tally = RunTally()

    private var flowPlaces: [FlowID: Int] = [:]
    private var runPlaces: [String: Int] = [:]
    private var columns: [FlowID: DeltaColumn] = [:]
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
        if !specifications.contains(where: { $0.id == flow.specification.id }) {
            specifications.append(flow.specification)
        }
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

    package func flow(_ id: FlowID) -> SimulatedFlow? { flowPlaces[id].map { flows[$0] } }

    func flow(_ id: String) throws(ServiceError) -> SimulatedFlow {
        guard let flow = FlowID(id).flatMap(flow) else { throw .unknownFlow(id) }
        return flow
    }

    /// `GET /runs/{id}`, which a listing lag does not touch.
    package func run(_ id: String) throws(ServiceError) -> SimulatedRun {
        guard let place = runPlaces[id] else { throw .unknownRun(id) }
        return runs[place]
    }

    func specification(_ id: String) throws(ServiceError) -> FlowSpecification {
        guard let specification = specifications.first(where: { $0.id == id }) else { throw .unknownSpecification(id) }
        return specification
    }

    /// The column in the flow's `Copy` transformation by now.
    package func deltaColumn(of flow: FlowID) -> DeltaColumn? { columns[flow] }

    /// A run's window, where a list tells it by now.
    package func listedWindow(of run: SimulatedRun, at now: Timestamp) -> Window? {
        guard now >= run.tellsWindowAt else { return nil }
        return switch configuration.listedWindows {
        case .parameters: run.window
        case .copyActivity: run.stage(at: now) == .scheduled ? nil : run.window
        case .unknown: nil
        }
    }

    /// The run that the flow's `lastRunDetails` name.
    package func lastRun(of flow: FlowID, at now: Timestamp) -> SimulatedRun? {
        let newestFirst = places(of: flow).lazy.reversed().map { runs[$0] }
        return switch configuration.lastRunDetails {
        case .all: newestFirst.first
        case .ended: newestFirst.first { $0.stage(at: now) == .ended }
        case .late: newestFirst.first { now - $0.createdAt > .seconds(60) }
        case .missing: nil
        }
    }

    /// The places in `runs` of a flow's runs, or of all, oldest first.
    func places(of flow: FlowID?) -> [Int] { oldestFirst[flow] ?? [] }

    /// The same of several flows.
    func places(ofAny flows: [FlowID]) -> [Int] {
        if flows.count == 1 { return places(of: flows[0]) }
        return oldestFirst(Set(flows).flatMap { places(of: $0) })
    }

    /// The places in `runs` of the runs of these ids.
    func places(ofRuns ids: [String]) -> [Int] { oldestFirst(Set(ids.compactMap { runPlaces[$0.lowercased()] })) }

    /// The places in `flows` of the flows of these ids.
    func places(ofFlows ids: [String]) -> [Int] {
        Set(ids.compactMap { FlowID($0).flatMap { flowPlaces[$0] } }).sorted()
    }

    private func oldestFirst(_ places: some Collection<Int>) -> [Int] {
        places.sorted { (runs[$0].createdAt, $0) < (runs[$1].createdAt, $1) }
    }
}

/// Something that changed the sandbox; the state file is a list of them.
enum SandboxEvent: Hashable, Sendable {
    case flow(SimulatedFlow)
    case run(SimulatedRun)
}
