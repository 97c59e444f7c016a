import FlowRuns

/// The Flow Service of Adobe Experience Platform, as far as Sluice uses it. `HTTPFlowService` is the real one.
package protocol FlowService: Sendable {
    /// `POST /runs`. Never sent twice by itself, except once more after a token was renewed on a 401.
    ///
    /// - Parameters:
    ///   - body: the exact bytes, see `RunRequest.body(_:sentAt:)`.
    ///   - deadline: the last moment at which the request may leave. Checked when the body is put on the wire: past it
    ///     nothing is sent and the answer is ``RunAnswer/notSent(_:)``. No request lasts longer than `requestTimeout`.
    func createRun(_ body: String, sendBefore deadline: Timestamp) async -> RunAnswer

    /// `POST /runs/{id}/action?op=re-trigger`, with the same care as ``createRun(_:sendBefore:)``.
    func retrigger(_ run: RunID, sendBefore deadline: Timestamp) async -> RunAnswer

    /// One page of a flow's runs: `GET /runs?property=flowId==ID`. Runs of other flows, which a service that ignores the
    /// filter would list, are left out.
    ///
    /// - Parameter next: of the page before; `nil` for the first.
    func runs(
        of flow: FlowID, order: RunOrder, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun>

    /// One run: `GET /runs/{id}`. `nil` when the service does not know it.
    func run(_ run: RunID) async throws(FlowServiceError) -> ObservedRun?

    /// `GET /flows/{id}`. `nil` when the service does not know it.
    func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow?

    /// One page of the sandbox's flows: `GET /flows`.
    ///
    /// - Parameter next: of the page before; `nil` for the first.
    func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow>

    /// The `runSpec` of a flow specification: `GET /flowSpecs/{id}`. `nil` when it has none.
    func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification?
}

/// What came back from asking for a run: the answers table of the design, its rows as cases.
package enum RunAnswer: Hashable, Sendable {
    /// 2xx with a run id, in any of the three documented shapes.
    case accepted(RunID, response: String)
    /// 4xx but 401, 408 and 429: a definite refusal.
    case refused(reason: String, response: String)
    /// 401, also with a renewed token.
    case unauthorized(reason: String)
    /// 429: not taken; how long to wait, where the service says so.
    case throttled(retryAfter: Duration?)
    /// Surely not taken, since no byte of the body left: connection refused, name not found, TLS handshake failed,
    /// deadline passed before sending.
    case notSent(String)
    /// Taken, or perhaps taken: time-out, connection lost after sending began, 408, 5xx, a 2xx without a readable id.
    case unknown(reason: String, response: String?)
}

/// A flow as the service describes it.
package struct ServiceFlow: Hashable, Sendable {
    package let id: FlowID
    /// As people named it.
    package let name: String?
    /// `enabled`, `disabled`, …
    package let state: String?
    /// The id of its flow specification.
    package let specification: String?
    /// `once`, `minute`, `hour`, `day`, `week`.
    package let frequency: String?
    /// From the `Copy` transformation.
    package let deltaColumn: DeltaColumn?
    /// From `lastRunDetails`, where that names the run.
    package let lastRun: RunID?

    /// It takes no runs: disabled, deleted or a draft.
    package var isDisabled: Bool { ["disabled", "deleted", "draft"].contains(state?.lowercased() ?? "") }

    /// Takes every member as it is.
    package init(
        id: FlowID, name: String?, state: String?, specification: String?, frequency: String?,
        deltaColumn: DeltaColumn?, lastRun: RunID? = nil
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.specification = specification
        self.frequency = frequency
        self.deltaColumn = deltaColumn
        self.lastRun = lastRun
    }
}

/// What a flow's runs must look like: the small part of JSON Schema (draft-07) that `runSpec.spec` uses.
package struct RunSpecification: Hashable, Sendable {
    /// The JSON type of each property that it declares: `integer`, `string`, `object`, …
    package let types: [String: String]
    /// The properties that a run must have.
    package let required: Set<String>
    /// The properties that its `deltaColumn` must have, where it has one.
    package let requiredOfColumn: Set<String>

    /// Takes all members as they are.
    package init(types: [String: String], required: Set<String>, requiredOfColumn: Set<String> = []) {
        self.types = types
        self.required = required
        self.requiredOfColumn = requiredOfColumn
    }
}

/// Why the service could not be read.
package enum FlowServiceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not reachable, or it keeps failing: worth trying again later.
    case unavailable(String)
    case unauthorized(String)
    /// It answered something that is none of the documented shapes.
    case unreadable(String)
    /// It refused to answer: 4xx.
    case refused(status: Int, String)

    /// A sentence for people, without a full stop.
    package var description: String {
        switch self {
        case .unavailable(let reason): "the Flow Service is not available: \(reason)"
        case .unauthorized(let reason): "the Flow Service does not let us in: \(reason)"
        case .unreadable(let reason): "the Flow Service's answer cannot be read: \(reason)"
        case .refused(let status, let reason): "the Flow Service refused the question (\(status)): \(reason)"
        }
    }
}
