import Manifests

extension FlowDeclaration.Order {
    /// By window; an ordinary run before the reruns of its window.
    package func isSentBefore(_ left: PlannedAction, _ right: PlannedAction) -> Bool {
        guard left.window != right.window else { return left.rerun ?? "" < right.rerun ?? "" }
        return switch self {
        case .oldestFirst: left.window < right.window
        case .newestFirst: right.window < left.window
        }
    }
}

extension [FlowPlan] {
    /// The order in which they are applied: equal ones stay as they are.
    var inOrderOfPriority: [FlowPlan] {
        guard contains(where: { $0.rules.priority != 0 }) else { return self }
        return enumerated().sorted {
            (-$0.element.rules.priority, $0.offset) < (-$1.element.rules.priority, $1.offset)
        }.map(\.element)
    }
}
