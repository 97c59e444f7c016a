import FlowRuns
import Foundation
import Manifests
import Planner

/// The decoder of a saved plan; see ``writePlan(_:to:)`` for the encoder.
///
/// Redundant members (summaries, requests and UTC times) are not decoded: ``readPlan(_:)`` verifies them by encoding
/// the plan again.
struct PlanDocument: Decodable {
    let plan: Plan

    private enum Key: CodingKey { case asOf, target, manifests, flows }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        plan = Plan(
            asOf: try object.time(.asOf), target: try object.decode(TargetMember.self, forKey: .target).target,
            manifests: try object.decode([ManifestMember].self, forKey: .manifests).map(\.digest),
            flows: try object.decode([FlowMember].self, forKey: .flows).map(\.flow))
    }
}

private struct TargetMember: Decodable {
    let target: Target

    private enum Key: CodingKey { case name, service, organization, sandbox, request, ledger, limits, place }
    private enum RequestKey: CodingKey { case times, startTime }
    private enum LimitKey: CodingKey {
        case maxRunsPerApply, runsPerDay, running, parallelFlows, requestsPerSecond, requestTimeoutMilliseconds,
            settleMilliseconds
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        let request = try object.nestedContainer(keyedBy: RequestKey.self, forKey: .request)
        let limit = try object.nestedContainer(keyedBy: LimitKey.self, forKey: .limits)
        var limits = Limits()
        limits.maxRunsPerApply = try limit.count(.maxRunsPerApply)
        if limit.contains(.runsPerDay) { limits.runsPerDay = try limit.count(.runsPerDay) }
        if limit.contains(.running) { limits.running = try limit.count(.running) }
        limits.parallelFlows = max(1, try limit.count(.parallelFlows))
        limits.requestsPerSecond = try limit.decode(Double.self, forKey: .requestsPerSecond)
        limits.requestTimeout = try limit.span(.requestTimeoutMilliseconds)
        limits.settle = try limit.span(.settleMilliseconds)
        guard limits.requestsPerSecond > 0 else { throw limit.fault(.requestsPerSecond, "a rate of nothing") }
        guard limits.requestTimeout > .zero, limits.settle >= limits.leastSettle else {
            throw limit.fault(.settleMilliseconds, "less than three times the request's timeout")
        }
        let service = try object.decode(String.self, forKey: .service)
        let ledger = try object.decode(String.self, forKey: .ledger)
        target = Target(
            name: try object.decode(String.self, forKey: .name),
            service: service == "embedded" ? .embedded : .address(service),
            organization: try object.decode(String.self, forKey: .organization),
            sandbox: try object.decode(String.self, forKey: .sandbox),
            ledger: Target.LedgerAddress(ledger),
            wireForm: WireForm(times: try request.word(.times), startTime: try request.word(.startTime)),
            limits: limits, place: try object.place(.place))
    }
}

private struct ManifestMember: Decodable {
    let path: String
    let sha256: String

    var digest: FileDigest { FileDigest(path: path, sha256: sha256) }
}

private struct FlowMember: Decodable {
    let flow: FlowPlan

    private enum Key: CodingKey {
        case flowId, name, manifest, owner, source, place, revision, verified, rules, summary
        case actions, held, undeclared, diagnostics
    }
    private enum SummaryKey: CodingKey { case recorded, failed, replaced }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        let id = try object.flow(.flowId)
        let summary = try object.nestedContainer(keyedBy: SummaryKey.self, forKey: .summary)
        flow = FlowPlan(
            id: id, name: try object.decodeIfPresent(String.self, forKey: .name),
            manifest: try object.decode(String.self, forKey: .manifest),
            owner: try object.decodeIfPresent(String.self, forKey: .owner), source: try object.word(.source),
            rules: try object.decode(RulesMember.self, forKey: .rules).rules,
            place: try object.place(.place), revision: try object.count(.revision),
            isVerified: try object.decode(Bool.self, forKey: .verified),
            actions: PlannedActions(try object.decode([ActionMember].self, forKey: .actions).lazy.map(\.action)),
            held: try object.decode([HeldMember].self, forKey: .held).map(\.held),
            recordedCount: try summary.count(.recorded), failedCount: try summary.count(.failed),
            replacedCount: summary.contains(.replaced) ? try summary.count(.replaced) : 0,
            undeclared: try object.decode([RunMember].self, forKey: .undeclared).map { $0.run(of: id) },
            diagnostics: try object.decode([DiagnosticMember].self, forKey: .diagnostics).map(\.diagnostic))
    }
}

