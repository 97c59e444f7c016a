import FlowRuns
import Ledger
import Manifests
import Planner

/// Sample values that the tests render, small enough to read a golden file next to them.
enum Sample {
    static let day = Duration.seconds(86_400)
    /// 2024-01-01T00:00:00Z.
    static let newYear = Timestamp(seconds: 1_704_067_200)
    /// 2025-01-01T12:00:00Z.
    static let asOf = Timestamp(seconds: 1_735_732_800)

    /// The document of a target `prod`.
    static let targetYAML = """
        apiVersion: sluice/v1
        kind: Target
        metadata: {name: prod}
        spec: {service: https://platform.adobe.io/data/foundation/flowservice, organization: 1234@AdobeOrg, \
        sandbox: prod, ledger: "sqlite:prod.sqlite"}

        """

    static func target(_ wireForm: WireForm, name: String = "prod") -> Target {
        Target(
            name: name, service: .address("https://platform.adobe.io/data/foundation/flowservice"),
            organization: "1234@AdobeOrg", sandbox: "prod", ledger: .sqlite(path: ".sluice/prod.sqlite"),
            wireForm: wireForm, place: place(4, "target.yaml"))
    }

    static func flowID(_ number: Int) -> FlowID {
        let digits = String(number, radix: 16)
        return FlowID("3abea21c-7e36-4be1-bec1-" + String(repeating: "0", count: 12 - digits.count) + digits)!
    }

    static func declaration(_ number: Int, windows: [Window], reruns: [Rerun] = []) -> FlowDeclaration {
        FlowDeclaration(
            id: flowID(number), manifest: "crm", target: "prod", source: .file,
            windows: windows.map { DeclaredWindow(window: $0, line: 20, column: 11) }, reruns: reruns, place: place(14))
    }

    static func place(_ line: Int, _ file: String = "flows/crm.yaml") -> Place {
        Place(file: file, line: line, column: 9, length: 4)
    }

    static func window(_ start: Timestamp, _ length: Duration) -> Window { Window(start: start, end: start + length)! }

    static func creates(
        _ count: Int, from start: Timestamp, length: Duration = day, gap: Duration = .zero, timeZone: String? = nil
    ) -> [PlannedAction] {
        (0..<count).map {
            PlannedAction(
                kind: .create, window: window(start + (length + gap) * $0, length), reason: "never run",
                place: place(20), timeZone: timeZone)
        }
    }

    static func flow(
        _ number: Int, _ name: String?, actions: [PlannedAction] = [], held: [HeldWindow] = [], recorded: Int = 0,
        failed: Int = 0, replaced: Int = 0,
        undeclared: [RecordedRun] = [], ingestedTwice: [OverlappingRuns] = [], diagnostics: [Diagnostic] = [],
        isVerified: Bool = true, source: SourceKind = .table, rules: FlowRules = FlowRules()
    ) -> FlowPlan {
        FlowPlan(
            id: flowID(number), name: name, manifest: "crm", owner: "data-platform", source: source, rules: rules,
            place: place(number * 10 + 4), revision: number, isVerified: isVerified, actions: PlannedActions(actions),
            held: held,
            recordedCount: recorded, failedCount: failed, replacedCount: replaced, undeclared: undeclared,
            ingestedTwice: ingestedTwice, diagnostics: diagnostics)
    }

    static func plan(_ flows: [FlowPlan], wireForm: WireForm = WireForm()) -> Plan {
        Plan(
            asOf: asOf, target: target(wireForm),
            manifests: [FileDigest(path: "flows/crm.yaml", sha256: String(repeating: "ab", count: 32))], flows: flows)
    }

    static func run(
        _ number: Int, _ window: Window?, _ state: RunState, rerun: String? = nil, attempt: Int = 1,
        origin: RunOrigin = .request, id: String? = nil, failure: String? = nil, at time: Timestamp = asOf,
        records: Int64? = nil
    ) -> RecordedRun {
        RecordedRun(
            identity: RunIdentity(flow: flowID(number), window: window, rerun: rerun, attempt: attempt), state: state,
            origin: origin, id: id.flatMap { RunID($0) }, deltaColumn: nil, recordedAt: time,
            failure: failure, records: records)
    }

