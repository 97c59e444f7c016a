import Ledger
import Synchronization

/// The commits of this process that wait until the file is free.
final class WaitingCommits: Sendable {
    typealias Answer = CheckedContinuation<Result<CommitResult, LedgerError>, Never>

    private let waiting = Mutex<[(commit: FlowCommit, answer: Answer)]>([])

    /// - Returns: whether no other waits: then somebody has to see to it that they are made.
    func add(_ commit: FlowCommit, _ answer: Answer) -> Bool {
        waiting.withLock { waiting in
            waiting.append((commit, answer))
            return waiting.count == 1
        }
    }

    func takeAll() -> [(commit: FlowCommit, answer: Answer)] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