private struct RulesMember: Decodable {
    let rules: FlowRules

    private enum Key: CodingKey {
        case deltaColumn, overlap, retryFailed, retriedStates, order, runsPerDay, priority, replaced, acknowledged,
            reruns, after, pauses
    }
    private enum ColumnKey: CodingKey { case place }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        var declared: DeclaredColumn?
        if let column = try object.column(.deltaColumn) {
            let place = try object.nestedContainer(keyedBy: ColumnKey.self, forKey: .deltaColumn).place(.place)
            declared = DeclaredColumn(column: column, place: place)
        }
        rules = FlowRules(
            deltaColumn: declared, overlap: try object.word(.overlap),
            retries: Retries(try object.count(.retryFailed), of: try object.states(.retriedStates)),
            order: object.contains(.order) ? try object.word(.order) : .oldestFirst,
            runsPerDay: object.contains(.runsPerDay) ? try object.count(.runsPerDay) : nil,
            priority: try object.decodeIfPresent(Int.self, forKey: .priority) ?? 0,
            acknowledged: try object.decode([AcknowledgementMember].self, forKey: .acknowledged).map(\.acknowledgement),
            reruns: try object.decodeIfPresent([RerunMember].self, forKey: .reruns)?.map(\.rerun) ?? [],
            replaced: try Self.flows(.replaced, of: object), after: try Self.flows(.after, of: object),
            pauses: try object.decodeIfPresent([PauseMember].self, forKey: .pauses)?.map(\.pause) ?? [])
    }

    private static func flows(_ key: Key, of object: KeyedDecodingContainer<Key>) throws -> [FlowID] {
        try object.decodeIfPresent([String].self, forKey: key)?.map { text in
            guard let flow = FlowID(text) else { throw object.fault(key, "not a flow id") }
            return flow
        } ?? []
    }
}

private struct PauseMember: Decodable {
    let pause: Pause

    private enum Key: CodingKey { case reason, until, place }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        pause = Pause(
            reason: try object.decode(String.self, forKey: .reason),
            until: object.contains(.until) ? try object.time(.until) : nil, place: try object.place(.place))
    }
}

private struct RerunMember: Decodable {
    let rerun: Rerun

    private enum Key: CodingKey { case window, range, id, reason, place }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        rerun = Rerun(
            window: try object.window(.window),
            isRange: try object.decodeIfPresent(Bool.self, forKey: .range) ?? false,
            id: try object.decode(String.self, forKey: .id),
            reason: try object.decode(String.self, forKey: .reason), place: try object.place(.place))
    }
}

private struct AcknowledgementMember: Decodable {
    let acknowledgement: Acknowledgement

    private enum Key: CodingKey { case run, reason, window, place }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        acknowledgement = Acknowledgement(
            run: try object.run(.run), reason: try object.decode(String.self, forKey: .reason),
            window: object.contains(.window) ? try object.window(.window) : nil, place: try object.place(.place))
    }
}

private struct ActionMember: Decodable {
    let action: PlannedAction

