import Ledger
import Synchronization

/// The queue of this process's commits that wait for the file.
final class WaitingCommits: Sendable {
    typealias Answer = CheckedContinuation<Result<CommitResult, LedgerError>, Never>

    private let waiting = Mutex<[(commit: FlowCommit, answer: Answer)]>([])

    /// Appends a commit to the queue.
    ///
    /// - Returns: `true` if the queue was empty; the caller must then schedule the transaction.
    func add(_ commit: FlowCommit, _ answer: Answer) -> Bool {
        waiting.withLock { waiting in
            waiting.append((commit, answer))
            return waiting.count == 1
        }
    }

    func removeAll() -> [(commit: FlowCommit, answer: Answer)] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
