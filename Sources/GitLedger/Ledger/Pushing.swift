import FlowRuns
import Foundation
import Ledger
import SQLiteLedger

/// A queued commit, with the continuation of its caller.
struct WaitingCommit: Sendable {
    let commit: FlowCommit
    let since: ContinuousClock.Instant
    let answer: CheckedContinuation<Result<CommitResult, LedgerError>, Never>
}

/// A Git commit that was created for a queued commit and can be pushed repeatedly.
struct CreatedCommit: Sendable {
    let flow: FlowID
    let commit: CommitID
    let change: RefChange
    /// The change to the local index.
    let update: LedgerIndex.Update
}

extension GitLedger {
    /// The maximum number of pushes of a commit before its result is reported as unknown.
    private static let maxPushes = 4
    /// The maximum number of changed rows in a push, if a single commit has no more.
    private static let maxRowsPerPush = 20_000
    private static let maxRefsPerPush = 200

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

    package func add(_ flows: [NewFlow]) async throws(LedgerError) {
        let failure = await withTaskGroup(of: LedgerError?.self) { group in
            for flow in flows {
                group.addTask {
                    do throws(LedgerError) {
                        return try await self.commit(flow.commit()) == .done ? nil : flow.changed
                    } catch { return error }
                }
            }
            var failure: LedgerError?
            for await error in group { failure = failure ?? error }
            return failure
        }
        if let failure { throw failure }
    }

    /// Pushes until the queue is empty. Commits that arrive during a push or during a pause for the push rate go out
    /// with the next push.
    private func pushAll() async {
        while !waiting.isEmpty {
            do throws(LedgerError) {
                let session = try await session()
                try await refresh(since: readAt ?? .now)
                try await probe(session)
                await waitForPushRate(session)
                await push(nextBatch(), session)
            } catch {
                for waiting in nextBatch() { waiting.answer.resume(returning: .failure(error)) }
            }
        }
        isPushing = false
    }

    /// Removes the oldest commit of each flow from the queue, up to the maximum size of a push.
    private func nextBatch() -> [WaitingCommit] {
        var flows: Set<FlowID> = []
        var (batch, others): ([WaitingCommit], [WaitingCommit]) = ([], [])
        var rows = 0
        for next in waiting {
            let count = next.commit.changes.count
            let fits = batch.isEmpty || (rows + count <= Self.maxRowsPerPush && batch.count < Self.maxRefsPerPush)
            if fits, flows.insert(next.commit.record.id).inserted {
                batch.append(next)
                rows += count
            } else {
                others.append(next)
            }
        }
        waiting = others
        return batch
    }

    func waitForPushRate(_ session: Session) async {
        if let limit = session.remote.pushesPerMinute, limit > 0, let lastPush {
            let wait = lastPush + .seconds(60) / limit - .now
            if wait > .zero { await uncancellableSleep(wait) }
        }
        lastPush = .now
    }

    private func push(_ batch: [WaitingCommit], _ session: Session) async {
        let prepared = await prepare(batch, session)
        var created: [String: CreatedCommit] = [:]
        for (waiting, prepared) in zip(batch, prepared) {
            switch prepared {
            case .success(.created(let commit)): created[waiting.nonce] = commit
            case .success(.answered(let result)): waiting.answer.resume(returning: .success(result))
            case .failure(let error): waiting.answer.resume(returning: .failure(error))
            }
        }
        let results = await push(created, session)
        for waiting in batch {
            if let result = results[waiting.nonce] { waiting.answer.resume(returning: result) }
        }
    }

    // MARK: Results of pushes

    /// Pushes Git commits, with retries.
    ///
    /// - Returns: The result of each commit, by nonce.
    private func push(
        _ created: [String: CreatedCommit], _ session: Session
    ) async -> [String: Result<CommitResult, LedgerError>] {
        var open = created
        var results: [String: Result<CommitResult, LedgerError>] = [:]
        var lastError = RemoteError.unreachable("it does not answer")
        let wasReplaced = replacing != nil
        var isRetry = false
        func end(_ nonce: String, _ result: Result<CommitResult, LedgerError>) {
            open[nonce] = nil
            unanswered[nonce] = nil
            results[nonce] = result
        }
        for attempt in 0..<Self.maxPushes where !open.isEmpty && (replacing != nil) == wasReplaced {
            if attempt > 0 {
                await uncancellableSleep(.milliseconds(200 << attempt))
                await waitForPushRate(session)
            }
            do throws(LedgerError) {
                let report = try await session.cache.push(open.values.map(\.change))
                lastError = report.error
                let accepted = open.filter { report.accepted.contains($0.value.change) }
                await recordAccepted(accepted.values.map(\.self), session)
                for nonce in accepted.keys { end(nonce, .success(.done)) }
                guard !open.isEmpty else { break }
                // The errors of a push are no proof: the refs show which updates were accepted.
                try await refresh(since: .now)
                for (nonce, commit) in open {
                    if let result = try await verdict(on: commit, session) { end(nonce, .success(result)) }
                }
                guard !open.isEmpty else { break }
                switch lastError {
                case .unreachable: continue
                case .rejected where !isRetry, .unclear where !isRetry:
                    isRetry = true
                    continue
                case .unclear(let reason):
                    if try await replaceCopy(ifDamaged: reason) { throw .unanswered(reason) }
                case .refused, .rejected, .damagedCopy: break
                }
                throw lastError.ledgerError(session.remote, isWriting: true)
            } catch .unanswered(let reason) {
                lastError = .unreachable(reason)
            } catch {
                for nonce in open.keys { end(nonce, .failure(error)) }
            }
        }
        for (nonce, commit) in open {
            // A new copy does not contain the commit.
            if (replacing != nil) == wasReplaced { unanswered[nonce] = commit }
            results[nonce] = .failure(lastError.ledgerError(session.remote, isWriting: true))
        }
        return results
    }

