import FlowRuns

/// The operations of Adobe Experience Platform's Flow Service that Sluice uses. Implemented over HTTP by
/// `HTTPFlowService`.
///
/// All calls share one rate limit. Each page and each retry of a read waits for its own turn. A run request does not
/// wait, because its claim is already open: call ``waitForRateLimit()`` before claiming. When a stop is requested, all waits
/// and reads end at once with ``FlowServiceError/stopped``; a run request in flight is finished.
package protocol FlowService: Sendable {
    /// Waits for the next turn under the rate limit. Returns at once when a stop is requested.
    func waitForRateLimit() async

    /// Returns the time until the next turn, without taking the turn.
    func rateLimitDelay() -> Duration

    /// Sends `POST /runs`. Never repeated, except once after a 401 if the token could be renewed.
    ///
    /// - Parameters:
    ///   - body: the exact bytes, see `RunRequest.body(_:sentAt:)`.
    ///   - deadline: the last instant at which the request may be sent. The deadline is checked again right before the
    ///     first byte of the body is written. After the deadline, nothing is sent and the answer is
    ///     ``RunAnswer/notSent(_:)``. No request lasts longer than the service's request timeout.
    func createRun(_ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer

    /// Sends `POST /runs/{id}/action?op=re-trigger`, with the same guarantees as ``createRun(_:sendBefore:)``.
    func retrigger(_ run: RunID, sendBefore deadline: MonotonicInstant) async -> RunAnswer

    /// Reads one page of a flow's runs: `GET /runs?property=flowId==ID`. Drops runs of other flows, in case the service
    /// ignores the filter.
    ///
    /// - Parameters:
    ///   - flow: the ID of the flow.
    ///   - newestFirst: whether to send `orderby=-createdAt`. The public OpenAPI document contains `orderby`, but not
    ///     its fields: a service may reject the parameter (``FlowServiceError/refused(status:_:)`` with 400) or ignore
    ///     it.
    ///   - next: the cursor from the previous page; `nil` for the first page.
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    func runs(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun>

    /// Reads one page of the runs of several flows, newest first: `GET /runs?property=flowId==A,B&orderby=-createdAt`.
    ///
    /// Support for this filter is undocumented: a service may reject it, ignore it, or list the runs of only one of the
    /// flows, or none. Therefore no runs are dropped, and each run carries its flow.
    ///
    /// - Parameters:
    ///   - flows: the IDs of the flows.
    ///   - next: the cursor from the previous page; `nil` for the first page.
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    func runs(ofAny flows: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ListedRun>

    /// Reads the runs with these IDs, in the given order: `GET /runs?property=id==A,B`. Unknown IDs are skipped. Runs
    /// that the filter does not return are read one by one.
    ///
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    func runs(ids: [RunID]) async throws(FlowServiceError) -> [ListedRun]

    /// Reads one flow: `GET /flows/{id}`. Returns `nil` when the service does not have the flow.
    ///
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow?

    /// Reads one page of the flows with these IDs: `GET /flows?property=id==A,B`. Drops flows with fewer details than
    /// ``flow(_:)`` returns. A service may omit flows or list others.
    ///
    /// - Parameters:
    ///   - ids: the IDs of the flows.
    ///   - next: the cursor from the previous page; `nil` for the first page.
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    func flows(ids: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow>

    /// Reads one page of the sandbox's flows: `GET /flows`.
    ///
    /// - Parameter next: the cursor from the previous page; `nil` for the first page.
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow>

    /// Reads the `runSpec` of a flow specification: `GET /flowSpecs/{id}`. Returns `nil` when there is none.
    ///
    /// - Throws: ``FlowServiceError`` when the service cannot be read.
    func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification?

    /// Returns bounds of the service's current time, from the `Date` headers of its answers; `nil` when no answer had
    /// one.
    func serviceTime() -> ServiceTime?
}

/// The outcome of a run request.
package enum RunAnswer: Hashable, Sendable {
    /// 2xx with a run ID, in any of the three documented shapes.
    case accepted(RunID, response: String)
    /// A definite refusal: 400, 403, 404, 422 and any other 4xx that no other case covers.
    case refused(reason: String, response: String)
    /// 401, even with a renewed token. The request was not accepted.
    case unauthorized(reason: String)
    /// 429. The request was not accepted. Contains the wait that the service requested, if any.
    case throttled(retryAfter: Duration?)
    /// Not accepted, because no byte of the body was sent: connection refused, unknown host, failed TLS handshake, or
    /// deadline exceeded before sending.
    case notSent(String)
    /// Possibly accepted: timeout, connection lost after sending began, 3xx, 408, 409, 499, any 5xx, or a 2xx without a
    /// readable ID.
    case unknown(reason: String, response: String?)
}
