import Planner

/// The symbol at the beginning of a line in a plan.
enum PlanSymbol: CaseIterable {
    case create, retry, rerun, held, paused, limited, waiting, recorded, undeclared

    init(_ kind: PlanLine.Kind) {
        self =
            switch kind {
            case .create: .create
            case .retry: .retry
            case .rerun: .rerun
            case .held: .held
            case .paused: .paused
            case .limited: .limited
            case .waiting: .waiting
            }
    }

    func painted(_ style: TextStyle) -> StyledText { style.paint(symbol(style), tone) }

    private func symbol(_ style: TextStyle) -> String {
        switch self {
        case .create: "+"
        case .retry: "~"
        case .rerun: style.unicode ? "±" : "&"
        case .held: "!"
        case .paused: "-"
        case .limited: ">"
        case .waiting: "<"
        case .recorded: "="
        case .undeclared: "?"
        }
    }

    var meaning: String {
        switch self {
        case .create: "request"
        case .retry: "retry"
        case .rerun: "rerun"
        case .held: "held"
        case .paused: "paused"
        case .limited: "over a limit"
        case .waiting: "waiting"
        case .recorded: "recorded"
        case .undeclared: "undeclared"
        }
    }

    var tone: TextStyle.Tone {
        switch self {
        case .create: .good
        case .retry: .changed
        case .rerun: .active
        case .held: .error
        case .paused: .warning
        case .limited: .quiet
        case .waiting: .warning
        case .recorded, .undeclared: .quiet
        }
    }

    func count(in counts: PlanCounts) -> Int {
        switch self {
        case .limited: counts.sum(.untilTomorrow, .untilRunsEnd)
        default: PlanCount(rawValue: "\(self)").map { counts[$0] } ?? 0
        }
    }
}