    /// A first run with its delta column, followed by a year of days.
    static var firstRun: FlowPlan {
        let column = DeltaColumn(name: "DOB", dateFormat: "yyyy-MM-dd")
        let first = PlannedAction(
            kind: .create, window: window(newYear, day), deltaColumn: column,
            reason: "first run of the flow: carries the delta column DOB", place: place(20))
        let rules = FlowRules(
            deltaColumn: DeclaredColumn(column: column, place: place(17)), overlap: .trim,
            retries: Retries(2, of: [.failed, .partial]),
            acknowledged: [
                Acknowledgement(run: RunID("run-by-hand")!, reason: "made before Sluice", place: place(30))
            ])
        return flow(
            1, "contacts", actions: [first] + creates(365, from: newYear + day), isVerified: false, rules: rules)
    }

    /// A retry, a rerun, a refused request, and a window far in the future.
    static var troubled: FlowPlan {
        let hour = Duration.seconds(3600)
        let retry = PlannedAction(
            kind: .retry(of: RunID("3fb0418e-1804-45d6-8d56-dd51f05c0baf")!), window: window(newYear, hour), attempt: 2,
            reason: "its run 3fb0418e-1804-45d6-8d56-dd51f05c0baf failed: source timed out; retry 1 of 2",
            place: place(40))
        let asNewRun = PlannedAction(
            kind: .retry(of: RunID("partial-1")!, asNewRun: true), window: window(newYear + hour * 3, hour), attempt: 2,
            reason: "its run partial-1 is partial: MAPPER-3700; retry 1 of 2", place: place(40))
        let rerun = PlannedAction(
            kind: .rerun, window: window(newYear + hour, hour), rerun: "fix-418",
            reason: "rerun fix-418: late files arrived", place: place(41))
        let refused = PlannedAction(
            kind: .create, window: window(newYear + hour * 5, hour), attempt: 2,
            reason: "refused before: the flow is disabled", refusal: "the flow is disabled", place: place(42))
        let far = PlannedAction(
            kind: .create, window: Window(start: newYear + hour * 9, end: Timestamp(seconds: 16_515_859_567))!,
            reason: "never run",
            place: place(43))
        return flow(
            2, "orders | <b>bold</b> @everyone", actions: [retry, rerun, asNewRun, refused, far], recorded: 340,
            undeclared: [
                run(2, window(newYear - day, hour), .succeeded, origin: .service, id: "found-1"),
                run(2, nil, .partial, origin: .service, id: "found-2", failure: "1 record\nfailed"),
            ],
            diagnostics: [
                Diagnostic(
                    .farFuture, .warning, at: place(43), "the window ends in the year 2493",
                    suggestion: "is the time in seconds?")
            ])
    }

    static var held: FlowPlan {
        let reason = "waits until it is known whether the service took 2024-01-01T00:00:00Z to 2024-01-02T00:00:00Z"
        return flow(
            3, nil,
            held: (0..<30).map {
                HeldWindow(window: window(newYear + day * $0, day), reason: reason, place: place(50))
            },
            source: .file)
    }

    static var broken: FlowPlan {
        flow(
            4, "leads", actions: creates(1, from: newYear),
            diagnostics: [
                Diagnostic(
                    .deltaColumnFixed, at: place(61),
                    "the delta column is fixed at 'DOB' since run 3fb0 and cannot become 'EMAIL'",
                    suggestion: "write 'DOB', or leave 'deltaColumn' out",
                    notes: [Diagnostic.Note(place: place(12), message: "declared here: 100%, at first")])
            ])
    }

    /// Ten days in local time of Kathmandu, and a held one.
    static var local: FlowPlan {
        let zone = "Asia/Kathmandu"
        let midnight = newYear - .seconds(20_700)
        return flow(
            6, "bookings", actions: creates(10, from: midnight, timeZone: zone),
            held: [
                HeldWindow(
                    window: window(midnight + day * 10, day), reason: "claimed and possibly sent", place: place(20),
                    timeZone: zone)
            ])
    }

