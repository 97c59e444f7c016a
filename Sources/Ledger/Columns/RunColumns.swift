import FlowRuns

/// The columns of a run, apart from its target and flow. This list is the only one: see ``LedgerColumn``.
///
/// A new column needs a property of ``LedgerEntry``, a line here, a migration in each database, and a description in
/// the JSON Schemas.
package enum RunColumns {
    package static let window: [LedgerColumn<RunRow>] = [
        LedgerColumn(
            "window_start", "window.start", { $0.entry.run.window?.start.seconds }, { $0.windowStart = $1 },
            isRequired: true),
        LedgerColumn(
            "window_end", "window.end", { $0.entry.run.window?.end.seconds }, { $0.windowEnd = $1 }, isRequired: true),
    ]
    /// The number of a window's run.
    package static let occurrence: [LedgerColumn<RunRow>] = [
        LedgerColumn(
            "rerun", "rerun", { $0.entry.run.identity.rerun ?? "" },
            { $0.entry.run.identity.key.rerun = $1.isEmpty ? nil : $1 }, omitted: "", isKey: true),
        LedgerColumn(
            "attempt", "attempt", { $0.entry.run.identity.attempt }, { $0.entry.run.identity.attempt = $1 },
            isRequired: true, check: "attempt > 0"),
    ]
    package static let state: [LedgerColumn<RunRow>] = [
        LedgerColumn(
            "state", "state", { $0.entry.run.state }, { $0.entry.run.state = $1 }, isRequired: true,
            check: oneOf("state", RunState.allCases)),
        LedgerColumn(
            "origin", "origin", { $0.entry.run.origin }, { $0.entry.run.origin = $1 }, isRequired: true,
            check: oneOf("origin", RunOrigin.allCases)),
        LedgerColumn("run", "run", { $0.entry.run.id }, { $0.entry.run.id = $1 }, isKey: true, check: "run <> ''"),
        LedgerColumn(
            "column_name", "deltaColumn.name", { $0.entry.run.deltaColumn?.name },
            { $0.entry.run.deltaColumn = $1.map { DeltaColumn(name: $0) } }, isRequired: true),
        LedgerColumn(
            "column_date_format", "deltaColumn.dateFormat", { $0.entry.run.deltaColumn?.dateFormat },
            { $0.entry.run.deltaColumn?.dateFormat = $1 }),
        LedgerColumn(
            "column_timezone", "deltaColumn.timezone", { $0.entry.run.deltaColumn?.timezone },
            { $0.entry.run.deltaColumn?.timezone = $1 }),
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
            "claim", "claim.id", { $0.entry.run.claim?.id },
            { $0.entry.run.claim = $1.map { RunClaim(id: $0, owner: "", time: nil) } }, isRequired: true, isKey: true,
            check: "claim <> ''"),
        LedgerColumn(
            "claim_owner", "claim.owner", { $0.entry.run.claim?.owner }, { $0.entry.run.claim?.owner = $1 ?? "" },
            isRequired: true),
        LedgerColumn(
            "claimed_earliest", "claim.earliest", { $0.entry.run.claim?.time?.earliest },
            { $0.entry.run.claim?.time = $1.map { ServiceTime(earliest: $0, latest: $0) } }),
        LedgerColumn(
            "claimed_latest", "claim.latest", { $0.entry.run.claim?.time?.latest },
            { row, latest in
                if let latest { row.entry.run.claim?.time?.latest = latest } else { row.entry.run.claim?.time = nil }
            }),
    ]

    package static let identity = window + occurrence
    /// The columns that an update of a row may change without changing its identity.
    package static let changing = state + detail + provenance + claim
    /// The columns that planning reads, besides the number of records.
    package static let planning = identity + state + claim
    /// All columns, in the order of an exported line.
    package static let all = identity + changing
    static let line = LineColumns(all)

    /// Constraints between columns, in SQL.
    package static let constraints = """
        CHECK ((window_start IS NULL) = (window_end IS NULL)),
            CHECK (window_start < window_end),
            CHECK (window_start IS NOT NULL OR origin = 'service'),
            CHECK ((run IS NOT NULL) = (state IN ('accepted', 'succeeded', 'partial', 'failed'))),
            CHECK (run IS NOT NULL OR origin = 'request'),
            CHECK (column_name IS NULL OR origin = 'request')
        """

    private static func oneOf<Word: RawRepresentable<String>>(_ name: String, _ words: [Word]) -> String {
        "\(name) IN (\(words.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
    }
}

/// A run's row while it is read or written: the entry, and the window's parts until both are read.
package struct RunRow: Sendable {
    fileprivate(set) var entry: LedgerEntry
    fileprivate var windowStart: Int64?
    fileprivate var windowEnd: Int64?

    /// Creates a row to be filled.
    package init(of flow: FlowID) {
        entry = LedgerEntry(
            run: RecordedRun(
                identity: RunIdentity(flow: flow, window: nil, attempt: 0), state: .intended, recordedAt: .min),
            updatedAt: .min)
    }

    /// Creates the row of an entry.
    package init(_ entry: LedgerEntry) { self.entry = entry }

    /// Returns the entry of a filled row; `nil` if its window ends before it starts.
    package func finished() -> LedgerEntry? {
        guard let windowStart, let windowEnd else { return entry }
        guard let window = Window(startSeconds: windowStart, endSeconds: windowEnd) else { return nil }
        var entry = entry
        entry.run.identity.key.window = window
        return entry
    }
}
