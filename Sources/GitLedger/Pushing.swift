import FlowRuns
import Foundation
import Ledger
import SQLiteLedger

/// A queued commit, with the continuation of its caller.
struct WaitingCommit: Sendable {
    let commit: FlowCommit
    let since: ContinuousClock.Instant
    let answer: CheckedContinuation<Result<CommitResult, LedgerError>, Never>

    var flow: FlowID { commit.record.id }
    /// Flows of an old ledger that is copied have the same empty token.
    var nonce: String { "\(flow) \(commit.record.revision.token)" }
}

/// A Git commit that was created for a queued commit and can be pushed repeatedly.
struct CreatedCommit: Sendable {
    let change: RefChange
    /// The change to the local index.
    let update: LedgerIndex.Update
    var flow: FlowID { update.record.id }
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
        var result = Result<Void, LedgerError>.success(())
        await withTaskGroup(of: Result<Void, LedgerError>.self) { group in
            for flow in flows {
                group.addTask {
                    await Result { () async throws(LedgerError) in
                        guard try await self.commit(flow.commit()) == .done else { throw flow.changed }
                    }
                }
            }
            for await next in group { if case .success = result { result = next } }
        }
        try result.get()
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
                let batch = nextBatch()
                let results = await push(batch, session)
                for waiting in batch {
                    if let result = results[waiting.nonce] { waiting.answer.resume(returning: result) }
                }
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
            if fits, flows.insert(next.flow).inserted {
                batch.append(next)
                rows += count
            } else {
                others.append(next)
            }
        }
        waiting = others
        return batch
    }

    private func waitForPushRate(_ session: Session) async {
        if let limit = session.remote.pushesPerMinute, limit > 0, let lastPush {
            let wait = lastPush + .seconds(60) / limit - .now
            if wait > .zero { await uncancellableSleep(wait) }
        }
        lastPush = .now
    }

    /// Pushes commits, with retries.
    ///
    /// - Returns: The result of each commit, by nonce.
    private func push(
        _ batch: [WaitingCommit], _ session: Session
    ) async -> [String: Result<CommitResult, LedgerError>] {
        var results: [String: Result<CommitResult, LedgerError>] = [:]
        var open: [String: CreatedCommit] = [:]
        var lastError = RemoteError.unreachable("it does not answer")
        let wasReplaced = hasReplacedCopy
        var isRetry = false
        func end(_ nonce: String, _ result: Result<CommitResult, LedgerError>) {
            open[nonce] = nil
            unanswered[nonce] = nil
            results[nonce] = result
        }
        do throws(LedgerError) { (open, results) = try await prepare(batch, session) } catch {
            for waiting in batch { results[waiting.nonce] = .failure(error) }
        }
        for attempt in 0..<Self.maxPushes where !open.isEmpty && hasReplacedCopy == wasReplaced {
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
                case .refused, .rejected: break
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
            if hasReplacedCopy == wasReplaced { unanswered[nonce] = commit }
            results[nonce] = .failure(lastError.ledgerError(session.remote, isWriting: true))
        }
        return results
    }

    /// Derives the result of a push from the refs just fetched; returns `nil` if the ref is unchanged.
    private func verdict(on created: CreatedCommit, _ session: Session) async throws(LedgerError) -> CommitResult? {
        let now = heads[created.flow]
        if now == created.change.old { return nil }
        let isContained = try await session.cache.diverged([created.flow: created.change.new], in: heads).isEmpty
        if now == created.change.new { await recordAccepted([created], session) }
        return isContained ? .done : .conflict
    }

    // MARK: Git commits

    /// Creates the Git commits of a batch. A commit whose earlier push has an unknown result reuses its Git commit.
    ///
    /// - Returns: The Git commits to push and the results that need no push, by nonce.
    private func prepare(
        _ batch: [WaitingCommit], _ session: Session
    ) async throws(LedgerError) -> (
        created: [String: CreatedCommit], results: [String: Result<CommitResult, LedgerError>]
    ) {
        var files = try await files(of: batch, session)
        let stale = batch.filter { (try? files[$0.flow]?.get())?.record.revision != $0.commit.expecting }
        if let newest = stale.map(\.since).max() {
            try await refresh(since: newest)
            files = try await self.files(of: batch, session)
        }
        var created: [String: CreatedCommit] = [:]
        var results: [String: Result<CommitResult, LedgerError>] = [:]
        var drafts: [(waiting: WaitingCommit, commit: NewCommit, runs: [String: [LedgerEntry]])] = []
        for waiting in batch {
            let commit = waiting.commit
            do throws(LedgerError) {
                guard let files = try files[waiting.flow]?.get() else { continue }
                if files.record.revision == commit.record.revision {
                    results[waiting.nonce] = .success(.done)
                } else if let known = unanswered[waiting.nonce] {
                    created[waiting.nonce] = known
                } else if files.record.revision != commit.expecting {
                    results[waiting.nonce] = .success(.conflict)
                } else {
                    let others = try await rowsToRespect(by: commit, at: files.commit)
                    let (contents, runs) = try files.changed(by: commit, besides: others, target: target)
                    let new = NewCommit(parent: files.commit, message: commit.message, files: contents)
                    drafts.append((waiting, new, runs))
                }
            } catch {
                // The change may be wrong because the index is: read the flow again.
                await session.index.remove([waiting.flow])
                indexedHeads = nil
                results[waiting.nonce] = .failure(error)
            }
        }
        for (draft, id) in zip(drafts, try await session.cache.createCommits(drafts.map(\.commit))) {
            let (record, parent) = (draft.waiting.commit.record, draft.commit.parent)
            created[draft.waiting.nonce] = CreatedCommit(
                change: RefChange(ref: "\(prefix)/\(record.id)", old: parent, new: id),
                update: LedgerIndex.Update(
                    record: record, from: parent?.description, to: id.description,
                    replacing: try FlowFiles.spans(of: draft.runs.keys), entries: draft.runs.values.flatMap(\.self)))
        }
        return (created, results)
    }

    /// Reads the files that commits change, at the fetched heads. The local index plays no part in it: what is written
    /// depends only on the commit that the push names.
    ///
    /// - Returns: The files, or the reason why the flow is not a valid ledger.
    private func files(
        of batch: [WaitingCommit], _ session: Session
    ) async throws(LedgerError) -> [FlowID: Result<FlowFiles, LedgerError>] {
        try await fromCopy { () async throws(LedgerError) in
            var files: [FlowID: Result<FlowFiles, LedgerError>] = [:]
            for waiting in batch { files[waiting.flow] = .success(FlowFiles(of: waiting.flow)) }
            let known = batch.filter { heads[$0.flow] != nil }
            let pairs = known.compactMap { waiting in heads[waiting.flow].map { (old: CommitID?.none, new: $0) } }
            let differences = try await session.cache.differences(pairs)
            let requests = zip(known, differences).map { waiting, difference in
                var difference = difference
                let paths = waiting.commit.runPaths.union([FlowFiles.ledgerPath, FlowFiles.recordPath])
                difference.files.removeAll { !paths.contains($0.path) }
                return FlowFiles.Request(flow: waiting.flow, difference: difference)
            }
            let read = try await FlowFiles.read(requests, from: session.cache, target: target, checksForm: true)
            for (request, result) in zip(requests, read) { files[request.flow] = result }
            return files
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
