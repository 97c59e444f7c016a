import FlowRuns
import Ledger

/// The columns of the table `flow` after `target`, in the order used for reading and writing.
enum FlowRow {
    static let columnNames = [
        "flow", "revision", "token", "contacted_at", "compared_at", "newest_run_at", "needs_recheck", "column_name",
        "column_date_format", "column_timezone",
    ]
    static let columns = columnNames.joined(separator: ", ")

    static func bind(_ record: FlowRecord, to statement: inout PreparedStatement) {
        statement.bind(record.id.description)
        statement.bind(record.revision.number)
        statement.bind(record.revision.token)
        statement.bind(record.contactedAt)
        statement.bind(record.comparedAt)
        statement.bind(record.newestRunAt)
        statement.bind(record.needsRecheck ? 1 : 0)
        statement.bind(record.deltaColumn)
    }

    static func record(from columns: inout ColumnReader) throws(LedgerError) -> FlowRecord {
        let flow = try columns.required(columns.text().flatMap { FlowID($0) })
        let number = try columns.required(columns.integer())
        let token = try columns.required(columns.text())
        let (contactedAt, comparedAt, newestRunAt) = (try columns.time(), try columns.time(), try columns.time())
        let needsRecheck = try columns.required(columns.integer())
        return FlowRecord(
            id: flow, revision: Revision(number: Int(number), token: token), contactedAt: contactedAt,
            deltaColumn: try columns.deltaColumn(), comparedAt: comparedAt, newestRunAt: newestRunAt,
            needsRecheck: needsRecheck != 0)
    }
}
