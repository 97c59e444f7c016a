import FlowRuns
import Foundation
import Text

/// The sandbox behind a running server, kept in the state file where there is one, and the counts of what was asked.
actor SimulatorState {
    private let configuration: FlowServiceSimulator.Configuration
    private let faults: FaultPlan
    private let journal: Journal?
    private var sandbox: SimulatedSandbox
    private var counter = RequestCounter()

    init(_ configuration: FlowServiceSimulator.Configuration) throws(JournalError) {
        self.configuration = configuration
        faults = FaultPlan(faults: configuration.faults, seed: Seed(value: configuration.sandbox.seed))
        sandbox = SimulatedSandbox(configuration: configuration.sandbox)
        journal = if let path = configuration.statePath { try Journal(path: path) } else { nil }
    }

    /// Counts a request, and tells which fault strikes it.
    func arrived(_ endpoint: Endpoint, isReused: Bool) -> Fault.Kind? {
        let number = counter.count(endpoint, at: configuration.now())
        guard let scope = endpoint.scope else { return nil }
        let strike = faults.strike(scope, number: number, isReused: isReused)
        if strike != nil { counter.faultsStruck += 1 }
        return strike
    }

    /// Answers a request by the service's rules. What it changes is durable when this returns.
    func answer(_ request: ServiceRequest) async -> ServiceAnswer {
        do {
            return try await changing { state, now in
                do throws(ServiceError) {
                    return try state.decide(request, at: now)
                } catch {
                    if error.breaksDeltaColumnRule { state.counter.deltaColumnRefusals += 1 }
                    return (error.answer, [])
                }
            }
        } catch {
            return ServiceError.unavailable("\(error)").answer
        }
    }

    /// Adds flows, and runs made by others. A flow that is there already is passed over.
    func add(_ flows: [SimulatedFlow], _ runs: [ForeignRun]) async throws(JournalError) {
        try await changing { state, _ in
            // The id of each run depends on those before it.
            var draft = state.sandbox
            var events: [SandboxEvent] = []
            func add(_ event: SandboxEvent) {
                draft.record(event)
                events.append(event)
            }
            for flow in flows where draft.flow(flow.id) == nil { add(.flow(flow)) }
            for run in runs { add(.run(draft.foreignRun(run))) }
            return ((), events)
        }
    }

    func statistics() async throws(JournalError) -> SimulatorStatistics {
        try await changing { state, _ in (SimulatorStatistics(state.sandbox.tally, state.counter), []) }
    }

    /// Brings the sandbox up to date, asks `decide`, and records what it decided before the result goes out.
    private func changing<Result: Sendable>(
        _ decide: (isolated SimulatorState, Timestamp) -> (Result, [SandboxEvent])
    ) async throws(JournalError) -> Result {
        guard let journal else {
            let (result, events) = decide(self, configuration.now())
            for event in events { sandbox.record(event) }
            return result
        }
        // Not waiting inside flock(2): a process that is stopped while it holds the lock would block this thread too.
        let giveUp = ContinuousClock.now + .seconds(30)
        repeat {
            let result = try journal.withLock(onEvent: { sandbox.record($0) }) { journal throws(JournalError) in
                let (result, events) = decide(self, configuration.now())
                try journal.append(events)
                for event in events { sandbox.record(event) }
                return result
            }
            if let result { return result }
            try? await Task.sleep(for: .milliseconds(2))
        } while ContinuousClock.now < giveUp && !Task.isCancelled
        throw JournalError(configuration.statePath ?? "", "has been locked by another process for 30 seconds")
    }

    private func decide(
        _ request: ServiceRequest, at now: Timestamp
    ) throws(ServiceError) -> (ServiceAnswer, [SandboxEvent]) {
        let seed = configuration.sandbox.seed
        let signIn = configuration.signIn
        switch request.endpoint {
        case .token: return (try signIn.token(form: request.bodyText, seed: seed, at: now), [])
        case .statistics:
            return (ServiceAnswer(status: 200, body: SimulatorStatistics(sandbox.tally, counter).json), [])
        default: try signIn.check(request.headers, seed: seed, at: now)
        }
        switch request.endpoint {
        case .token, .statistics: throw .noSuchPath
        case .createRun:
            let run = try sandbox.newRun(try request.json(), at: now)
            return (ServiceAnswer(status: 201, body: sandbox.answers(at: now).created(run)), [.run(run)])
        case .action(let id):
            guard let operation = request.query.first(where: { $0.name == "op" })?.value,
                ["re-trigger", "RE_TRIGGER"].contains(operation)
            else { throw .badQuery("op must be re-trigger.") }
            let run = try sandbox.retriggeredRun(id, etag: request.headers["if-match"], at: now)
            return (ServiceAnswer(status: 200, body: sandbox.answers(at: now).idAndEtag(run)), [.run(run)])
        default:
            return (ServiceAnswer(status: 200, body: try read(request, at: now)), [])
        }
    }

    private func read(_ request: ServiceRequest, at now: Timestamp) throws(ServiceError) -> String {
        let pageSize = configuration.sandbox.pageSize
        switch request.endpoint {
        case .listRuns:
            return try sandbox.listRuns(ListQuery(request.query, pageSize: pageSize), at: now) { place, run in
                run.createdAt + faults.listingLag(ofRun: place + 1) <= now
            }
        case .run(let id):
            let run = try sandbox.run(id)
            return sandbox.envelope(sandbox.answers(at: now).listed(run, of: sandbox.flow(run.flow)))
        case .listFlows: return try sandbox.listFlows(ListQuery(request.query, pageSize: pageSize), at: now)
        case .flow(let id): return sandbox.envelope(sandbox.flowAnswer(try sandbox.flow(id), at: now))
        case .specification(let id):
            let specification = try sandbox.specification(id)
            var json = JSONText()
            json.object { specification.write(to: &$0) }
            return sandbox.envelope(json.text)
        case .token, .statistics, .createRun, .action: throw .noSuchPath
        }
    }
}

/// A request, taken from the wire.
struct ServiceRequest: Sendable {
    let endpoint: Endpoint
    var query: [URLQueryItem] = []
    /// By name in lower case.
    var headers: [String: String] = [:]
    var body = Data()

    var bodyText: String { String(decoding: body, as: UTF8.self) }

    /// The body, if it is JSON and says so.
    func json() throws(ServiceError) -> JSONValue {
        guard headers["content-type"]?.lowercased().hasPrefix("application/json") == true else { throw .notSentAsJSON }
        guard let json = JSONValue.parse(body) else { throw .notJSON }
        return json
    }
}
