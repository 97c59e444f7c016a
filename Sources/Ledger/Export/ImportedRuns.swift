import FlowRuns

/// The runs of one flow of a checked export, read a second time.
struct ImportedRuns {
    private let flow: FlowID
    private var lines: ExportLines
    private var remaining: Int

    init(_ flow: LedgerImport.Flow, _ bytes: any ExportBytes) {
        self.flow = flow.record.id
        lines = ExportLines(bytes, from: flow.offset, after: flow.line)
        remaining = flow.runCount
    }

    /// The line number of the last run that was read.
    var line: Int { lines.number }

    /// Returns the next run; `nil` after the last one.
    mutating func next() throws(LedgerImportError) -> LedgerEntry? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let read = try lines.next { [flow] in try? ExportedLine($0.bytes, of: flow) }
        guard case .run(let entry)?? = read, entry.run.flow == flow else {
            throw .unreadable("it changed while it was imported")
        }
        return entry
    }

    /// Returns up to `count` runs; empty after the last one.
    mutating func next(_ count: Int) throws(LedgerImportError) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        entries.reserveCapacity(min(count, remaining))
        while entries.count < count, let entry = try next() { entries.append(entry) }
        return entries
    }
}

/// A comparison of a flow's runs in an export with those in a ledger. Both are in the order of
/// `RunIdentity`.
struct ImportComparison {
    private(set) var record: FlowRecord
    /// Runs that the ledger lacks.
    private(set) var missing: [LedgerEntry] = []
    private(set) var conflicts: LedgerImportError.Lines
    private var runs: ImportedRuns
    private var head: LedgerEntry?
    private var failure: LedgerImportError?

    /// - Parameter conflicts: those of earlier lines.
    init(_ flow: LedgerImport.Flow, _ bytes: any ExportBytes, after conflicts: LedgerImportError.Lines) {
        record = FlowRecord(id: flow.record.id)
        self.conflicts = conflicts
        runs = ImportedRuns(flow, bytes)
        advance()
    }

    /// Merges the next rows of the ledger.
    ///
    /// - Returns: whether to continue; `false` after a read error.
    mutating func merge(_ part: FlowEntries) -> Bool {
        record = part.record
        for entry in part.entries {
            collectMissing { $0.run.identity < entry.run.identity }
            guard let head, head.run.identity == entry.run.identity else { continue }
            if head != entry {
                conflicts.add(runs.line, "the ledger has another record of this run (\(entry.run.state.rawValue))")
            }
            advance()
        }
        return failure == nil
    }

    mutating func finish() throws(LedgerImportError) {
        collectMissing { _ in true }
        if let failure { throw failure }
    }

    private mutating func collectMissing(while isMissing: (LedgerEntry) -> Bool) {
        while let entry = head, isMissing(entry) {
            missing.append(entry)
            advance()
        }
    }

    private mutating func advance() {
        do throws(LedgerImportError) { head = try runs.next() } catch { (head, failure) = (nil, error) }
    }
}
