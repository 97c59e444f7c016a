import FlowRuns
import Text

/// A rejection by the service, with its status and message.
///
/// The documents specify only 403 and 503. The rest is typical of such a service, and no client may depend on the
/// wording.
package struct ServiceError: Error, Hashable, Sendable {
    package let status: Int
    package let title: String
    package let detail: String
    /// Whether the request violated the delta-column rule; the statistics count these requests.
    package private(set) var breaksDeltaColumnRule = false
    private var form = Form.problem

    /// The format of an error's body, which depends on the layer that responds.
    private enum Form: Hashable { case problem, gateway(code: String), signIn(error: String) }

    private init(_ status: Int, _ title: String, _ detail: String, form: Form = .problem) {
        self.status = status
        self.title = title
        self.detail = detail
        self.form = form
    }

    var answer: ServiceAnswer {
        var json = JSONText()
        json.object {
            switch form {
            case .problem:
                $0.member("type", "http://ns.adobe.com/aep/errors/FLOW-\(status)")
                $0.member("title", title)
                $0.member("status", status)
                $0.member("detail", detail)
            case .gateway(let code):
                $0.member("error_code", code)
                $0.member("message", detail)
            case .signIn(let error):
                $0.member("error", error)
                $0.member("error_description", detail)
            }
        }
        return ServiceAnswer(status: status, body: json.text)
    }
}

// MARK: - Authentication

extension ServiceError {
    static let noToken = ServiceError(
        403, "Forbidden", "Oauth token is missing.", form: .gateway(code: "403010"))
    static let badToken = ServiceError(
        401, "Unauthorized", "Oauth token is not valid", form: .gateway(code: "401013"))
    static let noKey = ServiceError(
        403, "Forbidden", "Api Key is required", form: .gateway(code: "403000"))
    static let wrongKey = ServiceError(
        403, "Forbidden", "Api Key is invalid", form: .gateway(code: "403003"))
    static let noOrganization = ServiceError(400, "Bad Request", "The header x-gw-ims-org-id is missing.")
    static let wrongOrganization = ServiceError(
        403, "Forbidden", "The token does not belong to the organisation of x-gw-ims-org-id.")
    static let wrongClient = ServiceError(
        400, "Bad Request", "invalid client_id parameter", form: .signIn(error: "invalid_client"))
    static let wrongSecret = ServiceError(
        401, "Unauthorized", "invalid client_secret parameter", form: .signIn(error: "invalid_client"))
    static let wrongGrant = ServiceError(
        400, "Bad Request", "grant_type must be client_credentials", form: .signIn(error: "unsupported_grant_type"))
}

// MARK: - Requests

extension ServiceError {
    static let notJSON = ServiceError(400, "Bad Request", "The body is not a JSON object.")
    static let notSentAsJSON = ServiceError(
        415, "Unsupported Media Type", "The header Content-Type must be application/json.")
    static let tooLarge = ServiceError(413, "Payload Too Large", "The body is larger than 1 MiB.")
    static let noSuchPath = ServiceError(404, "Not Found", "No such resource.")
    static let methodNotAllowed = ServiceError(405, "Method Not Allowed", "This resource has no such method.")
    static let emptyWindow = ServiceError(
        400, "Bad Request", "params.windowStartTime must be before params.windowEndTime.")

    static func missing(_ member: String) -> ServiceError { ServiceError(400, "Bad Request", "\(member) is required.") }

    static func wrongType(_ member: String, expected: String) -> ServiceError {
        ServiceError(400, "Bad Request", "\(member) must be \(expected).")
    }

    static func notATime(_ member: String) -> ServiceError {
        .wrongType(member, expected: "a Unix time, a string or an integer")
    }

    static let badContinuation = ServiceError(400, "Bad Request", "The continuationToken is not one of this list.")

    static func badQuery(_ detail: String) -> ServiceError { ServiceError(400, "Bad Request", detail) }
}

// MARK: - Flows and runs

extension ServiceError {
    static func unknownFlow(_ id: String) -> ServiceError {
        ServiceError(404, "Not Found", "No flow has the id \(id).")
    }

    static func unknownRun(_ id: String) -> ServiceError { ServiceError(404, "Not Found", "No run has the id \(id).") }

    static func unknownSpecification(_ id: String) -> ServiceError {
        ServiceError(404, "Not Found", "No flow specification has the id \(id).")
    }

    static func disabled(_ flow: SimulatedFlow) -> ServiceError {
        ServiceError(400, "Bad Request", "Flow \(flow.id) is \(flow.state); only an enabled flow takes runs.")
    }

    static func notOneTime(_ flow: SimulatedFlow) -> ServiceError {
        ServiceError(
            400, "Bad Request",
            "Flow \(flow.id) is scheduled by \(flow.frequency); only a flow scheduled once takes runs on demand.")
    }

    static func deltaColumnNeeded(_ flow: FlowID) -> ServiceError {
        .deltaColumnRule("params.deltaColumn is required for the first run of the table-based flow \(flow).")
    }

    static func deltaColumnFixed(_ flow: FlowID, at column: DeltaColumn, sent: DeltaColumn) -> ServiceError {
        .deltaColumnRule(
            "The delta column of flow \(flow) is \(column.words) and cannot be changed to \(sent.words).")
    }

    static func deltaColumnOfFiles(_ flow: FlowID) -> ServiceError {
        .deltaColumnRule("Flow \(flow) is file-based and has no delta column.")
    }

    private static func deltaColumnRule(_ detail: String) -> ServiceError {
        var error = ServiceError(400, "Bad Request", detail)
        error.breaksDeltaColumnRule = true
        return error
    }

    static func notRetriable(_ run: String, status: String) -> ServiceError {
        ServiceError(
            400, "Bad Request",
            "Run \(run) is \(status); only a run that failed, or ended with no records, can be triggered again.")
    }

    static func changed(_ run: String) -> ServiceError {
        ServiceError(412, "Precondition Failed", "Run \(run) no longer has the etag of If-Match.")
    }

    static func unavailable(_ reason: String) -> ServiceError { ServiceError(503, "Service Unavailable", reason) }
}

/// A response of the simulated service.
struct ServiceAnswer: Hashable, Sendable {
    var status: Int
    var body: String
    var contentType = "application/json"
    /// The header `Retry-After`, which only faults send.
    var retryAfter: String?
}

extension DeltaColumn {
    fileprivate var words: String { ([name] + [dateFormat, timezone].compactMap(\.self)).joined(separator: ", ") }
}
