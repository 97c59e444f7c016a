import FlowRuns
import FlowService
import FlowServiceSimulator
import Ledger
import Synchronization

/// The service as a process sees it that may die or be stopped at every step, over a network that loses, delays and
/// refuses.
struct UnreliableService: FlowService {
    let process: SimulatedProcess

    private var service: SimulatedService { process.service }
    private var timeout: Duration { process.limits.requestTimeout }

    func waitForRateLimit() async {
        await process.step()
        await process.delay(0, 0, 0.2, 3)
    }

    func rateLimitDelay() -> Duration { process.isQuiet ? .zero : process.random.seconds(0, 0, 0, 5) }
    func serviceTime() -> ServiceTime? { process.serviceTime() }

    // MARK: Requests

    private typealias Taking = @Sendable (SimulatedService, SimulatedRequest) -> Result<RunID, ServiceError>

    /// The path number that selects the node of POST requests.
    private static let pathOfRequests = 4

    func createRun(_ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        guard let flow = try? RunCreation(body: body, client: SimulatedProcess.client).flow, let id = FlowID(flow)
        else {
            service.violate("a body that cannot be read: \(body)")
            return .refused(reason: "400", response: "")
        }
        return await request(id, deadline) { service, request in
            service.take(body, request).map { service.echo(of: $0, retriggering: nil, after: process.look(at: id)) }
        }
    }

    func retrigger(_ run: RunID, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        guard let flow = service.runs.first(where: { $0.id == run.description })?.flow else {
            return .refused(reason: "404", response: "")
        }
        let answer = await request(flow, deadline) { service, request in
            if service.isRetriggerInVain(run) {
                service.trace.add(service.time, "service accepts a re-trigger of \(run) and creates NO RUN")
                return .success(run)
            }
            return service.retrigger(run, request).map { service.echo(of: $0, retriggering: run, after: nil) }
        }
        if case .accepted(run, _) = answer {
            service.noteEcho(run, ledgerCount: process.limits.ledgerCount)
        }
        return answer
    }

    private func request(
        _ flow: FlowID, _ deadline: MonotonicInstant,
        take: @escaping Taking
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

        // From here on the request is on the wire, even if its sender dies.
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
        process.noteFresh(date)
        process.freshAnswers.record(AnswerStamp(date: date, sent: sent, received: process.time.monotonic))
        return result
    }

    private func arrive(
        _ claim: ClaimID, _ drawn: Double, _ take: Taking
    ) -> (RunAnswer, Timestamp?) {
        let node = service.node(for: Self.pathOfRequests)
        let date = service.date(of: node)
        if (0.93..<0.955).contains(drawn) { return (.refused(reason: "422", response: ""), date) }
        if (0.91..<0.93).contains(drawn) { return (.unknown(reason: "503", response: nil), date) }
        switch take(service, SimulatedRequest(claim: claim, node: node, manifestTime: process.manifestTime)) {
        case .success where (0.89..<0.91).contains(drawn): return (.unknown(reason: "500", response: nil), date)
        case .success(let run):
            process.trace("is answered \(run)")
            return (.accepted(run, response: "{}"), date)
        case .failure(let error): return (.refused(reason: error.detail, response: ""), date)
        }
    }

    private final class Arrival: Sendable {
        private let arrived = Mutex<(RunAnswer, Timestamp?)?>(nil)
        var value: (RunAnswer, Timestamp?)? { arrived.withLock(\.self) }
        func set(_ value: (RunAnswer, Timestamp?)) { arrived.withLock { $0 = value } }
    }

    // MARK: Reads

    /// The answer to a GET.
    private struct Reading<Value: Sendable>: Sendable {
        let value: Value
        /// The `Date` header: whole seconds.
        let date: Timestamp?
        /// The `Age` header, which only caches send.
        let age: Int?
        let sent: MonotonicInstant
        let received: MonotonicInstant
        /// The service's state when the answer was given.
        let look: SimulatedLook
    }

    /// One round trip.
    private func read<Value: Sendable>(
        _ question: Question, _ value: () throws(FlowServiceError) -> Value
    ) async throws(FlowServiceError) -> Reading<Value> {
        // A flow or a run that is read by its id has no page limit, so a cache answers every variant.
        let hasPages = [.runs, .flows].contains(question.path)
        let reading = try await process.freshAnswers.ask("\(question.path)") { variant throws(FlowServiceError) in
            let reading = try await exchange(question, variant: hasPages ? variant : 0, value)
            let stamp = AnswerStamp(
                date: reading.date, age: reading.age.map { .seconds($0) }, sent: reading.sent,
                received: reading.received)
            return (reading, stamp)
        }
        await process.step()
        guard process.isAlive else { throw .unavailable("the process is dead") }
        return reading
    }

