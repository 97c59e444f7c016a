import FlowRuns

/// The Flow Service of one sandbox without any I/O: its flows, its runs and its rules.
///
/// The time is a parameter, and the history is a list of `SandboxEvent`s, so equal events give equal sandboxes. Both
/// the HTTP simulator and the deterministic simulation of the applier are based on this type.
///
/// ```swift
/// var sandbox = SimulatedSandbox()
/// sandbox.add(SimulatedFlow(id: flow, source: .file))
/// let run = try sandbox.createRun(RunCreation(flow: flow, parameters: .init(window: window), client: "me"), at: now)
/// let newest = try sandbox.runs(ListQuery(flow: flow, limit: 10), at: now).items
/// ```
package struct SimulatedSandbox: Sendable {
    /// The behaviour from now on.
    package var configuration: SandboxConfiguration
    package private(set) var flows: [SimulatedFlow] = []
    /// The runs in the order in which they were recorded.
    package private(set) var runs: [SimulatedRun] = []
    /// The specifications of the flows, in the order of their first use.
    private(set) var specifications: [FlowSpecification] = []
    /// The counts of the accepted runs.
    private(set) var tally = RunTally()

    private var flowPlaces: [FlowID: Int] = [:]
    private var runPlaces: [String: Int] = [:]
    private var columns: [FlowID: DeltaColumn] = [:]
    private var oldestFirst: [FlowID?: [Int]] = [:]

    /// Creates a sandbox without flows.
    package init(configuration: SandboxConfiguration = SandboxConfiguration()) { self.configuration = configuration }

    /// Applies an event. A flow that already exists is skipped.
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

    /// Inserts the last run's index into a list that is sorted by creation time, oldest first.
    ///
    /// Runs arrive nearly in order, so the search starts at the end. The method is static because a copy of the sandbox
    /// would make every insertion copy the list as well.
    private static func insertLast(of runs: [SimulatedRun], into places: inout [Int]) {
        guard let createdAt = runs.last?.createdAt else { return }
        var index = places.endIndex
        while index > 0, runs[places[index - 1]].createdAt > createdAt { index -= 1 }
        places.insert(runs.endIndex - 1, at: index)
    }

    // MARK: - Queries

    package func flow(_ id: FlowID) -> SimulatedFlow? { flowPlaces[id].map { flows[$0] } }

    func flow(_ id: String) throws(ServiceError) -> SimulatedFlow {
        guard let flow = FlowID(id).flatMap(flow) else { throw .unknownFlow(id) }
        return flow
    }

    /// Returns a run by its ID, as `GET /runs/{id}` does, even if lists do not contain the run yet.
    ///
    /// - Throws: ``ServiceError`` if there is no such run.
    package func run(_ id: String) throws(ServiceError) -> SimulatedRun {
        guard let place = runPlaces[id] else { throw .unknownRun(id) }
        return runs[place]
    }

    func specification(_ id: String) throws(ServiceError) -> FlowSpecification {
        guard let specification = specifications.first(where: { $0.id == id }) else { throw .unknownSpecification(id) }
        return specification
    }

    /// Returns the current column in the flow's `Copy` transformation; `nil` if there is none.
    package func deltaColumn(of flow: FlowID) -> DeltaColumn? { columns[flow] }

    /// Returns the window that a list shows for a run; `nil` if a list does not show the window yet.
    package func listedWindow(of run: SimulatedRun, at now: Timestamp) -> Window? {
        guard now >= run.windowListedAt else { return nil }
        return switch configuration.listedWindows {
        case .parameters: run.window
        case .copyActivity: run.stage(at: now) == .scheduled ? nil : run.window
        case .unknown: nil
        }
    }

    /// Returns the run to which the flow's `lastRunDetails` refer; `nil` if there is none.
    package func lastRun(of flow: FlowID, at now: Timestamp) -> SimulatedRun? {
        let newestFirst = places(of: flow).lazy.reversed().map { runs[$0] }
        return switch configuration.lastRunDetails {
        case .all: newestFirst.first
        case .ended: newestFirst.first { $0.stage(at: now) == .ended }
        case .late: newestFirst.first { now - $0.createdAt > .seconds(60) }
        case .missing: nil
        }
    }

    /// Returns the indexes of a flow's runs in `runs`, or of all runs for `nil`, oldest first.
    func places(of flow: FlowID?) -> [Int] { oldestFirst[flow] ?? [] }

    /// Returns the indexes of several flows' runs in `runs`, oldest first.
    func places(ofAny flows: [FlowID]) -> [Int] {
        if flows.count == 1 { return places(of: flows[0]) }
        return oldestFirst(Set(flows).flatMap { places(of: $0) })
    }

    /// Returns the indexes in `runs` of the runs with these IDs, oldest first.
    func places(ofRuns ids: [String]) -> [Int] { oldestFirst(Set(ids.compactMap { runPlaces[$0.lowercased()] })) }

    /// Returns the indexes in `flows` of the flows with these IDs, in ascending order.
    func places(ofFlows ids: [String]) -> [Int] {
        Set(ids.compactMap { FlowID($0).flatMap { flowPlaces[$0] } }).sorted()
    }

    private func oldestFirst(_ places: some Collection<Int>) -> [Int] {
        places.sorted { (runs[$0].createdAt, $0) < (runs[$1].createdAt, $1) }
    }
}

/// A change of the sandbox. The state file is a list of these events.
enum SandboxEvent: Hashable, Sendable {
    case flow(SimulatedFlow)
    case run(SimulatedRun)
}
