import FlowRuns

/// What a change of the manifests does to a plan: the windows and reruns that only one of two plans has, and those that
/// the plans treat differently.
package struct PlanDifference: Hashable, Sendable {
    package struct Flow: Hashable, Sendable {
        /// The flow in the new plan or, if the change removes the flow, in the old one.
        package let flow: FlowPlan
        package let added: [PlannedWindow]
        package let removed: [PlannedWindow]
        package let altered: [Alteration]

        package var isEmpty: Bool { added.isEmpty && removed.isEmpty && altered.isEmpty }
    }

    /// A window that the plans treat differently.
    package struct Alteration: Hashable, Sendable {
        package let old: PlannedWindow
        package let new: PlannedWindow
    }

    /// The revision of the old manifests, as given.
    package let revision: String
    /// The flows that the change affects, in the order of the new plan.
    package let flows: [Flow]
    /// The new plan's counts of what the change does not affect.
    package let others: PlanCounts

    /// Compares two plans that were made at the same instant from the same ledger.
    package init(of new: Plan, from old: Plan, revision: String) {
        self.revision = revision
        let olds = Dictionary(old.flows.map { ($0.id, $0) }) { first, _ in first }
        let ids = Set(new.flows.map(\.id))
        var flows: [Flow] = []
        var others = PlanCounts()
        for flow in new.flows {
            let before = olds[flow.id]?.plannedWindows ?? [:]
            let after = flow.plannedWindows
            var (added, altered): ([PlannedWindow], [Alteration]) = ([], [])
            for (key, item) in after {
                guard let earlier = before[key] else {
                    added.append(item)
                    continue
                }
                if item.isSame(as: earlier) {
                    others.add(item)
                } else {
                    altered.append(Alteration(old: earlier, new: item))
                }
            }
            let removed = before.filter { after[$0.key] == nil }.map(\.value)
            let difference = Flow(
                flow: flow, added: added.sorted(), removed: removed.sorted(),
                altered: altered.sorted { $0.new < $1.new })
            if !difference.isEmpty { flows.append(difference) }
        }
        for flow in old.flows where !ids.contains(flow.id) {
            let removed = flow.plannedWindows.values.sorted()
            if !removed.isEmpty { flows.append(Flow(flow: flow, added: [], removed: removed, altered: [])) }
        }
        self.flows = flows
        self.others = others
    }
}

/// A window or rerun in a plan: a request, or a held window.
package enum PlannedWindow: Hashable, Sendable, Comparable {
    case request(PlannedAction)
    case held(HeldWindow)

    package var window: Window {
        switch self {
        case .request(let action): action.window
        case .held(let held): held.window
        }
    }

    package static func < (left: PlannedWindow, right: PlannedWindow) -> Bool { left.window < right.window }

    /// Whether both are requested in the same way, or held for the same reason. Limits do not count: windows of other
    /// flows can take the place of this one.
    fileprivate func isSame(as other: PlannedWindow) -> Bool {
        switch (self, other) {
        case (.request(let left), .request(let right)): left.kind == right.kind && left.deltaColumn == right.deltaColumn
        case (.held(let left), .held(let right)):
            left.cause.isLimit && right.cause.isLimit || left.reason == right.reason
        case (.held(let held), .request), (.request, .held(let held)): held.cause.isLimit
        }
    }
}

extension HeldWindow.Cause {
    fileprivate var isLimit: Bool { self == .dayLimit || self == .runningLimit }
}

extension FlowPlan {
    fileprivate var plannedWindows: [RunKey: PlannedWindow] {
        var windows: [RunKey: PlannedWindow] = [:]
        for held in held { windows[RunKey(flow: id, window: held.window)] = .held(held) }
        for action in actions { windows[action.key(in: id)] = .request(action) }
        return windows
    }
}

extension PlanCounts {
    fileprivate mutating func add(_ item: PlannedWindow) {
        switch item {
        case .request(let action): add(action)
        case .held(let held): add(held)
        }
    }
}
