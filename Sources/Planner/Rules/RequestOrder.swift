import Manifests

extension FlowDeclaration.Order {
    /// Whether `left` is sent before `right`: by window, and the ordinary run before the reruns of its window.
    package func isSentBefore(_ left: PlannedAction, _ right: PlannedAction) -> Bool {
        guard left.window != right.window else { return left.rerun ?? "" < right.rerun ?? "" }
        return switch self {
        case .oldestFirst: left.window < right.window
        case .newestFirst: right.window < left.window
        }
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
