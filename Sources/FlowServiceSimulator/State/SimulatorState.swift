import FlowRuns
import Foundation
import Text

/// The state of a running server: the sandbox, which the state file persists if there is one, and the request counts.
actor SimulatorState {
    private let configuration: FlowServiceSimulator.Configuration
    private let faults: FaultPlan
    private let file: StateFile?
    private var sandbox: SimulatedSandbox
    private var counter = RequestCounter()

    init(_ configuration: FlowServiceSimulator.Configuration) throws(StateFileError) {
        self.configuration = configuration
        faults = FaultPlan(faults: configuration.faults, seed: configuration.sandbox.seed)
        sandbox = SimulatedSandbox(configuration: configuration.sandbox)
        file = if let path = configuration.statePath { try StateFile(path: path) } else { nil }
    }

    /// Counts a request, and returns the fault that applies to the request; `nil` if there is none.
    func recordArrival(at endpoint: Endpoint, isReused: Bool) -> Fault.Kind? {
        let number = counter.count(endpoint, at: configuration.now())
        guard let scope = endpoint.scope else { return nil }
        let fault = faults.fault(scope, number: number, isReused: isReused)
        if fault != nil { counter.faultsStruck += 1 }
        return fault
    }

    /// Answers a request by the service's rules. Changes are durable when the method returns.
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

    /// Adds flows, and runs of other clients. A flow that already exists is skipped.
    func add(flows: [SimulatedFlow], runs: [ForeignRun]) async throws(StateFileError) {
        try await changing { state, _ in
            // The ID of a run depends on the number of earlier runs, so apply each event to a draft.
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

    func statistics() async throws(StateFileError) -> SimulatorStatistics {
        try await changing { state, _ in (SimulatorStatistics(state.sandbox.tally, state.counter), []) }
    }

    /// Updates the sandbox from the state file, calls `decide`, and records the resulting events before returning.
    private func changing<Result: Sendable>(
        _ decide: (isolated SimulatorState, Timestamp) -> (Result, [SandboxEvent])
    ) async throws(StateFileError) -> Result {
        guard let file else {
            let (result, events) = decide(self, configuration.now())
            for event in events { sandbox.record(event) }
            return result
        }
        // Do not block in flock(2): a process that was stopped while holding the lock would block this thread too.
        let giveUp = ContinuousClock.now + .seconds(30)
        repeat {
            let result = try file.withLock(onEvent: { sandbox.record($0) }) { file throws(StateFileError) in
                let (result, events) = decide(self, configuration.now())
                try file.append(events)
                for event in events { sandbox.record(event) }
                return result
            }
            if let result { return result }
            try? await Task.sleep(for: .milliseconds(2))
        } while ContinuousClock.now < giveUp && !Task.isCancelled
        throw StateFileError(configuration.statePath ?? "", "has been locked by another process for 30 seconds")
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
            let run = try sandbox.newRun(RunCreation(try request.json(), client: request.client), at: now)
            return (ServiceAnswer(status: 201, body: sandbox.createdAnswer(run)), [.run(run)])
        case .action(let id):
            guard let operation = request.query.first(where: { $0.name == "op" })?.value,
                ["re-trigger", "RE_TRIGGER"].contains(operation)
            else { throw .badQuery("op must be re-trigger.") }
            let run = try sandbox.retriggeredRun(
                id, etag: request.headers["if-match"], client: request.client, at: now)
            return (ServiceAnswer(status: 200, body: sandbox.idAndEtag(run)), [.run(run)])
        default:
            return (ServiceAnswer(status: 200, body: try read(request, at: now)), [])
        }
    }

    private func read(_ request: ServiceRequest, at now: Timestamp) throws(ServiceError) -> String {
        switch request.endpoint {
        case .listRuns:
            let query = try ListQuery(request.query)
            return ListEnvelope.text(try sandbox.runs(query, at: now), path: "/runs", countsOnly: query.countsOnly) {
                sandbox.runAnswer($0, at: now)
            }
        case .run(let id): return ListEnvelope.text(ofOne: sandbox.runAnswer(try sandbox.run(id), at: now))
        case .listFlows:
            let query = try ListQuery(request.query)
            return ListEnvelope.text(try sandbox.flows(query, at: now), path: "/flows", countsOnly: query.countsOnly) {
                sandbox.flowAnswer($0, at: now)
            }
        case .flow(let id): return ListEnvelope.text(ofOne: sandbox.flowAnswer(try sandbox.flow(id), at: now))
        case .listSpecifications:
            let query = try ListQuery(request.query)
            return ListEnvelope.text(
                try sandbox.specifications(query), path: "/flowSpecs", countsOnly: query.countsOnly, item: \.answer)
        case .specification(let id): return ListEnvelope.text(ofOne: try sandbox.specification(id).answer)
        case .token, .statistics, .createRun, .action: throw .noSuchPath
        }
    }
}

/// A parsed HTTP request.
struct ServiceRequest: Sendable {
    let endpoint: Endpoint
    var query: [URLQueryItem] = []
    /// The headers by lowercase name.
    var headers: [String: String] = [:]
    var body = Data()

    /// The value of `createdClient`, which is the same for all requests with one API key.
    ///
    /// The key is hashed, because a state file must not contain API keys.
    var client: String {
        guard let key = headers["x-api-key"], !key.isEmpty else { return "simulator" }
        return "client-" + hexadecimal(stableHash(key) >> 32, width: 8)
    }

    var bodyText: String { String(decoding: body, as: UTF8.self) }

    /// Parses the body as JSON; the content type must be JSON too.
    func json() throws(ServiceError) -> JSONValue {
        guard headers["content-type"]?.lowercased().hasPrefix("application/json") == true else { throw .notSentAsJSON }
        guard let json = JSONValue.parse(body) else { throw .notJSON }
        return json
    }
}
