import FlowRuns
import Manifests

/// The run requests that are missing at one instant, in the order of their flows and windows.
package struct Plan: Hashable, Sendable {
    /// The version of the saved format.
    package static let formatVersion = 1

    /// The instant at which due windows were computed.
    package let asOf: Timestamp
    /// The complete target, so that a saved plan can be applied without its manifests. Contains no secrets.
    package let target: Target
    package let manifests: [FileDigest]
    /// Every declared flow, with or without actions, in the order of applying: by priority, then by name.
    package let flows: [FlowPlan]

    package init(asOf: Timestamp, target: Target, manifests: [FileDigest], flows: [FlowPlan]) {
        self.asOf = asOf
        self.target = target
        self.manifests = manifests
        self.flows = flows.inOrderOfPriority
    }

    /// Returns the plan with additional diagnostics, such as where the service disagrees with a manifest.
    package func adding(_ diagnostics: [FlowID: [Diagnostic]]) -> Plan {
        let flows = flows.map { $0.adding(diagnostics[$0.id] ?? []) }
        return Plan(asOf: asOf, target: target, manifests: manifests, flows: flows)
    }

    /// The number of requests.
    package var requestCount: Int { flows.reduce(0) { $0 + $1.actions.count } }
    /// Whether both plans have exactly the same requests.
    package func hasSameRequests(as other: Plan) -> Bool {
        flows.lazy.filter { !$0.actions.isEmpty }.elementsEqual(other.flows.lazy.filter { !$0.actions.isEmpty }) {
            $0.id == $1.id && $0.actions == $1.actions
        }
    }
    /// Warnings about the plan as a whole rather than about one flow.
    package var ownDiagnostics: [Diagnostic] { excess(over: target.limits.maxRunsPerApply).map { [$0] } ?? [] }
    /// The diagnostics of the plan and of all flows, sorted by position.
    package var diagnostics: [Diagnostic] { (ownDiagnostics + flows.flatMap(\.diagnostics)).sortedByPlace() }
}

/// The part of a plan that concerns one flow.
package struct FlowPlan: Hashable, Sendable {
    package let id: FlowID
    package let name: String?
    package let manifest: String
    package let owner: String?
    package let source: SourceKind
    /// The manifest's rules, against which apply checks the flow's requests once more before sending them.
    package let rules: FlowRules
    /// The position of the flow's declaration.
    package let place: Place
    /// The ledger's revision of the flow on which the plan is based.
    package let revision: Int
    /// Whether the ledger was ever compared with the service for this flow. The comparison at first contact can only
    /// remove requests.
    package let isVerified: Bool
    /// The requests, in the order of sending.
    package internal(set) var actions: PlannedActions
    /// The windows that are held by a doubt or by a run to be acknowledged, or that are postponed.
    package internal(set) var held: [HeldWindow]
    /// The number of desired windows that need no request.
    package let recordedCount: Int
    /// The number of these whose run failed with no retry left.
    package let failedCount: Int
    /// The number of these that a replaced flow has recorded.
    package let replacedCount: Int
    /// The recorded runs that no manifest declares, sorted by start.
    package let undeclared: [RecordedRun]
    /// Pairs of recorded runs that ingested the same time in different windows; of very many, only the first.
    package let ingestedTwice: [OverlappingRuns]
    /// Broken rules (errors) and warnings.
    package internal(set) var diagnostics: [Diagnostic]

    package init(
        id: FlowID, name: String?, manifest: String, owner: String?, source: SourceKind,
        rules: FlowRules = FlowRules(), place: Place, revision: Int, isVerified: Bool, actions: PlannedActions,
        held: [HeldWindow], recordedCount: Int, failedCount: Int = 0, replacedCount: Int = 0, undeclared: [RecordedRun],
        ingestedTwice: [OverlappingRuns] = [], diagnostics: [Diagnostic]
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
        self.ingestedTwice = ingestedTwice
        self.diagnostics = diagnostics
    }
}

extension FlowPlan {
    /// Returns the plan of the flow with additional diagnostics.
    package func adding(_ diagnostics: [Diagnostic]) -> FlowPlan {
        guard !diagnostics.isEmpty else { return self }
        var plan = self
        plan.diagnostics = (plan.diagnostics + diagnostics).sortedByPlace()
        return plan
    }
}

/// The rules of a manifest for a flow, apart from its windows.
package struct FlowRules: Hashable, Sendable {
    package let deltaColumn: DeclaredColumn?
    package let overlap: FlowDeclaration.Overlap
    package let retries: Retries
    package let order: FlowDeclaration.Order
    package let runsPerDay: Int?
    package let priority: Int
    package let acknowledged: [Acknowledgement]
    /// All declared reruns, in the order in which runs from outside this ledger are matched to them.
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

/// A desired window that is not requested yet.
package struct HeldWindow: Hashable, Sendable {
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        /// Something about the flow must be resolved first, such as a request in doubt.
        case doubt
        /// A run of the window is in doubt on a replaced flow. Only the window waits, not the flow.
        case replaced
        /// The manifest pauses the flow.
        case paused
        /// The limit on runs per day is reached.
        case dayLimit
        /// The limit on runs in progress is reached.
        case runningLimit
        /// A flow that this one comes after has not succeeded for the window's time.
        case waiting

        /// Whether the window is held as declared, so that no action is needed.
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
    /// The time zone for display; see ``PlannedAction/timeZone``.
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

/// Two recorded runs of different windows that ingested the same time.
package struct OverlappingRuns: Hashable, Sendable {
    /// Both runs, in window order.
    package let runs: [RecordedRun]
    /// The time that both windows contain.
    package let window: Window

    /// Creates a pair of runs; `nil` if their windows do not overlap.
    package init?(_ first: RecordedRun, _ second: RecordedRun) {
        guard let left = first.window, let right = second.window,
            let window = Window(start: max(left.start, right.start), end: min(left.end, right.end))
        else { return nil }
        runs = [first, second]
        self.window = window
    }
}

extension [FlowPlan] {
    /// The flows in the order of applying: by priority, with equal priorities in the given order.
    var inOrderOfPriority: [FlowPlan] {
        guard contains(where: { $0.rules.priority != 0 }) else { return self }
        return enumerated().sorted {
            (-$0.element.rules.priority, $0.offset) < (-$1.element.rules.priority, $1.offset)
        }.map(\.element)
    }
}
