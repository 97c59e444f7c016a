import FlowRuns
import Foundation
import Text

/// A parsed `POST /runs` request.
package struct RunCreation: Hashable, Sendable {
    package let flow: String
    package let parameters: RunParameters
    /// The client application that sends the request.
    package let client: String

    package init(flow: FlowID, parameters: RunParameters, client: String) {
        self.flow = flow.description
        self.parameters = parameters
        self.client = client
    }

    /// Parses the body of a request.
    ///
    /// - Throws: ``ServiceError`` if the body is not a JSON object with valid members.
    package init(body: String, client: String) throws(ServiceError) {
        guard let json = JSONValue.parse(Data(body.utf8)) else { throw .notJSON }
        try self.init(json, client: client)
    }

    init(_ body: JSONValue, client: String) throws(ServiceError) {
        guard body.object != nil else { throw .notJSON }
        guard let id = body["flowId"] else { throw .missing("flowId") }
        guard let id = id.string else { throw .wrongType("flowId", expected: "a string") }
        flow = id
        parameters = try RunParameters(body["params"])
        self.client = client
    }
}

extension SimulatedSandbox {
    /// Creates a run, as `POST /runs` does.
    ///
    /// - Parameters:
    ///   - request: the requested run.
    ///   - now: the current time.
    ///   - createdAt: the time of the node that accepts the request, if its clock differs from `now`.
    /// - Throws: ``ServiceError`` when the service's rules reject the request. No run is created.
    @discardableResult
    package mutating func createRun(
        _ request: RunCreation, at now: Timestamp, createdAt: Timestamp? = nil
    ) throws(ServiceError) -> SimulatedRun {
        let run = try newRun(request, at: now, createdAt: createdAt)
        record(.run(run))
        return run
    }

    /// Creates a new run of the same window, as `POST /runs/{id}/action?op=re-trigger` does.
    ///
    /// - Parameters:
    ///   - id: the ID of the run to repeat.
    ///   - etag: `If-Match`, where it was sent.
    ///   - client: the client that sends the request.
    ///   - now: the current time.
    ///   - createdAt: the time of the node that accepts the request, if its clock differs from `now`.
    /// - Throws: ``ServiceError`` when the run does not exist, did not fail, or has changed since `etag`.
    @discardableResult
    package mutating func retrigger(
        _ id: String, etag: String? = nil, client: String, at now: Timestamp, createdAt: Timestamp? = nil
    ) throws(ServiceError) -> SimulatedRun {
        let run = try retriggeredRun(id, etag: etag, client: client, at: now, createdAt: createdAt)
        record(.run(run))
        return run
    }

    /// Adds a run without checking the service's rules, such as a run from before the simulation.
    @discardableResult
    package mutating func add(_ run: ForeignRun) -> SimulatedRun {
        let run = foreignRun(run)
        record(.run(run))
        return run
    }

    package mutating func add(_ flow: SimulatedFlow) { record(.flow(flow)) }

    /// What ``createRun(_:at:)`` makes. Nothing is recorded yet.
    func newRun(
        _ request: RunCreation, at now: Timestamp, createdAt: Timestamp? = nil
    ) throws(ServiceError) -> SimulatedRun {
        let flow = try flow(request.flow)
        guard flow.state == "enabled" else { throw .disabled(flow) }
        guard flow.isOneTime else { throw .notOneTime(flow) }
        try check(request.parameters, against: flow.specification.times)
        try checkDeltaColumn(request.parameters.deltaColumn, of: flow)
        return nextRun(
            of: flow.id, request.parameters, client: request.client, origin: .request, at: now, createdAt: createdAt)
    }

    /// Returns the run that ``retrigger(_:etag:client:at:)`` creates, without recording the run.
    func retriggeredRun(
        _ id: String, etag: String?, client: String, at now: Timestamp, createdAt: Timestamp? = nil
    ) throws(ServiceError) -> SimulatedRun {
        let run = try run(id)
        if let etag, etag != "*", etag != run.etag(at: now) { throw .changed(id) }
        guard run.canBeRetriggered(at: now) else {
            throw .notRetriable(id, status: run.status(at: now))
        }
        return nextRun(
            of: run.flow, run.parameters, client: client, origin: .retrigger, at: now, createdAt: createdAt)
    }

    /// Returns the run that ``add(_:)-(ForeignRun)`` adds, without recording the run.
    func foreignRun(_ run: ForeignRun) -> SimulatedRun {
        let parameters = run.window.map {
            RunParameters(window: $0, deltaColumn: run.deltaColumn, startTime: run.startTime)
        }
        return nextRun(
            of: run.flow, parameters, client: run.client, origin: .elsewhere, at: run.createdAt,
            startTime: run.startTime, outcome: run.outcome)
    }

    /// Enforces the delta-column rule of the on-demand tutorial: a table's first run sets the flow's column, a later
    /// run may repeat but not change the column, and a file has none.
    private func checkDeltaColumn(_ sent: DeltaColumn?, of flow: SimulatedFlow) throws(ServiceError) {
        switch (flow.source, deltaColumn(of: flow.id), sent) {
        case (.file, _, .some): throw .deltaColumnOfFiles(flow.id)
        case (.file, _, nil), (.table, .some, nil), (.table, nil, .some): return
        case (.table, nil, nil):
            // A run of another client may have set a column that this sandbox does not know.
            if places(of: flow.id).isEmpty { throw .deltaColumnNeeded(flow.id) }
        case (.table, .some(let known), .some(let sent)):
            guard known.isSameColumn(as: sent) else { throw .deltaColumnFixed(flow.id, at: known, sent: sent) }
        }
    }

    private func check(
        _ parameters: RunParameters, against times: FlowSpecification.Times
    ) throws(ServiceError) {
        let sent: [(String, WireTime?)] = [
            ("windowStartTime", parameters.windowStart), ("windowEndTime", parameters.windowEnd),
            ("startTime", parameters.startTime),
        ]
        for case (let key, let time?) in sent {
            switch (times, time) {
            case (.any, _), (.string, .string), (.integer, .integer): continue
            case (.string, .integer): throw .wrongType("params.\(key)", expected: "a string")
            case (.integer, .string): throw .wrongType("params.\(key)", expected: "an integer")
            }
        }
    }

    private func nextRun(
        of flow: FlowID, _ parameters: RunParameters?, client: String, origin: SimulatedOrigin, at now: Timestamp,
        createdAt: Timestamp? = nil, startTime: Timestamp? = nil, outcome: SimulatedOutcome? = nil
    ) -> SimulatedRun {
        let number = UInt64(runs.count)
        var id = SeededGenerator(seed: configuration.seed, choice: "run", number: number)
        var outcomes = SeededGenerator(seed: configuration.seed, choice: "outcome", number: number)
        let drawn = outcomes.fraction()
        let startTime = startTime ?? parameters?.startTime.map { $0.time } ?? now
        let startsAt = max(startTime, now) + configuration.pace.scheduled
        let end = outcome ?? configuration.outcomes.outcome(drawn, origin: origin)
        return SimulatedRun(
            id: id.uuid(), flow: flow, parameters: parameters, createdAt: createdAt ?? now, client: client,
            origin: origin, outcome: end, startsAt: startsAt, endsAt: startsAt + configuration.pace.inProgress,
            listedAt: now + configuration.listingLag, windowListedAt: now + configuration.windowDelay,
            lateEnd: configuration.lateEnd.flatMap { $0.isPossible(before: end) ? $0 : nil })
    }
}
