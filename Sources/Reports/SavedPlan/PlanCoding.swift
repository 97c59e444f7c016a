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
        Place.init(file:line:column:length:), member("file", { $0.file }), member("line", { $0.line }),
        member("column", { $0.column }), member("length", { $0.length }))
}

extension Window: SavedObject {
    static let coding: any SavedCoding<Window> = ObjectCoding(
        { start, end, _ in
            guard let window = Window(start: start, end: end) else {
                throw DecodingError.invalid("a window that ends before it starts")
            }
            return window
        }, member("start", { $0.start }), member("end", { $0.end }), member("utc", { $0.interval }))

    /// The window for people, as an ISO 8601 interval.
    private var interval: String { "\(start)/\(end)" }
}

extension WindowProgression: SavedObject {
    static let coding: any SavedCoding<WindowProgression> = ObjectCoding(
        { start, end, count in
            let seconds = end.seconds - start.seconds
            guard (1...Series.maxWindows).contains(count), seconds > 0, seconds % Int64(count) == 0 else {
                throw DecodingError.invalid("the window is not that number of windows of one length")
            }
            return WindowProgression(start: start, length: .seconds(seconds / Int64(count)), count: count)
        }, member("start", { $0.start }), member("end", { $0.end }), member("windows", { $0.count }))
}

extension DeltaColumn: SavedObject {
    static let coding: any SavedCoding<DeltaColumn> = ObjectCoding(
        DeltaColumn.init(name:dateFormat:timezone:), member("name", { $0.name }),
        optional("dateFormat", { $0.dateFormat }),
        optional("timezone", { $0.timezone }))
}

extension DeclaredColumn: SavedObject {
    static let coding: any SavedCoding<DeclaredColumn> = ObjectCoding(
        { name, dateFormat, timezone, place in
            DeclaredColumn(
                column: DeltaColumn(name: name, dateFormat: dateFormat, timezone: timezone), place: place)
        }, member("name", { $0.column.name }), optional("dateFormat", { $0.column.dateFormat }),
        optional("timezone", { $0.column.timezone }), member("place", { $0.place }))
}

extension Pause: SavedObject {
    static let coding: any SavedCoding<Pause> = ObjectCoding(
        Pause.init(reason:until:place:), member("reason", { $0.reason }), optional("until", { $0.until }),
        member("place", { $0.place }))
}

extension Acknowledgement: SavedObject {
    static let coding: any SavedCoding<Acknowledgement> = ObjectCoding(
        Acknowledgement.init(run:reason:window:place:), member("run", { $0.run }), member("reason", { $0.reason }),
        optional("window", { $0.window }), member("place", { $0.place }))
}

extension Rerun: SavedObject {
    static let coding: any SavedCoding<Rerun> = ObjectCoding(
        Rerun.init(window:isRange:id:reason:place:), member("window", { $0.window }),
        member("range", { $0.isRange }, default: false), member("id", { $0.id }), member("reason", { $0.reason }),
        member("place", { $0.place }))
}

extension HeldWindow: SavedObject {
    static let coding: any SavedCoding<HeldWindow> = ObjectCoding(
        { HeldWindow(window: $0, cause: $2, reason: $3, place: $4, timeZone: $1) }, member("window", { $0.window }),
        optional("timeZone", { $0.timeZone }), member("cause", { $0.cause }, default: .doubt),
        member("reason", { $0.reason }),
        member("place", { $0.place }))
}

extension Diagnostic.Note: SavedObject {
    static let coding: any SavedCoding<Diagnostic.Note> = ObjectCoding(
        { Diagnostic.Note(place: $1, message: $0) }, member("message", { $0.message }), member("place", { $0.place }))
}

extension Diagnostic: SavedObject {
    static let coding: any SavedCoding<Diagnostic> = ObjectCoding(
        { Diagnostic($0, $1, at: $2, $3, suggestion: $4, notes: $5) }, member("code", { $0.code }),
        member("severity", { $0.severity }), optional("place", { $0.place }), member("message", { $0.message }),
        optional("suggestion", { $0.suggestion }), member("notes", { $0.notes }, default: []))
}

extension FlowRules: SavedObject {
    static let coding: any SavedCoding<FlowRules> = ObjectCoding(
        {
            FlowRules(
                deltaColumn: $0, overlap: $1, retries: Retries($2, of: Set($3)), order: $4, runsPerDay: $5,
                priority: $6, acknowledged: $10, reruns: $11, replaced: $7, after: $8, pauses: $9)
        }, optional("deltaColumn", { $0.deltaColumn }), member("overlap", { $0.overlap }),
        member("retryFailed", { $0.retries.times }),
        member("retriedStates", { $0.retries.sortedStates }, default: [.failed]),
        member("order", { $0.order }, default: .oldestFirst), optional("runsPerDay", { $0.runsPerDay }),
        member("priority", { $0.priority }, default: 0), member("replaced", { $0.replaced }, default: []),
        member("after", { $0.after }, default: []), member("pauses", { $0.pauses }, default: []),
        member("acknowledged", { $0.acknowledged }), member("reruns", { $0.reruns }, default: []))
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
        }, member("kind", { $0.kind.word }), member("window", { $0.window }), optional("timeZone", { $0.timeZone }),
        member("ofSeries", { $0.isOfSeries }, default: false), member("covers", { $0.members }, default: []),
        optional("rerun", { $0.rerun }), member("attempt", { $0.attempt }), optional("retryOf", { $0.kind.retried }),
        member("asNewRun", { $0.kind.retriesAsNewRun }, default: false), member("reason", { $0.reason }),
        optional("refusal", { $0.refusal }), optional("deltaColumn", { $0.deltaColumn }), member("place", { $0.place }))
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
        FileDigest.init(path:sha256:), member("path", { $0.path }), member("sha256", { $0.sha256 }))
}

extension WireForm: SavedObject {
    static let coding: any SavedCoding<WireForm> = ObjectCoding(
        WireForm.init(times:startTime:), member("times", { $0.times }), member("startTime", { $0.startTime }))
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
            guard requestTimeout > 0, limits.settle >= limits.minSettle else {
                throw DecodingError.invalid("less than three times the request's timeout")
            }
            return limits
        }, member("maxRunsPerApply", { $0.maxRunsPerApply }), optional("runsPerDay", { $0.runsPerDay }),
        optional("running", { $0.running }), member("parallelFlows", { $0.parallelFlows }),
        member("requestsPerSecond", { $0.requestsPerSecond }),
        member("requestTimeoutMilliseconds", { $0.requestTimeout.wholeMilliseconds }),
        member("settleMilliseconds", { $0.settle.wholeMilliseconds }))
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
        }, member("name", { $0.name }), member("service", { $0.service.description }),
        member("organization", { $0.organization }), member("sandbox", { $0.sandbox }),
        member("request", { $0.wireForm }),
        member("ledger", { $0.ledger.description }), member("limits", { $0.limits }), member("place", { $0.place }))
}
