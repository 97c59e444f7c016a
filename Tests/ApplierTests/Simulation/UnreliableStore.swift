import FlowRuns
import Ledger

/// The ledger as a process sees it that may die or be stopped at every step, over a connection that loses answers.
struct UnreliableStore: LedgerStore {
    let process: SimulatedProcess

    private var store: InMemoryStore { InMemoryStore(process.contents) }
    var isShared: Bool { process.limits.isShared || process.usesSharedAddress }
    var isCommitCostly: Bool { process.limits.isCommitCostly }

    private func alive() throws(LedgerError) {
        guard process.isAlive else { throw .unusable("the process is dead") }
    }

    func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        await process.step()
        try alive()
        let snapshot = try await store.snapshot(of: flow)
        await process.step()
        try alive()
        return snapshot
    }

    /// Where the answer is lost, the commit may be carried out all the same, now or much later.
    func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        await process.step()
        try alive()
        if commit.hasClaim, process.canBeReplaced, process.machine.contents !== process.contents {
            throw .replaced("simulated")
        }
        // A commit may arrive when the process that decided on it has learnt more, or is dead.
        let isUnsure = counted(for: commit.record.id).contains(where: process.isUnsure)
        if process.strikes(process.misfortunes.store) {
            let arrival = process.random.happens(0.3) ? nil : process.random.seconds(0, 1, 4, 30, 100)
            if let arrival { process.time.after(arrival) { _ = try? carryOut(commit, isUnsure: isUnsure) } }
            await process.time.sleep(.seconds(5))
            try alive()
            throw .unanswered("time-out")
        }
        await process.delay(0.1, 0.1, 0.1, 1, 3)
        let result = try carryOut(commit, isUnsure: isUnsure)
        if result == .conflict, commit.hasClaim { counted(for: commit.record.id).forEach(process.noteUnsure) }
        await process.step()
        try alive()
        return result
    }

    /// Makes the commit, and watches over what it says.
    ///
    /// - Parameter isUnsure: whether the process had not compared the flow with the service when it decided.
    private func carryOut(_ commit: FlowCommit, isUnsure: Bool) throws(LedgerError) -> CommitResult {
        let flow = commit.record.id
        let before = try store.snapshot(of: flow)
        let result = try store.commit(commit)
        guard result == .done, before.record.revision != commit.record.revision else { return result }
        if before.record.revision != commit.expecting {
            process.service.violate("commit-on-another-revision: \(commit.expecting), not \(before.record.revision)")
        }
        let after = try store.snapshot(of: flow)
        process.trace("commits \(commit.changes)")
        process.onCommit()
        for change in commit.changes {
            switch change {
            case .insert(let entry) where entry.run.state == .intended:
                guard let claim = entry.run.claim?.id, let window = entry.run.window else { continue }
                if isUnsure {
                    process.service.violate("claim-without-look: \(claim), \(window)")
                }
                process.noteClaim(claim, of: flow)
                process.service.watchClaim(
                    claim, flow, window, manifestTime: process.manifestTime, told: process.told, looks: process.look)
            case .update(let identity, .outcome(.released), _):
                guard let run = before.runs.first(where: { $0.identity == identity }), let claim = run.claim?.id,
                    let window = run.window
                else { continue }
                process.service.watchRelease(
                    ClaimedWindow(claim: claim, window: window),
                    recorded: Set(after.runs.compactMap(\.id?.description)))
                if let time = run.claim?.time, process.isClaimPassedOver(flow, madeAt: time) {
                    process.service.violate("released-by-part-of-a-listing: \(claim), \(window)")
                }
            case .insert, .update, .remove: continue
            }
        }
        for run in before.runs {
            guard let id = run.id, let window = run.window else { continue }
            let isKept = after.runs.contains { $0.id == id && $0.window == window }
            if !isKept, process.service.runs.contains(where: { $0.id == id.description && $0.window == window }) {
                process.service.violate("row-lost: \(id), \(window)")
            }
        }
        let open = Set(after.runs.filter(\.state.isDoubtful).compactMap(\.claim?.id))
        if open.count > 1 { process.service.violate("two-open-claims: \(open)") }
        return result
    }

    /// The flow, and the one that it replaces.
    private func counted(for flow: FlowID) -> [FlowID] {
        process.service.manifest.flow(flow)?.counted ?? [flow]
    }

    func flows() async throws(LedgerError) -> [FlowRecord] { try store.flows() }
    func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries { try await store.entries(of: flow) }
    func damage() async throws(LedgerError) -> [String] { [] }
    func close() async {}
}
