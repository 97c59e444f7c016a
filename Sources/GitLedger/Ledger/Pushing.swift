import FlowRuns
import Foundation
import Ledger
import Text

/// A queued commit, with the continuation of its caller.
struct WaitingCommit: Sendable {
    let commit: FlowCommit
    let since: ContinuousClock.Instant
    let answer: CheckedContinuation<Result<CommitResult, LedgerError>, Never>
}

/// A Git commit that was created for a queued commit and can be pushed repeatedly.
struct MadeCommit: Sendable {
    let flow: FlowID
    let old: CommitID?
    let commit: CommitID
    let files: FlowFiles
    let change: RefChange
}

extension GitLedger {
    /// The maximum number of pushes of a commit before its result is reported as unknown.
    private static let mostPushes = 4

    package func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        guard mode == .readWrite else { throw .unusable("the ledger was opened for reading only") }
        let result = await withCheckedContinuation { answer in
            waiting.append(WaitingCommit(commit: commit, since: .now, answer: answer))
            guard !isPushing else { return }
            isPushing = true
            Task { await pushAll() }
        }
        return try result.get()
    }

    /// Pushes until the queue is empty. Commits that arrive during a push or during a pause for the push rate go out
    /// with the next push.
    private func pushAll() async {
        while !waiting.isEmpty {
            do throws(LedgerError) {
                let session = try await session()
                try await refresh(since: readAt ?? .now)
                try await probe(session)
                await waitForTurn(session)
                await push(nextBatch(), session)
            } catch {
                for waiting in nextBatch() { waiting.answer.resume(returning: .failure(error)) }
            }
        }
        isPushing = false
    }

    /// Removes the oldest commit of each flow from the queue.
    private func nextBatch() -> [WaitingCommit] {
        var flows: Set<FlowID> = []
        let batch = waiting.filter { flows.insert($0.commit.record.id).inserted }
        flows = []
        waiting.removeAll { flows.insert($0.commit.record.id).inserted }
        return batch
    }

    func waitForTurn(_ session: Session) async {
        if let limit = session.remote.pushesPerMinute, limit > 0, let lastPush {
            let wait = lastPush + .seconds(60) / limit - .now
            if wait > .zero { await sleepWhatever(wait) }
        }
        lastPush = .now
    }

    private func push(_ batch: [WaitingCommit], _ session: Session) async {
        var made: [String: MadeCommit] = [:]
        let prepared = await prepare(batch, session)
        for waiting in batch {
            let nonce = waiting.commit.record.revision.token
            switch prepared[nonce] {
            case .success(.made(let commit)): made[nonce] = commit
            case .success(.answered(let result)): waiting.answer.resume(returning: .success(result))
            case .failure(let error): waiting.answer.resume(returning: .failure(error))
            case nil: waiting.answer.resume(returning: .failure(.unusable("the commit was not made")))
            }
        }
        let results = await push(made, session)
        for waiting in batch {
            if let result = results[waiting.commit.record.revision.token] { waiting.answer.resume(returning: result) }
        }
    }

    // MARK: Results of pushes

    /// Pushes Git commits, with retries.
    ///
    /// - Returns: The result of each commit, by nonce.
    private func push(
        _ made: [String: MadeCommit], _ session: Session
    ) async -> [String: Result<CommitResult, LedgerError>] {
        var open = made
        var results: [String: Result<CommitResult, LedgerError>] = [:]
        var trouble = RemoteError.unreachable("it does not answer")
        func end(_ nonce: String, _ result: Result<CommitResult, LedgerError>) {
            open[nonce] = nil
            unanswered[nonce] = nil
            results[nonce] = result
        }
        for attempt in 0..<Self.mostPushes where !open.isEmpty {
            if attempt > 0 {
                await sleepWhatever(.milliseconds(200 << attempt))
                await waitForTurn(session)
            }
            do throws(LedgerError) {
                let report = try await session.cache.push(open.values.map(\.change))
                trouble = report.trouble
                for (nonce, commit) in open where report.taken.contains(commit.change) {
                    note(commit, session)
                    end(nonce, .success(.done))
                }
                guard !open.isEmpty else { break }
                // The errors of a push are no proof: the refs show which updates were accepted.
                try await refresh(since: .now)
                for (nonce, commit) in open {
                    if let result = try await verdict(on: commit, trouble, session) { end(nonce, result) }
                }
            } catch .unanswered(let reason) {
                trouble = .unreachable(reason)
            } catch {
                for nonce in open.keys { end(nonce, .failure(error)) }
            }
        }
        for (nonce, commit) in open {
            unanswered[nonce] = commit
            results[nonce] = .failure(trouble.ledgerError(session.remote, isWriting: true))
        }
        return results
    }

    /// Derives the result of a push from the refs just fetched; returns `nil` if the result is still unknown.
    private func verdict(
        on made: MadeCommit, _ trouble: RemoteError, _ session: Session
    ) async throws(LedgerError) -> Result<CommitResult, LedgerError>? {
        let now = heads[made.flow.description]
        if now == made.old {
            if case .refused = trouble { return .failure(trouble.ledgerError(session.remote, isWriting: true)) }
            return nil
        }
        if let now, try await session.cache.isAncestor(made.commit, of: now) {
            if now == made.commit { note(made, session) }
            return .success(.done)
        }
        return .success(.conflict)
    }

    // MARK: Git commits

    private enum Prepared {
        case made(MadeCommit)
        case answered(CommitResult)
    }

    /// Creates the Git commits of a batch. A commit whose earlier push has an unknown result reuses its Git commit.
    ///
    /// - Returns: The Git commit to push or the result that needs no push, by nonce.
    private func prepare(
        _ batch: [WaitingCommit], _ session: Session
    ) async -> [String: Result<Prepared, LedgerError>] {
        var results: [String: Result<Prepared, LedgerError>] = [:]
        var drafts: [(nonce: String, commit: FlowCommit, old: CommitID?, files: FlowFiles, new: NewCommit)] = []
        for waiting in batch {
            let commit = waiting.commit
            let nonce = commit.record.revision.token
            if let made = unanswered[nonce] {
                results[nonce] = .success(.made(made))
                continue
            }
            do throws(LedgerError) {
                var known = try await files(of: commit.record.id)
                if known.record.revision != commit.expecting {
                    try await refresh(since: waiting.since)
                    known = try await files(of: commit.record.id)
                }
                if known.record.revision == commit.record.revision {
                    results[nonce] = .success(.answered(.done))
                } else if known.record.revision != commit.expecting {
                    results[nonce] = .success(.answered(.conflict))
                } else {
                    let (files, changes) = try known.changed(by: commit, target: target)
                    try await refuseRunsOfOthers(commit, session)
                    let new = NewCommit(
                        name: commit.record.id.description, parent: known.commit, message: CommitMessage(commit).text,
                        files: changes)
                    drafts.append((nonce, commit, known.commit, files, new))
                }
            } catch { results[nonce] = .failure(error) }
        }
        guard !drafts.isEmpty else { return results }
        do throws(LedgerError) {
            let ids = try await session.cache.make(drafts.map(\.new))
            for (draft, id) in zip(drafts, ids) {
                let flow = draft.commit.record.id
                let change = RefChange(ref: "\(prefix)/\(flow)", old: draft.old, new: id)
                results[draft.nonce] = .success(
                    .made(
                        MadeCommit(
                            flow: flow, old: draft.old, commit: id, files: draft.files.committed(as: id),
                            change: change)))
            }
        } catch { for draft in drafts { results[draft.nonce] = .failure(error) } }
        return results
    }

    /// Rejects run IDs that are recorded for another flow.
    ///
    /// The check covers only the state that was fetched last, because refs are updated independently of each other.
    private func refuseRunsOfOthers(_ commit: FlowCommit, _ session: Session) async throws(LedgerError) {
        let runs = commit.changes.compactMap { change -> RunID? in
            switch change {
            case .insert(let entry): entry.run.id
            case .update(_, .outcome(.accepted(let run, _)), _): run
            case .update, .remove: nil
            }
        }
        let others = heads.filter { $0.key != commit.record.id.description && FlowID($0.key) != nil }
        guard !runs.isEmpty, !others.isEmpty else { return }
        let texts = runs.map { run in
            var member = JSONText()
            member.object { $0.member("run", run.description) }
            return String(member.text.dropFirst().dropLast())
        }
        guard try await session.cache.contain(texts, in: others.map(\.value)) else { return }
        for name in others.keys.compactMap({ FlowID($0) }).sorted() {
            let taken = try await files(of: name).entries.first { $0.run.id.map(runs.contains) ?? false }
            if let id = taken?.run.id { throw .runIDOfAnotherFlow("run \(id) is recorded under flow \(name)") }
        }
    }
}