    /// A year of days in newest-first order, and one day years earlier.
    static var newestFirst: FlowPlan {
        let days = creates(1, from: newYear - day * 900) + creates(366, from: newYear)
        let rules = FlowRules(retries: Retries(1), order: .newestFirst, priority: 5)
        return flow(8, "backfill", actions: days.reversed(), rules: rules)
    }

    /// A backfill after an outage: hourly windows in daily batches.
    static var batched: FlowPlan {
        let hour = Duration.seconds(3600)
        let days = (0..<5).map { index in
            PlannedAction(
                kind: .create, window: window(newYear + day * index, day), reason: "never run: 24 windows in one run",
                place: place(20),
                members: [WindowProgression(start: newYear + day * index, length: hour, count: 24)], isOfSeries: true)
        }
        return flow(10, "page-views", actions: days + creates(1, from: newYear + day * 5, length: hour), recorded: 700)
    }

    /// Postponed windows, with each cause once.
    static var postponed: FlowPlan {
        let reasons: [(HeldWindow.Cause, String)] = [
            (.paused, "paused until 2024-04-10T00:00:00Z: source is migrated"),
            (
                .replaced,
                "on the flow that it replaces, \(flowID(9)): claimed at 2024-01-05T00:00:00Z and possibly sent"
            ),
            (.dayLimit, "over the limit of 90 runs a day; continues tomorrow (UTC)"),
            (.runningLimit, "over the limit of 20 runs at a time; continues when runs end"),
            (.waiting, "waits for orders, whose run has not ended"),
            (.doubt, "requested at 2024-01-05T00:00:00Z; the service's answer never arrived"),
        ]
        let held = reasons.enumerated().flatMap { index, cause in
            (0..<7).map {
                HeldWindow(
                    window: window(newYear + day * (index * 7 + $0), day), cause: cause.0, reason: cause.1,
                    place: place(20))
            }
        }
        return flow(
            7, "postponed", held: held, recorded: 3, replaced: 2, rules: FlowRules(replaced: [flowID(9)]))
    }

    static var quiet: FlowPlan { flow(5, "invoices", recorded: 1204) }

    static var everything: Plan { plan([firstRun, troubled, held, quiet]) }

    static var entries: [LedgerEntry] {
        let provenance = Provenance(
            file: "flows/crm.yaml", line: 14, commit: "4f2c9ab0d1e2f3a4b5c6d7e8f9", author: "Ada Lovelace",
            ciRun: "https://ci.example.com/runs/7")
        return [
            LedgerEntry(
                run: run(
                    2, window(newYear + day, day), .failed, attempt: 2, id: "3fb0418e-1804-45d6-8d56-dd51f05c0bb0",
                    failure: "CONNECTOR-2001-500: source timed out"),
                request: #"POST /runs {"flowId":"…"}"#, response: #"{"id":"3fb0"}"#, status: "failed",
                counts: RunCounts(inputRecords: 100, outputRecords: 99, failedRecords: 1), updatedAt: asOf,
                provenance: provenance),
            LedgerEntry(
                run: run(
                    1, window(newYear, day), .succeeded, id: "3fb0418e-1804-45d6-8d56-dd51f05c0baf",
                    at: asOf - .seconds(60)),
                request: #"POST /runs {"flowId":"…"}"#, updatedAt: asOf, provenance: provenance),
            LedgerEntry(
                run: run(1, nil, .accepted, origin: .service, id: "found-1", at: asOf - .seconds(3600)), updatedAt: asOf
            ),
            LedgerEntry(
                run: run(2, window(newYear, day), .inDoubt, rerun: "fix-418", at: asOf + .seconds(1)), updatedAt: asOf,
                provenance: Provenance(file: "flows/crm.yaml", line: 30, reason: "late files arrived")),
        ]
    }

    static let names = [flowID(1): "contacts", flowID(2): "受注データ"]
}
