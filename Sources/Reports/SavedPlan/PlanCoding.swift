import FlowRuns
import Manifests
import Planner

// The members of a saved plan's values.

extension SourceKind: SavedText {}
extension FlowDeclaration.Overlap: SavedText {}
extension FlowDeclaration.Order: SavedText {}
extension Retries.State: SavedText {}
extension HeldWindow.Cause: SavedText {}
extension DiagnosticCode: SavedText {}
extension Diagnostic.Severity: SavedText {}
extension WireForm.Times: SavedText {}
extension WireForm.StartTime: SavedText {}

extension Place: SavedObject {
    static let coding: any SavedCoding<Place> = ObjectCoding(
        Place.init(file:line:column:length:), member("file", \.file), member("line", \.line),
        member("column", \.column), member("length", \.length))
}

extension Window: SavedObject {
    static let coding: any SavedCoding<Window> = ObjectCoding(
        { start, end, _ in
            guard let window = Window(start: start, end: end) else {
                throw DecodingError.invalid("a window that ends before it starts")
            }
            return window
        }, member("start", \.start), member("end", \.end), member("utc", \.interval))

    /// The window for people, as an ISO 8601 interval.
    private var interval: String { "\(start)/\(end)" }
}

extension WindowProgression: SavedObject {
    static let coding: any SavedCoding<WindowProgression> = ObjectCoding(
        { start, end, count in
            let seconds = end.seconds - start.seconds
            guard (1...Series.mostWindows).contains(count), seconds > 0, seconds % Int64(count) == 0 else {
                throw DecodingError.invalid("the window is not that number of windows of one length")
            }
            return WindowProgression(start: start, length: .seconds(seconds / Int64(count)), count: count)
        }, member("start", \.start), member("end", \.end), member("windows", \.count))
}

extension DeltaColumn: SavedObject {
    static let coding: any SavedCoding<DeltaColumn> = ObjectCoding(
        DeltaColumn.init(name:dateFormat:timezone:), member("name", \.name), member("dateFormat", \.dateFormat),
        member("timezone", \.timezone))
}

extension DeclaredColumn: SavedObject {
    static let coding: any SavedCoding<DeclaredColumn> = ObjectCoding(
        { name, dateFormat, timezone, place in
            DeclaredColumn(
                column: DeltaColumn(name: name, dateFormat: dateFormat, timezone: timezone), place: place)
        }, member("name", \.column.name), member("dateFormat", \.column.dateFormat),
        member("timezone", \.column.timezone), member("place", \.place))
}

extension Pause: SavedObject {
    static let coding: any SavedCoding<Pause> = ObjectCoding(
        Pause.init(reason:until:place:), member("reason", \.reason), member("until", \.until),
        member("place", \.place))
}

extension Acknowledgement: SavedObject {
    static let coding: any SavedCoding<Acknowledgement> = ObjectCoding(
        Acknowledgement.init(run:reason:window:place:), member("run", \.run), member("reason", \.reason),
        member("window", \.window), member("place", \.place))
}

extension Rerun: SavedObject {
    static let coding: any SavedCoding<Rerun> = ObjectCoding(
        Rerun.init(window:isRange:id:reason:place:), member("window", \.window),
        member("range", \.isRange, default: false), member("id", \.id), member("reason", \.reason),
        member("place", \.place))
}

extension HeldWindow: SavedObject {
    static let coding: any SavedCoding<HeldWindow> = ObjectCoding(
        { HeldWindow(window: $0, cause: $2, reason: $3, place: $4, timeZone: $1) }, member("window", \.window),
        member("timeZone", \.timeZone), member("cause", \.cause, default: .doubt), member("reason", \.reason),
        member("place", \.place))
}

extension Diagnostic.Note: SavedObject {
    static let coding: any SavedCoding<Diagnostic.Note> = ObjectCoding(
        { Diagnostic.Note(place: $1, message: $0) }, member("message", \.message), member("place", \.place))
}

extension Diagnostic: SavedObject {
    static let coding: any SavedCoding<Diagnostic> = ObjectCoding(
        { Diagnostic($0, $1, at: $2, $3, suggestion: $4, notes: $5) }, member("code", \.code),
        member("severity", \.severity), member("place", \.place), member("message", \.message),
        member("suggestion", \.suggestion), member("notes", \.notes, default: []))
}

