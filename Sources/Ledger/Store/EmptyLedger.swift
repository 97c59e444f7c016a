import FlowRuns

/// An empty, read-only ledger, used where no ledger has been created yet.
package struct EmptyLedger: LedgerStore {
    private let path: String

    /// - Parameter path: the path at which the ledger would be created.
    package init(path: String) { self.path = path }

    package func snapshot(of flow: FlowID) -> FlowSnapshot { FlowSnapshot(record: FlowRecord(id: flow), runs: []) }

    package func commit(_ commit: FlowCommit) throws(LedgerError) -> CommitResult {
        throw .unusable("\(path) was opened for reading only")
    }

    package func flows() -> [FlowRecord] { [] }

    package func entries(of flow: FlowID) -> FlowEntries { FlowEntries(record: FlowRecord(id: flow), entries: []) }

    package func damage() -> [String] { [] }

    package func close() {}
}
