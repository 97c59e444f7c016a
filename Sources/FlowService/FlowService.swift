import FlowRuns

/// The Flow Service of Adobe Experience Platform, as far as Sluice uses it. ``HTTPFlowService`` is the real one.
///
/// All calls share one rate limit. Reads wait for their turn by themselves, each page and each retry; a request for a run
/// does not wait, because its claim is open by then: ``takeTurn()`` comes before the claim. When a stop is requested,
/// every wait and every read ends at once with ``FlowServiceError/stopped``; a request for a run is finished.
package protocol FlowService: Sendable {
    /// Waits for the next turn under the rate limit. Returns at once when a stop is requested.
    func takeTurn() async

    /// How long it is until the next turn. Takes nothing.
    func turnDelay() -> Duration

    /// `POST /runs`. Never sent twice by itself, except once more after a token was renewed on a 401.
    ///
    /// - Parameters:
    ///   - body: the exact bytes, see `RunRequest.body(_:sentAt:)`.
    ///   - deadline: the last instant at which the request may leave. Looked at again right before the first byte of
    ///     the body goes out: past it nothing is sent, and the answer is ``RunAnswer/notSent(_:)``. No request lasts
    ///     longer than the time limit of the service.
    func createRun(_ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer

    /// `POST /runs/{id}/action?op=re-trigger`, with the same care as ``createRun(_:sendBefore:)``.
    func retrigger(_ run: RunID, sendBefore deadline: MonotonicInstant) async -> RunAnswer

    /// One page of a flow's runs: `GET /runs?property=flowId==ID`. Runs of other flows, which a service that ignores the
    /// filter would list, are left out.
    ///
    /// - Parameters:
    ///   - newestFirst: asks for `orderby=-createdAt`. The public OpenAPI document has `orderby`, but does not say by
    ///     which fields: a service may refuse it (``FlowServiceError/refused(status:_:)`` with 400), or ignore it.
    ///   - next: of the page before; `nil` for the first.
    func runs(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun>

    /// One page of the runs of several flows, newest first: `GET /runs?property=flowId==A,B&orderby=-createdAt`. Nothing
    /// promises that a service knows such a filter: it may refuse it, ignore it, or list the runs of one of the flows,
    /// or none. So nothing is left out, and each run tells its flow.
    ///
    /// - Parameter next: of the page before; `nil` for the first.
    func runs(ofAny flows: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ListedRun>

    /// The runs of these ids that the service knows, in this order: `GET /runs?property=id==A,B`, or one by one where
    /// that is refused or leaves one out.
    func runs(ids: [RunID]) async throws(FlowServiceError) -> [ListedRun]

    /// `GET /flows/{id}`. `nil` when the service does not know it.
    func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow?

    /// One page of the flows of these ids: `GET /flows?property=id==A,B`. One that tells less than ``flow(_:)`` would is
    /// left out; a service may leave out any, or list others.
    ///
    /// - Parameter next: of the page before; `nil` for the first.
    func flows(ids: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow>

    /// One page of the sandbox's flows: `GET /flows`.
    ///
    /// - Parameter next: of the page before; `nil` for the first.
    func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow>

    /// The `runSpec` of a flow specification: `GET /flowSpecs/{id}`. `nil` when it has none.
    func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification?

    /// What time it is at the service now, by the `Date` headers of its answers so far; `nil` when none had one.
    func serviceTime() -> ServiceTime?
}
