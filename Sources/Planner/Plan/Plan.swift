import FlowRuns
import Manifests

/// The run requests that are missing, in the order of their flows and windows, made at one instant.
package struct Plan: Hashable, Sendable {
    /// The version of the saved form.
    package static let formatVersion = 1

    /// The instant at which due windows were computed.
    package let asOf: Timestamp
    /// Whole, so that a saved plan can be applied without its manifests. It holds no secret.
    package let target: Target
    package let manifests: [FileDigest]
    /// By priority, then by name: so are they applied. Every declared flow is here, with or without actions.
    package let flows: [FlowPlan]

    package init(asOf: Timestamp, target: Target, manifests: [FileDigest], flows: [FlowPlan]) {
        self.asOf = asOf
        self.target = target
        self.manifests = manifests
        self.flows = flows.inOrderOfPriority
    }

    /// The same with what else was found of its flows, as where the service disagrees with a manifest.
    package func adding(_ diagnostics: [FlowID: [Diagnostic]]) -> Plan {
        let flows = flows.map { flow in
            var flow = flow
            flow.diagnostics = (flow.diagnostics + (diagnostics[flow.id] ?? [])).sortedByPlace()
            return flow
        }
        return Plan(asOf: asOf, target: target, manifests: manifests, flows: flows)
    }

    /// How many requests it asks for.
    package var requestCount: Int { flows.reduce(0) { $0 + $1.actions.count } }
    /// What concerns the plan as a whole and not one flow: warnings.
    package var ownDiagnostics: [Diagnostic] { excess(over: target.limits.maxRunsPerApply).map { [$0] } ?? [] }
    /// Its own, and those of all flows, by place.
    package var diagnostics: [Diagnostic] { (ownDiagnostics + flows.flatMap(\.diagnostics)).sortedByPlace() }
}

/// The part of a plan that concerns one flow.
package struct FlowPlan: Hashable, Sendable {
    package let id: FlowID
    package let name: String?
    package let manifest: String
    package let owner: String?
    package let source: SourceKind
    /// The manifest's rules that apply holds the flow's requests against once more before it sends them.
    package let rules: FlowRules
    /// Where the flow is declared.
    package let place: Place
    /// The ledger's revision of the flow that the plan was made from.
    package let revision: Int
    /// Whether the ledger has ever compared the flow with the service. What apply finds at first contact can only
    /// take requests away.
    package let isVerified: Bool
    /// In the order in which they are sent.
    package internal(set) var actions: PlannedActions
    /// Windows that wait for a doubt to be resolved or a run to be acknowledged, or that are postponed.
    package internal(set) var held: [HeldWindow]
    /// How many desired windows need nothing.
    package let recordedCount: Int
    /// Of those, the ones whose run failed and may not be retried any more.
    package let failedCount: Int
    /// Of those, the ones that a flow which this one replaces has recorded.
    package let replacedCount: Int
    /// Runs that are recorded and that no manifest declares, by start.
    package let undeclared: [RecordedRun]
    /// Broken rules (errors) and what a person should know (warnings).
    package internal(set) var diagnostics: [Diagnostic]

    package init(
        id: FlowID, name: String?, manifest: String, owner: String?, source: SourceKind,
        rules: FlowRules = FlowRules(), place: Place, revision: Int, isVerified: Bool, actions: PlannedActions,
        held: [HeldWindow], recordedCount: Int, failedCount: Int = 0, replacedCount: Int = 0, undeclared: [RecordedRun],
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
        self.replacedCount = replacedCount
        self.undeclared = undeclared
        self.diagnostics = diagnostics
    }
}

/// What a manifest says of a flow besides its windows.
package struct FlowRules: Hashable, Sendable {
    package let deltaColumn: DeclaredColumn?
    package let overlap: FlowDeclaration.Overlap
    package let retries: Retries
    package let order: FlowDeclaration.Order
    package let runsPerDay: Int?
    package let priority: Int
    package let acknowledged: [Acknowledgement]
    /// All that are declared, in that order: by it runs that nobody recorded count for them.
    package let reruns: [Rerun]
    /// The flows whose recorded runs count for this one.
    package let replaced: [FlowID]
    /// The flows that this one comes after.
    package let after: [FlowID]
    /// The flow's own pauses and its manifest's: an apply observes those that are active when it sends.
    package let pauses: [Pause]

    package init(
        deltaColumn: DeclaredColumn? = nil, overlap: FlowDeclaration.Overlap = .error, retries: Retries = Retries(),
        order: FlowDeclaration.Order = .oldestFirst, runsPerDay: Int? = nil, priority: Int = 0,
        acknowledged: [Acknowledgement] = [],
        reruns: [Rerun] = [], replaced: [FlowID] = [], after: [FlowID] = [], pauses: [Pause] = []
    ) {
        self.deltaColumn = deltaColumn
        self.overlap = overlap
        self.retries = retries
        self.order = order
        self.runsPerDay = runsPerDay
        self.priority = priority
        self.acknowledged = acknowledged
        self.reruns = reruns
        self.replaced = replaced
        self.after = after
        self.pauses = pauses
    }

    /// The active pause that ends last; `nil` when none is active.
    package func pause(at time: Timestamp) -> Pause? { pauses.last(endingAfter: time) }

    package init(_ declaration: FlowDeclaration) {
        self.init(
            deltaColumn: declaration.deltaColumn, overlap: declaration.overlap, retries: declaration.retries,
            order: declaration.order, runsPerDay: declaration.runsPerDay, priority: declaration.priority,
            acknowledged: declaration.acknowledged,
            // However the manifest was read, in the order of the file.
            reruns: declaration.reruns.sorted { $0.place < $1.place }, replaced: declaration.replaced,
            after: declaration.predecessors, pauses: declaration.pauses)
    }
}

/// A desired window that is not asked for yet.
package struct HeldWindow: Hashable, Sendable {
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        /// Something must be found out first.
        case doubt
        /// A run of the window is in doubt on a flow that this one replaces. Only the window waits, not the flow.
        case replaced
        /// The manifest says so.
        case paused
        /// As many runs as may be requested in a day were requested.
        case dayLimit
        /// As many runs as may be under way are.
        case runningLimit
        /// A flow that this one comes after has not succeeded there.
        case waiting

        /// It is as declared, and nobody has to do anything about it.
        package var isPostponed: Bool {
            switch self {
            case .doubt, .replaced: false
            case .paused, .dayLimit, .runningLimit, .waiting: true
            }
        }
    }

    package let window: Window
    package let cause: Cause
    package let reason: String
    package let place: Place
    /// See ``PlannedAction/timeZone``.
    package let timeZone: String?

    init(_ action: PlannedAction, _ cause: Cause, because reason: String) {
        self.init(
            window: action.window, cause: cause, reason: reason, place: action.place, timeZone: action.timeZone)
    }

    package init(
        window: Window, cause: Cause = .doubt, reason: String, place: Place, timeZone: String? = nil
    ) {
        self.window = window
        self.cause = cause
        self.reason = reason
        self.place = place
        self.timeZone = timeZone
    }
}
