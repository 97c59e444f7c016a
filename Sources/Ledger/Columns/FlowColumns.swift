import FlowRuns

/// The columns of a flow's record, apart from its target and ID. This list is the only one: see ``LedgerColumn``.
package enum FlowColumns {
    package static let all: [LedgerColumn<FlowRow>] = [
        LedgerColumn(
            "revision", "revision", { $0.revision }, { $0.revision = $1 }, isRequired: true, check: "revision > 0"),
        LedgerColumn("contacted_at", "contactedAt", { $0.record.contactedAt }, { $0.record.contactedAt = $1 }),
        LedgerColumn("column_name", "deltaColumn.name", { $0.columnName }, { $0.columnName = $1 }, isRequired: true),
        LedgerColumn(
            "column_date_format", "deltaColumn.dateFormat", { $0.columnDateFormat }, { $0.columnDateFormat = $1 }),
        LedgerColumn("column_timezone", "deltaColumn.timezone", { $0.columnTimezone }, { $0.columnTimezone = $1 }),
        LedgerColumn("token", "token", { $0.token }, { $0.token = $1 }, omitted: "", isKey: true),
        LedgerColumn("compared_at", "comparedAt", { $0.record.comparedAt }, { $0.record.comparedAt = $1 }),
        LedgerColumn("newest_run_at", "newestRunAt", { $0.record.newestRunAt }, { $0.record.newestRunAt = $1 }),
        LedgerColumn(
            "needs_recheck", "needsRecheck", { $0.record.needsRecheck }, { $0.record.needsRecheck = $1 }, omitted: false
        ),
    ]
    static let line = LineColumns(all)
}

/// A flow's row while it is read or written: the record, and the parts of its compound values one by one.
package struct FlowRow: Sendable {
    fileprivate(set) var record: FlowRecord
    fileprivate var revision = 0
    fileprivate var token = ""
    fileprivate var columnName: String?
    fileprivate var columnDateFormat: String?
    fileprivate var columnTimezone: String?

    /// Creates a row to be filled.
    package init(of flow: FlowID) { record = FlowRecord(id: flow) }

    /// Creates the row of a record.
    package init(_ record: FlowRecord) {
        self.record = record
        revision = record.revision.number
        token = record.revision.token
        columnName = record.deltaColumn?.name
        columnDateFormat = record.deltaColumn?.dateFormat
        columnTimezone = record.deltaColumn?.timezone
    }

    /// Returns the record of a filled row.
    package func finished() -> FlowRecord {
        var record = record
        record.revision = Revision(number: revision, token: token)
        record.deltaColumn = columnName.map {
            DeltaColumn(name: $0, dateFormat: columnDateFormat, timezone: columnTimezone)
        }
        return record
    }
}