    /// Sends one GET, which a cache may answer.
    ///
    /// - Parameter variant: stands for a page limit, which is part of the cache key.
    private func exchange<Value: Sendable>(
        _ question: Question, variant: Int, _ value: () throws(FlowServiceError) -> Value
    ) async throws(FlowServiceError) -> Reading<Value> {
        await process.step()
        guard process.isAlive else { throw .unavailable("the process is dead") }
        if process.strikes(process.misfortunes.network / 4) {
            await process.time.sleep(.seconds(5))
            throw .unavailable("503")
        }
        let (sent, sentAt) = (process.time.monotonic, process.time.elapsed)
        await process.delay(0.1, 0.1, 2, 8)
        let look = SimulatedLook(time: service.now, runCount: service.runs.count)
        if let cached: SimulatedCache.Answer<Value> = service.cache?.answer(
            question, variant: variant, of: process, sent: sentAt)
        {
            process.trace("reads \(question.path) \(question.query) from a CACHE, \(cached.heldFor) old")
            await process.delay(0.1, 0.1, 5)
            return Reading(
                value: cached.value, date: cached.date, age: cached.age, sent: sent, received: process.time.monotonic,
                look: look)
        }
        let date = service.date(of: service.node(for: question.path.rawValue))
        let result = try value()
        service.cache?.keep(result, date, for: question, variant: variant, of: process)
        await process.delay(0.1, 0.1, 5)
        process.noteFresh(date)
        return Reading(
            value: result, date: date, age: nil, sent: sent, received: process.time.monotonic, look: look)
    }

    func runs(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun> {
        let question = Question(.runs, "\(flow) \(newestFirst) \(next ?? "")")
        let reading = try await read(question) { () throws(FlowServiceError) -> Page<ObservedRun> in
            if newestFirst, service.habits.refusesOrder { throw .refused(status: 400, "orderby is not known") }
            do throws(ServiceError) {
                let page = try service.page(
                    of: flow, newestFirst: newestFirst && !service.habits.ignoresOrder, after: next)
                return Page(items: page.runs, next: page.next)
            } catch { throw .refused(status: error.status, error.detail) }
        }
        let page = reading.value
        process.noteLook(
            flow, reading.look, isFirst: next == nil, readBackTo: page.next == nil ? nil : page.items.last?.createdAt)
        let roundTrip = reading.received - reading.sent
        return Page(
            items: page.items, next: page.next, date: reading.date,
            requestedAt: reading.date.map { $0 - roundTrip })
    }

    /// It may be in any order, of any flows, and not whole: only a look at one flow is promised to list what it should.
    func runs(ofAny flows: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ListedRun> {
        let ids = flows.map(\.description).joined(separator: ",")
        let reading = try await read(Question(.runs, "\(ids) \(next ?? "")")) {
            () throws(FlowServiceError) -> Page<ListedRun> in
            if service.habits.refusesOrder { throw .refused(status: 400, "orderby is not known") }
            do throws(ServiceError) {
                let page = try service.page(ofAny: flows, newestFirst: !service.habits.ignoresOrder, after: next)
                return Page(items: page.runs, next: page.next)
            } catch { throw .refused(status: error.status, error.detail) }
        }
        let listed = reading.value.items.filter { _ in !process.strikes(service.habits.leavingOut) }
        return Page(items: listed, next: reading.value.next, date: reading.date)
    }

    func runs(ids: [RunID]) async throws(FlowServiceError) -> [ListedRun] {
        let question = Question(.runsByID, ids.map(\.description).joined(separator: ","))
        return try await read(question) { ids.compactMap { service.run($0) } }.value
    }

    func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow? {
        try await read(Question(.flow, flow.description)) { service.flow(flow) }.value
    }

    func flows(ids: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> {
        let question = Question(.flows, ids.map(\.description).joined(separator: ","))
        return Page(items: try await read(question) { ids.compactMap { service.flow($0) } }.value, next: nil)
    }

    func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> { Page(items: [], next: nil) }
    func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification? { nil }
}
