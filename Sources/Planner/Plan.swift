import FlowRuns
import Manifests
import RunRequests

/// The run requests that are missing, in the order of their flows and windows, made at one instant.
public struct Plan: Hashable, Sendable {
    /// The version of the saved form.
    public static let formatVersion = 1

    /// The instant at which due windows were reckoned.
    public let asOf: Timestamp
    /// Whole, so that a saved plan can be applied without its manifests. It holds no secret.
    public let target: Target
    public let manifests: [FileDigest]
    /// Sorted by flow. Every declared flow is here, with or without actions.
    public let flows: [FlowPlan]

    public init(asOf: Timestamp, target: Target, manifests: [FileDigest], flows: [FlowPlan]) {
        self.asOf = asOf
        self.target = target
        self.manifests = manifests
        self.flows = flows
    }

    /// The same with what else was found of its flows, as where the service disagrees with a manifest.
    public func adding(_ diagnostics: [FlowID: [Diagnostic]]) -> Plan {
        let flows = flows.map { flow in
            var flow = flow
            flow.diagnostics = (flow.diagnostics + (diagnostics[flow.id] ?? [])).sortedByPlace()
            return flow
        }
        return Plan(asOf: asOf, target: target, manifests: manifests, flows: flows)
    }

    /// How many requests it asks for.
    public var requestCount: Int { flows.reduce(0) { $0 + $1.actions.count } }
    /// What concerns the plan as a whole and not one flow: warnings.
    public var ownDiagnostics: [Diagnostic] { excess(over: target.limits.maxRunsPerApply).map { [$0] } ?? [] }
    /// Its own, and those of all flows, by place.
    public var diagnostics: [Diagnostic] { (ownDiagnostics + flows.flatMap(\.diagnostics)).sortedByPlace() }
}

/// The part of a plan that concerns one flow.
public struct FlowPlan: Hashable, Sendable {
    public let id: FlowID
    public let name: String?
    public let manifest: String
    public let owner: String?
    public let source: SourceKind
    /// The manifest's rules that apply holds the flow's requests against once more before it sends them.
    public let rules: FlowRules
    /// Where the flow is declared.
    public let place: Place
    /// The ledger's revision of the flow that the plan was made from.
    public let revision: Int
    /// Whether the ledger has ever compared the flow with the service. What apply finds at first contact can only
    /// take requests away.
    public let isVerified: Bool
    /// In the order in which they are sent.
    public let actions: [PlannedAction]
    /// Windows that wait for a doubt to be resolved or a run to be acknowledged.
    public let held: [HeldWindow]
    /// How many desired windows need nothing.
    public let recordedCount: Int
    /// Of those, the ones whose run failed and may not be retried any more.
    public let failedCount: Int
    /// Runs that are recorded and that no manifest declares, by start.
    public let undeclared: [RecordedRun]
    /// Broken rules (errors) and what a person should know (warnings).
    public internal(set) var diagnostics: [Diagnostic]

    public init(
        id: FlowID, name: String?, manifest: String, owner: String?, source: SourceKind,
        rules: FlowRules = FlowRules(), place: Place, revision: Int, isVerified: Bool, actions: [PlannedAction],
        held: [HeldWindow], recordedCount: Int, failedCount: Int = 0, undeclared: [RecordedRun],
        diagnostics: [Diagnostic]
    ) {
        self.id = id
        self.name = name
        self.manifest = manifest
        self.owner = owner
        self.source = source
        self.rules = rules
        self.place = place
        self.revision = revision
        self.isVerified = isVerified
        self.actions = actions
        self.held = held
        self.recordedCount = recordedCount
        self.failedCount = failedCount
        self.undeclared = undeclared
        self.diagnostics = diagnostics
    }
}

/// What a manifest says of a flow besides its windows.
public struct FlowRules: Hashable, Sendable {
    public let deltaColumn: DeclaredColumn?
    public let overlap: FlowDeclaration.Overlap
    public let retryFailed: Int
    public let acknowledged: [Acknowledgement]

    public init(
        deltaColumn: DeclaredColumn? = nil, overlap: FlowDeclaration.Overlap = .error, retryFailed: Int = 0,
        acknowledged: [Acknowledgement] = []
    ) {
        self.deltaColumn = deltaColumn
        self.overlap = overlap
        self.retryFailed = retryFailed
        self.acknowledged = acknowledged
    }

    public init(_ declaration: FlowDeclaration) {
        self.init(
            deltaColumn: declaration.deltaColumn, overlap: declaration.overlap, retryFailed: declaration.retryFailed,
            acknowledged: declaration.acknowledged)
    }
}

/// One request that is missing.
public struct PlannedAction: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The window was never run.
        case create
        /// Its run failed; the service is asked to run it again (`re-trigger`).
        case retry(of: RunID)
        /// The manifest asks for one more run of a window that was run before.
        case rerun
    }

    public let kind: Kind
    public let window: Window
    /// The `id` of the rerun that it belongs to, also when it retries one.
    public let rerun: String?
    /// See ``RunIdentity/attempt``.
    public let attempt: Int
    /// Given when this request must carry it: the first of a table-based flow.
    public let deltaColumn: DeltaColumn?
    /// Why it is asked for, in words for the reviewer.
    public let reason: String
    /// What the service said when it refused an earlier attempt.
    public let refusal: String?
    /// Where the window, series or rerun is declared.
    public let place: Place
    /// Of the series that it is cut from, where that is not UTC: an IANA name. For people only.
    public let timeZone: String?

    public init(
        kind: Kind, window: Window, rerun: String? = nil, attempt: Int = 1, deltaColumn: DeltaColumn? = nil,
        reason: String, refusal: String? = nil, place: Place, timeZone: String? = nil
    ) {
        self.kind = kind
        self.window = window
        self.rerun = rerun
        self.attempt = attempt
        self.deltaColumn = deltaColumn
        self.reason = reason
        self.refusal = refusal
        self.place = place
        self.timeZone = timeZone
    }

    /// What claiming it claims.
    public func identity(in flow: FlowID) -> RunIdentity {
        RunIdentity(flow: flow, window: window, rerun: rerun, attempt: attempt)
    }

    /// The `POST /runs` that it stands for. (A retry sends no body: it names the failed run in the address.)
    public func request(for flow: FlowID) -> RunRequest {
        RunRequest(flow: flow, window: window, deltaColumn: deltaColumn)
    }
}

/// A desired window that cannot be asked for yet.
public struct HeldWindow: Hashable, Sendable {
    public let window: Window
    public let reason: String
    public let place: Place
    /// See ``PlannedAction/timeZone``.
    public let timeZone: String?

    public init(window: Window, reason: String, place: Place, timeZone: String? = nil) {
        self.window = window
        self.reason = reason
        self.place = place
        self.timeZone = timeZone
    }
}
