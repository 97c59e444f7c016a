import FlowRuns
import Text

/// The counts of runs and requests.
///
/// The run counts come from the state and cover all servers that share a state file. The request counts cover this
/// server since its start.
package struct SimulatorStatistics: Hashable, Sendable {
    /// A window for which several `POST /runs` requests were accepted.
    package struct RepeatedWindow: Hashable, Sendable {
        package let flow: FlowID
        package let window: Window
        /// The number of accepted requests, 2 or more.
        package let times: Int
    }

    /// The number of runs that `POST /runs` created.
    package fileprivate(set) var runsTaken = 0
    /// The number of runs that `POST /runs` created, by flow.
    package fileprivate(set) var runsByFlow: [FlowID: Int] = [:]
    /// The number of runs that re-triggers created.
    package fileprivate(set) var retriggers = 0
    /// The windows that were accepted more than once, by flow and window. A declared rerun counts as well.
    package fileprivate(set) var windowsTakenTwice: [RepeatedWindow] = []
    /// The number of accepted runs with a delta column whose flow already had runs, plus the number of requests that
    /// the delta-column rule rejected.
    package fileprivate(set) var deltaColumnViolations = 0
    /// The number of `POST /runs` requests, including those that were rejected.
    package var postRequests: Int { requests[Endpoint.createRun.name] ?? 0 }
    /// The number of requests by method and path, such as `GET /runs/{id}`.
    package fileprivate(set) var requests: [String: Int] = [:]
    /// The number of requests to which a fault was applied.
    package fileprivate(set) var faultsStruck = 0
    /// The maximum number of requests within one second.
    package fileprivate(set) var maxRequestsInASecond = 0

    /// The JSON that `GET /simulator/statistics` returns.
    package var json: String {
        var json = JSONText(indent: true)
        json.object {
            $0.member("runsTaken", runsTaken)
            $0.object("runsByFlow") {
                for (flow, count) in runsByFlow.sorted(by: { $0.key < $1.key }) { $0.member(flow.description, count) }
            }
            $0.member("retriggers", retriggers)
            $0.array("windowsTakenTwice") {
                for repeated in windowsTakenTwice {
                    $0.element {
                        $0.member("flowId", repeated.flow.description)
                        $0.member("windowStart", repeated.window.start.seconds)
                        $0.member("windowEnd", repeated.window.end.seconds)
                        $0.member("times", repeated.times)
                    }
                }
            }
            $0.member("deltaColumnViolations", deltaColumnViolations)
            $0.member("postRequests", postRequests)
            $0.object("requests") {
                for (name, count) in requests.sorted(by: { $0.key < $1.key }) { $0.member(name, count) }
            }
            $0.member("faultsStruck", faultsStruck)
            $0.member("maxRequestsInASecond", maxRequestsInASecond)
        }
        return json.text
    }
}

/// A counter of incoming requests.
struct RequestCounter: Hashable, Sendable {
    private(set) var byEndpoint: [String: Int] = [:]
    private(set) var maxInASecond = 0
    var faultsStruck = 0
    var deltaColumnRefusals = 0

    private var byScope: [Fault.Scope: Int] = [:]
    private var lastSecond: [Timestamp] = []

    /// Counts a request.
    ///
    /// - Returns: The number of the request, counted from 1 within its scope; 0 for a request without a scope.
    mutating func count(_ endpoint: Endpoint, at now: Timestamp) -> Int {
        byEndpoint[endpoint.name, default: 0] += 1
        lastSecond.removeAll { $0 <= now - .seconds(1) }
        lastSecond.append(now)
        maxInASecond = max(maxInASecond, lastSecond.count)
        guard let scope = endpoint.scope else { return 0 }
        byScope[scope, default: 0] += 1
        return byScope[scope, default: 0]
    }
}

extension SimulatorStatistics {
    init(_ tally: RunTally, _ counter: RequestCounter) {
        runsTaken = tally.accepted
        runsByFlow = tally.acceptedByFlow
        retriggers = tally.retriggered
        windowsTakenTwice = tally.repeated.flatMap { flow, windows in
            windows.map { RepeatedWindow(flow: flow, window: $0.key, times: $0.value) }
        }.sorted { ($0.flow, $0.window) < ($1.flow, $1.window) }
        deltaColumnViolations = tally.deltaColumnsRepeated + counter.deltaColumnRefusals
        requests = counter.byEndpoint
        faultsStruck = counter.faultsStruck
        maxRequestsInASecond = counter.maxInASecond
    }
}
