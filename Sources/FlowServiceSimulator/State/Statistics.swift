import FlowRuns
import Text

/// What the simulator took and was asked. The counts of runs come from the state and hold for all servers on one state
/// file; the counts of requests are this server's since its start.
package struct SimulatorStatistics: Hashable, Sendable {
    /// A window that `POST /runs` was asked for more than once, and taken each time.
    package struct RepeatedWindow: Hashable, Sendable {
        package let flow: FlowID
        package let window: Window
        /// How often it was taken; 2 or more.
        package let times: Int
    }

    /// Runs made by `POST /runs`.
    package fileprivate(set) var runsTaken = 0
    /// The same, flow by flow.
    package fileprivate(set) var runsByFlow: [FlowID: Int] = [:]
    /// Runs made by re-triggers.
    package fileprivate(set) var retriggers = 0
    /// By flow and window. A declared rerun repeats its window too.
    package fileprivate(set) var windowsTakenTwice: [RepeatedWindow] = []
    /// Runs taken that brought a delta column though their flow had runs already, and requests refused for breaking
    /// the delta-column rule.
    package fileprivate(set) var deltaColumnViolations = 0
    /// All `POST /runs`, whatever was answered.
    package var postRequests: Int { requests[Endpoint.createRun.name] ?? 0 }
    /// By method and path: `GET /runs/{id}`.
    package fileprivate(set) var requests: [String: Int] = [:]
    /// Requests that a fault struck.
    package fileprivate(set) var faultsStruck = 0
    /// The most requests within any one second.
    package fileprivate(set) var maxRequestsInASecond = 0

    /// As `GET /simulator/statistics` answers.
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

/// Counts requests as they arrive.
struct RequestCounter: Hashable, Sendable {
    private(set) var byEndpoint: [String: Int] = [:]
    private(set) var mostInASecond = 0
    var faultsStruck = 0
    var deltaColumnRefusals = 0

    private var byScope: [Fault.Scope: Int] = [:]
    private var lastSecond: [Timestamp] = []

    /// - Returns: which request of its scope it is, counted from 1.
    mutating func count(_ endpoint: Endpoint, at now: Timestamp) -> Int {
        byEndpoint[endpoint.name, default: 0] += 1
        lastSecond.removeAll { $0 <= now - .seconds(1) }
        lastSecond.append(now)
        mostInASecond = max(mostInASecond, lastSecond.count)
        guard let scope = endpoint.scope else { return 0 }
        byScope[scope, default: 0] += 1
        return byScope[scope, default: 0]
    }
}

extension SimulatorStatistics {
    init(_ tally: RunTally, _ counter: RequestCounter) {
        runsTaken = tally.taken
        runsByFlow = tally.takenByFlow
        retriggers = tally.retriggered
        windowsTakenTwice = tally.repeated.flatMap { flow, windows in
            windows.map { RepeatedWindow(flow: flow, window: $0.key, times: $0.value) }
        }.sorted { ($0.flow, $0.window) < ($1.flow, $1.window) }
        deltaColumnViolations = tally.deltaColumnsRepeated + counter.deltaColumnRefusals
        requests = counter.byEndpoint
        faultsStruck = counter.faultsStruck
        maxRequestsInASecond = counter.mostInASecond
    }
}
