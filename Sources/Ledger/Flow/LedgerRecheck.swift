import FlowRuns

extension LedgerStore {
    /// The ledger may be an older one: each of the flows is waited for and compared with the service before its next
    /// request, also one that the ledger does not know.
    package func requireRecheck(of flows: [FlowID], nonce: () -> String) async throws(LedgerError) {
        for flow in flows {
            var result = CommitResult.conflict
            while result == .conflict {
                var ledger = FlowLedger(try await snapshot(of: flow))
                ledger.amend { $0.needsRecheck = true }
                // Also where it was required before: a wait that began before now is not enough.
                result = try await commit(ledger.commit(nonce: nonce()))
            }
        }
    }
}
