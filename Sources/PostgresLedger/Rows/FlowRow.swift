import FlowRuns

/// Columns of the table `sluice.flow` except `target`, in the order used for reading and writing.
enum FlowRow {
    static let columnNames = [
        "flow", "revision", "token", "contacted_at", "compared_at", "newest_run_at", "needs_recheck", "column_name",
        "column_date_format", "column_timezone",
    ]

    /// Returns the column names, qualified with a table name.
    static func columns(_ table: String) -> String { columnNames.map { "\(table).\($0)" }.joined(separator: ", ") }

    static func add(_ record: FlowRecord, to parameters: inout Parameters) {
        let column = record.deltaColumn
        parameters.add(record.id.description)
        parameters.add(record.revision.number)
        parameters.add(record.revision.token)
        parameters.add(record.contactedAt?.milliseconds)
        parameters.add(record.comparedAt?.milliseconds)
        parameters.add(record.newestRunAt?.milliseconds)
        parameters.add(record.needsRecheck ? "t" : "f")
        parameters.add(column?.name)
        parameters.add(column?.dateFormat)
        parameters.add(column?.timezone)
    }

    static func record(from row: inout RowReader) throws(PostgresError) -> FlowRecord? {
        guard let text = row.text() else { return nil }
        let flow = try row.required(FlowID(text))
        let number = try row.required(try row.integer())
        let token = try row.required(row.text())
        let (contactedAt, comparedAt, newestRunAt) = (try row.time(), try row.time(), try row.time())
        let needsRecheck = try row.boolean()
        return FlowRecord(
            id: flow, revision: Revision(number: Int(number), token: token), contactedAt: contactedAt,
            deltaColumn: row.deltaColumn(), comparedAt: comparedAt, newestRunAt: newestRunAt,
            needsRecheck: needsRecheck)
    }

    /// Returns the record of a flow that the ledger does not contain. After a recent change of server, the flow's first
    /// commit may have been lost, so the flow is marked for a recheck. The token contains the number of server changes,
    /// so that a claim prepared before a change causes a conflict.
    static func unrecorded(_ flow: FlowID, serverChanges: Int64, isRecent: Bool) -> FlowRecord {
        FlowRecord(id: flow, revision: Revision(number: 0, token: token(serverChanges)), needsRecheck: isRecent)
    }

    static func token(_ serverChanges: Int64) -> String { serverChanges == 0 ? "" : "server\(serverChanges)" }
}

extension RowReader {
    mutating func time() throws(PostgresError) -> Timestamp? { try integer().map(Timestamp.init(milliseconds:)) }

    mutating func deltaColumn() -> DeltaColumn? {
        let (name, dateFormat, timezone) = (text(), text(), text())
        return name.map { DeltaColumn(name: $0, dateFormat: dateFormat, timezone: timezone) }
    }
}
