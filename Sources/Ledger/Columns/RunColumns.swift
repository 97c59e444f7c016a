import FlowRuns

/// The columns of a run, apart from its target and flow. This list is the only one: see ``LedgerColumn``.
///
/// A new column needs a property of ``LedgerEntry``, a line here, a migration in each database, and a description in
/// the JSON Schemas.
package enum RunColumns {
    package static let window: [LedgerColumn<RunRow>] = [
        LedgerColumn("window_start", "window.start", \.windowStart, isRequired: true),
        LedgerColumn("window_end", "window.end", \.windowEnd, isRequired: true),
    ]
    /// The number of a window's run.
    package static let occurrence: [LedgerColumn<RunRow>] = [
        LedgerColumn("rerun", "rerun", \.rerun, omitted: "", isKey: true),
        LedgerColumn("attempt", "attempt", \.attempt, isRequired: true, check: "attempt > 0"),
    ]
    package static let state: [LedgerColumn<RunRow>] = [
        LedgerColumn("state", "state", \.entry.run.state, isRequired: true, check: oneOf("state", RunState.allCases)),
        LedgerColumn(
            "origin", "origin", \.entry.run.origin, isRequired: true, check: oneOf("origin", RunOrigin.allCases)),
        LedgerColumn("run", "run", \.entry.run.id, isKey: true, check: "run <> ''"),
        LedgerColumn("column_name", "deltaColumn.name", \.columnName, isRequired: true),
        LedgerColumn("column_date_format", "deltaColumn.dateFormat", \.columnDateFormat),
        LedgerColumn("column_timezone", "deltaColumn.timezone", \.columnTimezone),
        LedgerColumn("recorded_at", "recordedAt", \.entry.run.recordedAt, isRequired: true),
        LedgerColumn("failure", "failure", \.entry.run.failure),
    ]
    package static let detail: [LedgerColumn<RunRow>] = [
        LedgerColumn("request", "request", \.entry.request),
        LedgerColumn("response", "response", \.entry.response),
        LedgerColumn("status", "status", \.entry.status),
        LedgerColumn("input_records", "counts.inputRecords", \.entry.counts.inputRecords),
        LedgerColumn("output_records", "counts.outputRecords", \.entry.counts.outputRecords),
        LedgerColumn("failed_records", "counts.failedRecords", \.entry.counts.failedRecords),
        LedgerColumn("input_files", "counts.inputFiles", \.entry.counts.inputFiles),
        LedgerColumn("updated_at", "updatedAt", \.entry.updatedAt, isRequired: true),
    ]
    package static let provenance: [LedgerColumn<RunRow>] = [
        LedgerColumn("file", "provenance.file", \.entry.provenance.file),
        LedgerColumn("line", "provenance.line", \.entry.provenance.line),
        LedgerColumn("commit_id", "provenance.commit", \.entry.provenance.commit),
        LedgerColumn("author", "provenance.author", \.entry.provenance.author),
        LedgerColumn("ci_run", "provenance.ciRun", \.entry.provenance.ciRun),
        LedgerColumn("reason", "provenance.reason", \.entry.provenance.reason),
    ]
    package static let claim: [LedgerColumn<RunRow>] = [
        LedgerColumn("claim", "claim.id", \.claim, isRequired: true, isKey: true, check: "claim <> ''"),
        LedgerColumn("claim_owner", "claim.owner", \.claimOwner, isRequired: true),
        LedgerColumn("claimed_earliest", "claim.earliest", \.claimedEarliest),
        LedgerColumn("claimed_latest", "claim.latest", \.claimedLatest),
    ]

    package static let identity = window + occurrence
    /// The columns that an update of a row may change without changing its identity.
    package static let changing = state + detail + provenance + claim
    /// The columns that planning reads, besides the number of records.
    package static let planning = identity + state + claim
    /// All columns, in the order of an exported line.
    package static let all = identity + changing
    static let line = LineColumns(all)

    private static func oneOf<Word: RawRepresentable<String>>(_ name: String, _ words: [Word]) -> String {
        "\(name) IN (\(words.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
    }
}

/// A run's row while it is read or written: the entry, and the parts of its optional values one by one.
package struct RunRow: Sendable {
    fileprivate(set) var entry: LedgerEntry
    fileprivate var windowStart: Int64?
    fileprivate var windowEnd: Int64?
    fileprivate var rerun = ""
    fileprivate var attempt = 0
    fileprivate var columnName: String?
    fileprivate var columnDateFormat: String?
    fileprivate var columnTimezone: String?
    fileprivate var claim: ClaimID?
    fileprivate var claimOwner: String?
    fileprivate var claimedEarliest: Timestamp?
    fileprivate var claimedLatest: Timestamp?

    /// Creates a row to be filled.
    package init(of flow: FlowID) {
        entry = LedgerEntry(
            run: RecordedRun(
                identity: RunIdentity(flow: flow, window: nil, attempt: 0), state: .intended, recordedAt: .min),
            updatedAt: .min)
    }

    /// Creates the row of an entry.
    package init(_ entry: LedgerEntry) {
        let run = entry.run
        self.entry = entry
        windowStart = run.window?.start.seconds
        windowEnd = run.window?.end.seconds
        rerun = run.identity.rerun ?? ""
        attempt = run.identity.attempt
        columnName = run.deltaColumn?.name
        columnDateFormat = run.deltaColumn?.dateFormat
        columnTimezone = run.deltaColumn?.timezone
        claim = run.claim?.id
        claimOwner = run.claim?.owner
        claimedEarliest = run.claim?.time?.earliest
        claimedLatest = run.claim?.time?.latest
    }

    /// Returns the entry of a filled row; `nil` if its window ends before it starts.
    package func finished() -> LedgerEntry? {
        var entry = entry
        var window: Window?
        if let windowStart, let windowEnd {
            window = Window(startSeconds: windowStart, endSeconds: windowEnd)
            if window == nil { return nil }
        }
        entry.run.identity = RunIdentity(
            flow: entry.run.flow, window: window, rerun: rerun.isEmpty ? nil : rerun, attempt: attempt)
        entry.run.deltaColumn = columnName.map {
            DeltaColumn(name: $0, dateFormat: columnDateFormat, timezone: columnTimezone)
        }
        entry.run.claim = claim.map { id in
            var time: ServiceTime?
            if let claimedEarliest, let claimedLatest {
                time = ServiceTime(earliest: claimedEarliest, latest: claimedLatest)
            }
            return RunClaim(id: id, owner: claimOwner ?? "", time: time)
        }
        return entry
    }
}
