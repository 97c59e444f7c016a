import FlowRuns

extension LedgerStore {
    /// Marks flows for a comparison with the service before their next request, because the ledger may be outdated. A
    /// flow that the ledger does not contain is added.
    ///
    /// - Parameters:
    ///   - flows: the IDs of the flows.
    ///   - nonce: returns a new random text for each commit.
    /// - Throws: ``LedgerError`` when the store cannot be read or written.
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
