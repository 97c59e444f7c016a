import Applier
import Ledger

/// The exit codes of the program, from `sysexits.h` where it defines one.
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

    /// Converts the outcome of an apply: the most severe end of a flow decides.
    ///
    /// Flows that were merely stopped, by a signal or after an error in another flow, decide only if there is no error.
    init(_ outcome: ApplyOutcome) {
        let worstFirst: [ExitStatus] = [
            .unauthorized, .fileError, .invalid, .unavailable, .incomplete, .tryLater,
        ]
        let statuses = Set(outcome.flows.lazy.map(\.end).filter { $0 != .stopped }.map { ExitStatus($0) })
        let isStopped = outcome.flows.contains { $0.end == .stopped }
        self = worstFirst.first(where: statuses.contains) ?? (isStopped ? .incomplete : .done)
    }

    /// Converts the outcome of a wait: a failed run outranks a running one.
    init(_ outcome: WaitOutcome) {
        self = outcome[.failed] > 0 ? .incomplete : outcome[.running] > 0 ? .tryLater : .done
    }

    /// Converts the end of an apply: that of its last wait, or of its requests.
    init(_ end: ApplyEnd) {
        let status = end.wait.map { ExitStatus($0) } ?? ExitStatus(end.apply)
        self = status == .done && end.anyRunFailed ? .incomplete : status
    }

    private init(_ end: FlowEnd) {
        self =
            switch end {
            case .done: .done
            case .stale, .held, .ledgerFailed(.busy), .ledgerFailed(.unavailable), .ledgerFailed(.unanswered):
                .tryLater
            case .conflict: .invalid
            case .refused, .stopped, .unfit, .unreadable: .incomplete
            case .unavailable: .unavailable
            case .unauthorized: .unauthorized
            case .ledgerFailed: .fileError
            }
    }
}

/// An error that ends a command, with its exit status.
struct Failure: Error {
    let status: ExitStatus
    /// The message; empty if the error has already been printed.
    let message: String
    /// Further lines below the message.
    let details: [String]

    init(_ status: ExitStatus, _ message: String = "", details: [String] = []) {
        self.status = status
        self.message = message
        self.details = details
    }
}
