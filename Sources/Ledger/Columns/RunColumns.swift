import FlowRuns

/// The columns of a run, apart from its target and flow. This list is the only one: see ``LedgerColumn``.
///
/// A new column needs a property of ``LedgerEntry``, a line here, a migration in each database, and a description in
/// the JSON Schemas.
package enum RunColumns {
    package static let window: [LedgerColumn<RunRow>] = [
        LedgerColumn("window_start", "window.start", { $0.windowStart }, { $0.windowStart = $1 }, isRequired: true),
        LedgerColumn("window_end", "window.end", { $0.windowEnd }, { $0.windowEnd = $1 }, isRequired: true),
    ]
    /// The number of a window's run.
    package static let occurrence: [LedgerColumn<RunRow>] = [
        LedgerColumn("rerun", "rerun", { $0.rerun }, { $0.rerun = $1 }, omitted: "", isKey: true),
        LedgerColumn("attempt", "attempt", { $0.attempt }, { $0.attempt = $1 }, isRequired: true, check: "attempt > 0"),
    ]
    package static let state: [LedgerColumn<RunRow>] = [
        LedgerColumn(
            "state", "state", { $0.entry.run.state }, { $0.entry.run.state = $1 }, isRequired: true,
            check: oneOf("state", RunState.allCases)),
        LedgerColumn(
            "origin", "origin", { $0.entry.run.origin }, { $0.entry.run.origin = $1 }, isRequired: true,
            check: oneOf("origin", RunOrigin.allCases)),
        LedgerColumn("run", "run", { $0.entry.run.id }, { $0.entry.run.id = $1 }, isKey: true, check: "run <> ''"),
        LedgerColumn("column_name", "deltaColumn.name", { $0.columnName }, { $0.columnName = $1 }, isRequired: true),
        LedgerColumn(
            "column_date_format", "deltaColumn.dateFormat", { $0.columnDateFormat }, { $0.columnDateFormat = $1 }),
        LedgerColumn("column_timezone", "deltaColumn.timezone", { $0.columnTimezone }, { $0.columnTimezone = $1 }),
        LedgerColumn(
            "recorded_at", "recordedAt", { $0.entry.run.recordedAt }, { $0.entry.run.recordedAt = $1 }, isRequired: true
        ),
        LedgerColumn("failure", "failure", { $0.entry.run.failure }, { $0.entry.run.failure = $1 }),
    ]
    package static let detail: [LedgerColumn<RunRow>] = [
        LedgerColumn("request", "request", { $0.entry.request }, { $0.entry.request = $1 }),
        LedgerColumn("response", "response", { $0.entry.response }, { $0.entry.response = $1 }),
        LedgerColumn("status", "status", { $0.entry.status }, { $0.entry.status = $1 }),
        LedgerColumn(
            "input_records", "counts.inputRecords", { $0.entry.counts.inputRecords },
            { $0.entry.counts.inputRecords = $1 }),
        LedgerColumn(
            "output_records", "counts.outputRecords", { $0.entry.counts.outputRecords },
            { $0.entry.counts.outputRecords = $1 }),
        LedgerColumn(
            "failed_records", "counts.failedRecords", { $0.entry.counts.failedRecords },
            { $0.entry.counts.failedRecords = $1 }),
        LedgerColumn(
            "input_files", "counts.inputFiles", { $0.entry.counts.inputFiles }, { $0.entry.counts.inputFiles = $1 }),
        LedgerColumn("updated_at", "updatedAt", { $0.entry.updatedAt }, { $0.entry.updatedAt = $1 }, isRequired: true),
    ]
    package static let provenance: [LedgerColumn<RunRow>] = [
        LedgerColumn("file", "provenance.file", { $0.entry.provenance.file }, { $0.entry.provenance.file = $1 }),
        LedgerColumn("line", "provenance.line", { $0.entry.provenance.line }, { $0.entry.provenance.line = $1 }),
        LedgerColumn(
            "commit_id", "provenance.commit", { $0.entry.provenance.commit }, { $0.entry.provenance.commit = $1 }),
        LedgerColumn(
            "author", "provenance.author", { $0.entry.provenance.author }, { $0.entry.provenance.author = $1 }),
        LedgerColumn("ci_run", "provenance.ciRun", { $0.entry.provenance.ciRun }, { $0.entry.provenance.ciRun = $1 }),
        LedgerColumn(
            "reason", "provenance.reason", { $0.entry.provenance.reason }, { $0.entry.provenance.reason = $1 }),
    ]
    package static let claim: [LedgerColumn<RunRow>] = [
        LedgerColumn(
            "claim", "claim.id", { $0.claim }, { $0.claim = $1 }, isRequired: true, isKey: true, check: "claim <> ''"),
        LedgerColumn("claim_owner", "claim.owner", { $0.claimOwner }, { $0.claimOwner = $1 }, isRequired: true),
        LedgerColumn("claimed_earliest", "claim.earliest", { $0.claimedEarliest }, { $0.claimedEarliest = $1 }),
        LedgerColumn("claimed_latest", "claim.latest", { $0.claimedLatest }, { $0.claimedLatest = $1 }),
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