extension FlowRules: SavedObject {
    static let coding: any SavedCoding<FlowRules> = ObjectCoding(
        {
            FlowRules(
                deltaColumn: $0, overlap: $1, retries: Retries($2, of: Set($3)), order: $4, runsPerDay: $5,
                priority: $6, acknowledged: $10, reruns: $11, replaced: $7, after: $8, pauses: $9)
        }, member("deltaColumn", \.deltaColumn), member("overlap", \.overlap),
        member("retryFailed", \.retries.times),
        member("retriedStates", \.retries.sortedStates, default: [.failed]),
        member("order", \.order, default: .oldestFirst), member("runsPerDay", \.runsPerDay),
        member("priority", \.priority, default: 0), member("replaced", \.replaced, default: []),
        member("after", \.after, default: []), member("pauses", \.pauses, default: []),
        member("acknowledged", \.acknowledged), member("reruns", \.reruns, default: []))
}

extension PlannedAction: SavedObject {
    static let coding: any SavedCoding<PlannedAction> = ObjectCoding(
        {
            word, window, timeZone, isOfSeries, covers, rerun, attempt, retried, asNewRun, reason, refusal, column,
            place in
            PlannedAction(
                kind: try Kind(word, retried, asNewRun: asNewRun), window: window, rerun: rerun, attempt: attempt,
                deltaColumn: column, reason: reason, refusal: refusal, place: place, timeZone: timeZone,
                members: covers, isOfSeries: isOfSeries)
        }, member("kind", \.kind.word), member("window", \.window), member("timeZone", \.timeZone),
        member("ofSeries", \.isOfSeries, default: false), member("covers", \.members, default: []),
        member("rerun", \.rerun), member("attempt", \.attempt), member("retryOf", \.kind.retried),
        member("asNewRun", \.kind.retriesAsNewRun, default: false), member("reason", \.reason),
        member("refusal", \.refusal), member("deltaColumn", \.deltaColumn), member("place", \.place))
}

extension PlannedAction.Kind {
    /// The value of the member `kind` in JSON.
    var word: String {
        switch self {
        case .create: "create"
        case .retry: "retry"
        case .rerun: "rerun"
        }
    }

    fileprivate var retriesAsNewRun: Bool { if case .retry(_, asNewRun: true) = self { true } else { false } }

    fileprivate init(_ word: String, _ retried: RunID?, asNewRun: Bool) throws {
        switch (word, retried) {
        case ("create", nil): self = .create
        case ("rerun", nil): self = .rerun
        case ("retry", let run?): self = .retry(of: run, asNewRun: asNewRun)
        default: throw DecodingError.invalid("not a kind of action")
        }
    }
}

extension FileDigest: SavedObject {
    static let coding: any SavedCoding<FileDigest> = ObjectCoding(
        FileDigest.init(path:sha256:), member("path", \.path), member("sha256", \.sha256))
}

extension WireForm: SavedObject {
    static let coding: any SavedCoding<WireForm> = ObjectCoding(
        WireForm.init(times:startTime:), member("times", \.times), member("startTime", \.startTime))
}

extension Limits: SavedObject {
    static let coding: any SavedCoding<Limits> = ObjectCoding(
        { maxRunsPerApply, runsPerDay, running, parallelFlows, requestsPerSecond, requestTimeout, settle in
            var limits = Limits()
            limits.maxRunsPerApply = maxRunsPerApply
            limits.runsPerDay = runsPerDay
            limits.running = running
            limits.parallelFlows = max(1, parallelFlows)
            limits.requestsPerSecond = requestsPerSecond
            limits.requestTimeout = .milliseconds(requestTimeout)
            limits.settle = .milliseconds(settle)
            guard requestsPerSecond > 0 else { throw DecodingError.invalid("a rate of nothing") }
            guard requestTimeout > 0, limits.settle >= limits.leastSettle else {
                throw DecodingError.invalid("less than three times the request's timeout")
            }
            return limits
        }, member("maxRunsPerApply", \.maxRunsPerApply), member("runsPerDay", \.runsPerDay),
        member("running", \.running), member("parallelFlows", \.parallelFlows),
        member("requestsPerSecond", \.requestsPerSecond),
        member("requestTimeoutMilliseconds", \.requestTimeout.wholeMilliseconds),
        member("settleMilliseconds", \.settle.wholeMilliseconds))
}

extension Duration {
    fileprivate var wholeMilliseconds: Int { Int(milliseconds) }
}

extension Target: SavedObject {
    static let coding: any SavedCoding<Target> = ObjectCoding(
        { name, service, organization, sandbox, request, ledger, limits, place in
            Target(
                name: name, service: service == "embedded" ? .embedded : .address(service),
                organization: organization, sandbox: sandbox, ledger: LedgerAddress(ledger), wireForm: request,
                limits: limits, place: place)
        }, member("name", \.name), member("service", \.service.description),
        member("organization", \.organization), member("sandbox", \.sandbox), member("request", \.wireForm),
        member("ledger", \.ledger.description), member("limits", \.limits), member("place", \.place))
}