    /// Derives the result of a push from the refs just fetched; returns `nil` if the ref is unchanged.
    private func verdict(on created: CreatedCommit, _ session: Session) async throws(LedgerError) -> CommitResult? {
        let now = heads[created.flow.description]
        if now == created.change.old { return nil }
        if let now, try await session.cache.divergent([(old: created.commit, new: now)]).isEmpty {
            if now == created.commit { await recordAccepted([created], session) }
            return .done
        }
        return .conflict
    }

    /// Records that the remote has accepted commits.
    private func recordAccepted(_ created: [CreatedCommit], _ session: Session) async {
        let isIndexed = indexing == nil && indexedVersion == headsVersion
        for created in created {
            let name = created.flow.description
            heads[name] = created.commit
            flowsToRecheck.remove(created.flow)
            session.remembered.remember(created.commit, at: name)
        }
        hasNewObjects = true
        // Otherwise the next read updates the index.
        guard isIndexed else { return }
        let version = headsVersion
        await session.index.apply(created.map(\.update))
        if version == headsVersion { indexedVersion = version }
    }

    // MARK: Git commits

    private enum Prepared {
        case created(CreatedCommit)
        case answered(CommitResult)
    }

    /// Creates the Git commits of a batch. A commit whose earlier push has an unknown result reuses its Git commit.
    ///
    /// - Returns: The Git commit to push or the result that needs no push, in the same order.
    private func prepare(_ batch: [WaitingCommit], _ session: Session) async -> [Result<Prepared, LedgerError>] {
        do throws(LedgerError) {
            var known = try await files(of: batch.map(\.commit), session)
            let stale = zip(batch, known).compactMap { waiting, files in
                (try? files.get())?.record.revision == waiting.commit.expecting ? nil : waiting.since
            }
            if let newest = stale.max() {
                try await refresh(since: newest)
                known = try await files(of: batch.map(\.commit), session)
            }
            var results: [Result<Prepared, LedgerError>] = []
            var drafts: [(place: Int, commit: NewCommit, runs: [LedgerEntry])] = []
            for (waiting, files) in zip(batch, known) {
                let (place, commit) = (results.count, waiting.commit)
                do throws(LedgerError) {
                    let files = try files.get()
                    if files.record.revision == commit.record.revision {
                        results.append(.success(.answered(.done)))
                    } else if let created = unanswered[waiting.nonce] {
                        results.append(.success(.created(created)))
                    } else if files.record.revision != commit.expecting {
                        results.append(.success(.answered(.conflict)))
                    } else {
                        let (contents, runs) = try files.changed(
                            by: commit, besides: try await rowsToRespect(by: commit, at: files.parent), target: target)
                        let new = NewCommit(
                            parent: files.parent, message: CommitMessage(commit).text, files: contents)
                        drafts.append((place, new, runs))
                        results.append(.success(.answered(.conflict)))
                    }
                } catch {
                    // The change may be wrong because the index is: read the flow again.
                    await session.index.remove([commit.record.id])
                    indexedVersion = nil
                    results.append(.failure(error))
                }
            }
            for (draft, id) in zip(drafts, try await session.cache.createCommits(drafts.map(\.commit))) {
                let record = batch[draft.place].commit.record
                let change = RefChange(ref: "\(prefix)/\(record.id)", old: draft.commit.parent, new: id)
                let spans = try draft.commit.files.keys.filter { $0.hasPrefix("runs/") }
                    .map { (path) throws(LedgerError) in try FlowFiles.span(of: path, place: "") }
                let update = LedgerIndex.Update(
                    record: record, from: change.old?.description, to: id.description, replacing: spans,
                    entries: draft.runs)
                results[draft.place] = .success(
                    .created(CreatedCommit(flow: record.id, commit: id, change: change, update: update)))
            }
            return results
        } catch {
            return batch.map { _ in .failure(error) }
        }
    }

    private func files(
        of commits: [FlowCommit], _ session: Session
    ) async throws(LedgerError) -> [Result<FlowFiles, LedgerError>] {
        try await fromCopy { () async throws(LedgerError) in
            try await FlowFiles.read(
                commits.map { (commit: $0, head: heads[$0.record.id.description]) }, from: session.cache)
        }
    }

    /// Returns the rows of the flow that the commit must not contradict, and rejects run IDs of other flows.
    ///
    /// The check of run IDs covers the state that was fetched last, because refs are updated independently of each other.
    private func rowsToRespect(by commit: FlowCommit, at parent: CommitID?) async throws(LedgerError) -> [LedgerEntry] {
        let runs = commit.changes.compactMap { change -> RunID? in
            switch change {
            case .insert(let entry): entry.run.id
            case .update(_, .outcome(.accepted(let run, _)), _): run
            case .update, .remove: nil
            }
        }
        let rows = try await fromIndex {
            await $0.rows(openIn: commit.record.id, version: parent?.description, orOf: runs)
        }
        if let other = rows.first(where: { $0.run.flow != commit.record.id })?.run, let id = other.id {
            throw .runIDOfAnotherFlow("run \(id) is recorded under flow \(other.flow)")
        }
        return rows
    }
}

extension WaitingCommit {
    /// Flows of an old ledger that is copied have the same empty token.
    fileprivate var nonce: String { "\(commit.record.id) \(commit.record.revision.token)" }
}
