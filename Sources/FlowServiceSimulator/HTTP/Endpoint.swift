/// An operation of the simulated API.
enum Endpoint: Hashable, Sendable {
    case token
    case createRun
    case listRuns
    case run(String)
    case action(run: String)
    case listFlows
    case flow(String)
    case listSpecifications
    case specification(String)
    case statistics

    /// The path prefix of the real service. The simulator also serves every path without this prefix.
    static let base = "/data/foundation/flowservice"

    /// Parses the method and path of a request.
    ///
    /// - Parameter path: The decoded path without the query; a trailing slash is ignored.
    init(method: String, path: String) throws(ServiceError) {
        let path = path == Self.base || path.hasPrefix(Self.base + "/") ? path.dropFirst(Self.base.count) : path[...]
        let parts = path.split(separator: "/").map(String.init)
        let get: Endpoint?
        let post: Endpoint?
        switch (parts.first, parts.count) {
        case ("ims", 3) where parts[1...] == ["token", "v3"]: (get, post) = (nil, .token)
        case ("runs", 1): (get, post) = (.listRuns, .createRun)
        case ("runs", 2): (get, post) = (.run(parts[1]), nil)
        case ("runs", 3) where parts[2] == "action": (get, post) = (nil, .action(run: parts[1]))
        case ("flows", 1): (get, post) = (.listFlows, nil)
        case ("flows", 2): (get, post) = (.flow(parts[1]), nil)
        case ("flowSpecs", 1): (get, post) = (.listSpecifications, nil)
        case ("flowSpecs", 2): (get, post) = (.specification(parts[1]), nil)
        case ("simulator", 2) where parts[1] == "statistics": (get, post) = (.statistics, nil)
        default: throw .noSuchPath
        }
        guard let endpoint = method == "GET" ? get : method == "POST" ? post : nil else { throw .methodNotAllowed }
        self = endpoint
    }

    /// The name in the statistics.
    var name: String {
        switch self {
        case .token: "POST /ims/token/v3"
        case .createRun: "POST /runs"
        case .listRuns: "GET /runs"
        case .run: "GET /runs/{id}"
        case .action: "POST /runs/{id}/action"
        case .listFlows: "GET /flows"
        case .flow: "GET /flows/{id}"
        case .listSpecifications: "GET /flowSpecs"
        case .specification: "GET /flowSpecs/{id}"
        case .statistics: "GET /simulator/statistics"
        }
    }

    /// The scope of the faults that can apply; `nil` for the statistics.
    var scope: Fault.Scope? {
        switch self {
        case .token: .token
        case .createRun: .postRuns
        case .listRuns, .run: .getRuns
        case .action: .retrigger
        case .listFlows, .flow, .listSpecifications, .specification: .getFlows
        case .statistics: nil
        }
    }
}