    private enum Key: CodingKey {
        case kind, window, timeZone, ofSeries, covers, rerun, attempt, retryOf, asNewRun, reason, refusal, deltaColumn,
            place
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        let kind: PlannedAction.Kind
        switch try object.decode(String.self, forKey: .kind) {
        case "create": kind = .create
        case "retry":
            kind = .retry(
                of: try object.run(.retryOf),
                asNewRun: try object.decodeIfPresent(Bool.self, forKey: .asNewRun) ?? false)
        case "rerun": kind = .rerun
        default: throw object.fault(.kind, "not a kind of action")
        }
        action = PlannedAction(
            kind: kind, window: try object.window(.window),
            rerun: try object.decodeIfPresent(String.self, forKey: .rerun),
            attempt: try object.count(.attempt), deltaColumn: try object.column(.deltaColumn),
            reason: try object.decode(String.self, forKey: .reason),
            refusal: try object.decodeIfPresent(String.self, forKey: .refusal), place: try object.place(.place),
            timeZone: try object.decodeIfPresent(String.self, forKey: .timeZone),
            members: try object.decodeIfPresent([CoveredMember].self, forKey: .covers)?.map(\.windows) ?? [],
            isOfSeries: try object.decodeIfPresent(Bool.self, forKey: .ofSeries) ?? false)
    }
}

private struct CoveredMember: Decodable {
    let windows: WindowProgression

    private enum Key: CodingKey { case start, end, windows }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        let (start, end, count) = (try object.time(.start), try object.time(.end), try object.count(.windows))
        let seconds = end.seconds - start.seconds
        guard (1...Series.mostWindows).contains(count), seconds > 0, seconds % Int64(count) == 0 else {
            throw object.fault(.windows, "the window is not that number of windows of one length")
        }
        windows = WindowProgression(start: start, length: .seconds(seconds / Int64(count)), count: count)
    }
}

private struct HeldMember: Decodable {
    let held: HeldWindow

    private enum Key: CodingKey { case window, timeZone, cause, reason, place }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        held = HeldWindow(
            window: try object.window(.window), cause: object.contains(.cause) ? try object.word(.cause) : .doubt,
            reason: try object.decode(String.self, forKey: .reason), place: try object.place(.place),
            timeZone: try object.decodeIfPresent(String.self, forKey: .timeZone))
    }
}

private struct RunMember: Decodable {
    private let window: Window?
    private let rerun: String?
    private let attempt: Int
    private let state: RunState
    private let origin: RunOrigin
    private let id: RunID?
    private let deltaColumn: DeltaColumn?
    private let recordedAt: Timestamp
    private let failure: String?

    private enum Key: CodingKey {
        case window, rerun, attempt, state, origin, run, deltaColumn, recordedAt, failure
    }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        window = try object.decodeNil(forKey: .window) ? nil : try object.window(.window)
        rerun = try object.decodeIfPresent(String.self, forKey: .rerun)
        attempt = try object.count(.attempt)
        state = try object.word(.state)
        origin = try object.word(.origin)
        id = object.contains(.run) ? try object.run(.run) : nil
        deltaColumn = try object.column(.deltaColumn)
        recordedAt = Timestamp(milliseconds: try object.decode(Int64.self, forKey: .recordedAt))
        failure = try object.decodeIfPresent(String.self, forKey: .failure)
    }

    func run(of flow: FlowID) -> RecordedRun {
        RecordedRun(
            identity: RunIdentity(flow: flow, window: window, rerun: rerun, attempt: attempt), state: state,
            origin: origin, id: id, deltaColumn: deltaColumn, recordedAt: recordedAt, failure: failure)
    }
}

private struct DiagnosticMember: Decodable {
    let diagnostic: Diagnostic

    private enum Key: CodingKey { case code, severity, place, message, suggestion, notes }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        diagnostic = Diagnostic(
            try object.word(.code), try object.word(.severity),
            at: object.contains(.place) ? try object.place(.place) : nil,
            try object.decode(String.self, forKey: .message),
            suggestion: try object.decodeIfPresent(String.self, forKey: .suggestion),
            notes: try object.decodeIfPresent([NoteMember].self, forKey: .notes)?.map(\.note) ?? [])
    }
}

private struct NoteMember: Decodable {
    let note: Diagnostic.Note

    private enum Key: CodingKey { case message, place }

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        note = Diagnostic.Note(
            place: try object.place(.place), message: try object.decode(String.self, forKey: .message))
    }
}
