import FlowRuns
import FlowService
import FlowServiceSimulator
import Synchronization

/// The service as a process sees it that may die or be stopped at every step, over a network that loses, delays and
/// refuses.
struct UnreliableService: FlowService {
    let process: SimulatedProcess

    private var service: SimulatedService { process.service }
    private var timeout: Duration { process.limits.requestTimeout }

    func takeTurn() async {
        await process.step()
        await process.delay(0, 0, 0.2, 3)
    }

    func turnDelay() -> Duration { process.isQuiet ? .zero : process.random.seconds(0, 0, 0, 5) }
    func serviceTime() -> ServiceTime? { process.serviceTime() }

    // MARK: Requests

    func createRun(_ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        guard let flow = try? RunCreation(body: body, client: SimulatedProcess.client).flow, let id = FlowID(flow)
        else {
            service.violate("a body that cannot be read: \(body)")
            return .refused(reason: "400", response: "")
        }
        return await request(id, deadline) { service, claim in
            service.take(body, claim: claim, client: SimulatedProcess.client)
        }
    }

    func retrigger(_ run: RunID, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        guard let flow = service.runs.first(where: { $0.id == run.description })?.flow else {
            return .refused(reason: "404", response: "")
        }
        return await request(flow, deadline) { service, claim in
            service.retrigger(run, claim: claim, client: SimulatedProcess.client)
        }
    }

    private func request(
        _ flow: FlowID, _ deadline: MonotonicInstant,
        take: @escaping @Sendable (SimulatedService, ClaimID) -> Result<RunID, ServiceError>
    ) async -> RunAnswer {
        await process.step()
        guard process.isAlive else { return .notSent("dead") }
        guard let claim = process.claim(of: flow) else {
            service.violate("a request without a claim: \(flow)")
            return .refused(reason: "400", response: "")
        }
        guard process.time.monotonic <= deadline else { return .notSent("the claim's time has passed") }
        let drawn = process.isQuiet ? 0.5 : process.random.fraction()
        if drawn > 0.97 {
            return .throttled(retryAfter: process.random.pick([nil, .seconds(1), .seconds(10), .seconds(40)]))
        }
        if drawn > 0.96 { return .notSent("connection refused") }
        if drawn > 0.955 { return .unauthorized(reason: "token ended") }

        // From here on the request is on the wire, whatever becomes of its sender.
        let sent = process.time.monotonic
        let almost = timeout - .milliseconds(50)
        let travel: Duration =
            process.isQuiet
            ? .milliseconds(100)
            : process.misfortunes.isSlow
                ? process.random.pick([.milliseconds(100), almost, almost])
                : process.random.pick([
                    .milliseconds(100), .milliseconds(100), .milliseconds(100), process.random.duration(upTo: almost),
                    almost,
                ])
        let isLost = process.strikes(process.misfortunes.network / 2)
        let isAnswerLost = process.strikes(process.misfortunes.network)
        let answer = Arrival()
        process.trace("SENDS \(claim)")
        if !isLost {
            process.time.after(travel) {
                answer.set(self.arrive(claim, drawn, take))
            }
        }
        await process.time.sleep(isLost || isAnswerLost ? timeout : travel + .milliseconds(100))
        await process.step()
        guard process.isAlive else { return .notSent("dead") }
        guard !isAnswerLost, let (result, date) = answer.value else {
            return .unknown(reason: "time-out", response: nil)
        }
        process.noteDate(date, sent: sent)
        return result
    }

    private func arrive(
        _ claim: ClaimID, _ drawn: Double, _ take: (SimulatedService, ClaimID) -> Result<RunID, ServiceError>
    ) -> (RunAnswer, Timestamp?) {
        let date = self.date
        if (0.93..<0.955).contains(drawn) { return (.refused(reason: "422", response: ""), date) }
        if (0.91..<0.93).contains(drawn) { return (.unknown(reason: "503", response: nil), date) }
        switch take(service, claim) {
        case .success where (0.89..<0.91).contains(drawn): return (.unknown(reason: "500", response: nil), date)
        case .success(let run): return (.accepted(run, response: "{}"), date)
        case .failure(let error): return (.refused(reason: error.detail, response: ""), date)
        }
    }

    private final class Arrival: Sendable {
        private let arrived = Mutex<(RunAnswer, Timestamp?)?>(nil)
        var value: (RunAnswer, Timestamp?)? { arrived.withLock(\.self) }
        func set(_ value: (RunAnswer, Timestamp?)) { arrived.withLock { $0 = value } }
    }

    // MARK: Reads

    /// The `Date` header: whole seconds.
    private var date: Timestamp? { service.habits.tellsDate ? Timestamp(seconds: service.now.seconds) : nil }

    /// One round trip.
    private func read<Value>(
        _ value: () throws(FlowServiceError) -> Value
    ) async throws(FlowServiceError) -> (Value, date: Timestamp?, sent: MonotonicInstant, at: Timestamp) {
        await process.step()
        guard process.isAlive else { throw .unavailable("the process is dead") }
        if process.strikes(process.misfortunes.network / 4) {
            await process.time.sleep(.seconds(5))
            throw .unavailable("503")
        }
        let sent = process.time.monotonic
        await process.delay(0.1, 0.1, 2, 8)
        let (date, at) = (date, service.now)
        let result = try value()
        await process.delay(0.1, 0.1, 5)
        process.noteDate(date, sent: sent)
        await process.step()
        guard process.isAlive else { throw .unavailable("the process is dead") }
        return (result, date, sent, at)
    }

    func runs(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun> {
        let (result, date, sent, at) = try await read { () throws(FlowServiceError) in
            if newestFirst, service.habits.refusesOrder { throw .refused(status: 400, "orderby is not known") }
            do throws(ServiceError) {
                let page = try service.page(
                    of: flow, newestFirst: newestFirst && !service.habits.ignoresOrder, after: next)
                return (page: page, runCount: service.runs.count)
            } catch { throw .refused(status: error.status, error.detail) }
        }
        let page = result.page
        process.noteLook(
            flow, SimulatedLook(time: at, runCount: result.runCount), isFirst: next == nil,
            readBackTo: page.next == nil ? nil : page.runs.last?.createdAt)
        let roundTrip = process.time.monotonic - sent
        return Page(items: page.runs, next: page.next, date: date, requestedAt: date.map { $0 - roundTrip })
    }

    /// It may be in any order, of any flows, and not whole: only a look at one flow is promised to list what it should.
    func runs(ofAny flows: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ListedRun> {
        let (page, date, _, _) = try await read { () throws(FlowServiceError) in
            if service.habits.refusesOrder { throw .refused(status: 400, "orderby is not known") }
            do throws(ServiceError) {
                return try service.page(ofAny: flows, newestFirst: !service.habits.ignoresOrder, after: next)
            } catch { throw .refused(status: error.status, error.detail) }
        }
        let listed = page.runs.filter { _ in !process.strikes(service.habits.leavingOut) }
        return Page(items: listed, next: page.next, date: date)
    }

    func runs(ids: [RunID]) async throws(FlowServiceError) -> [ListedRun] {
        try await read { ids.compactMap { service.run($0) } }.0
    }

    func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow? {
        try await read { service.flow(flow) }.0
    }

    func flows(ids: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> {
        Page(items: try await read { ids.compactMap { service.flow($0) } }.0, next: nil)
    }

    func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> { Page(items: [], next: nil) }
    func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification? { nil }
}
