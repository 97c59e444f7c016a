import Applier
import Ledger

/// How the program ends; the numbers are those of `sysexits.h` where there is one.
enum ExitStatus: Int32 {
    case done = 0
    case incomplete = 1
    case changesPending = 2
    case usage = 64
    case invalid = 65
    case unavailable = 69
    case fileError = 74
    case tryLater = 75
    case unauthorized = 77
    case configuration = 78

    /// What an apply's outcome means for the program's end; the gravest of its flows decides. Flows that were merely
    /// stopped, by a signal or by another's fault, decide only where there is no fault.
    init(_ outcome: ApplyOutcome) {
        let worstFirst: [ExitStatus] = [
            .unauthorized, .fileError, .invalid, .unavailable, .incomplete, .tryLater,
        ]
        let found = Set(outcome.flows.lazy.map(\.end).filter { $0 != .stopped }.map { ExitStatus($0) })
        let isStopped = outcome.flows.contains { $0.end == .stopped }
        self = worstFirst.first(where: found.contains) ?? (isStopped ? .incomplete : .done)
    }

    /// A run that failed is worse than one that is still under way.
    init(_ outcome: WaitOutcome) {
        self = outcome.failed > 0 ? .incomplete : outcome.running > 0 ? .tryLater : .done
    }

    private init(_ end: FlowEnd) {
        self =
            switch end {
            case .done: .done
            case .stale, .held, .ledgerFailed(.busy), .ledgerFailed(.unanswered): .tryLater
            case .conflict: .invalid
            case .refused, .stopped, .unfit, .unreadable: .incomplete
            case .unavailable: .unavailable
            case .unauthorized: .unauthorized
            case .ledgerFailed: .fileError
            }
    }
}

/// Why a command ends without having done its work.
struct Failure: Error {
    let status: ExitStatus
    /// Empty when everything has been said already.
    let message: String
    /// A line each, below the message.
    let details: [String]

    init(_ status: ExitStatus, _ message: String = "", details: [String] = []) {
        self.status = status
        self.message = message
        self.details = details
    }
}
