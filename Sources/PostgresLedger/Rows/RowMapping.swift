import FlowRuns
import Ledger

/// The mapping of rows to statements and their results. The flow's ID precedes ``FlowColumns``.
extension Array {
    /// Returns typed array parameters for columns: `$3::bigint[], $4::text[]`.
    func arrays<Row>(from first: Int) -> String where Element == LedgerColumn<Row> {
        enumerated().map { "$\(first + $0)::\(PostgresSchema.type(of: $1.kind))[]" }.joined(separator: ", ")
    }
}

extension ColumnValue {
    /// The value in PostgreSQL's text format; `nil` for NULL.
    fileprivate var postgresText: String? {
        switch self {
        case .null: nil
        case .integer(let number): String(number)
        case .text(let text): text
        case .boolean(let value): value ? "t" : "f"
        }
    }
}

extension Parameters {
    mutating func add<Row>(_ row: Row, _ columns: [LedgerColumn<Row>]) {
        for column in columns { add(column.value(in: row).postgresText) }
    }

    /// Adds one array parameter per column, with the values of all rows.
    mutating func add(_ entries: some Collection<LedgerEntry>) {
        let rows = entries.map { RunRow($0) }
        for column in RunColumns.all {
            var array = ArrayLiteral()
            for row in rows { array.add(column.value(in: row).postgresText) }
            add(array)
        }
    }
}

extension RowReader {
    /// Decodes the next columns into a row.
    mutating func fill<Row>(_ row: inout Row, _ columns: [LedgerColumn<Row>]) throws(PostgresError) {
        for column in columns {
            let value: ColumnValue? =
                switch column.kind {
                case .integer: try integer().map(ColumnValue.integer)
                case .text: text().map(ColumnValue.text)
                case .boolean: .boolean(try boolean())
                }
            guard column.set(value ?? .null, in: &row) else { throw damage }
        }
    }

    mutating func entry(of flow: FlowID) throws(PostgresError) -> LedgerEntry {
        var row = RunRow(of: flow)
        try fill(&row, RunColumns.all)
        return try required(row.finished())
    }

    /// Decodes the columns that planning reads.
    mutating func plannedRun(of flow: FlowID) throws(PostgresError) -> RecordedRun {
        var row = RunRow(of: flow)
        try fill(&row, RunColumns.planning)
        var run = try required(row.finished()).run
        run.records = try integer()
        return run
    }

    /// Decodes a record; `nil` if the flow is NULL.
    mutating func record() throws(PostgresError) -> FlowRecord? {
        guard let text = text() else { return nil }
        var record = FlowRecord(id: try required(FlowID(text)))
        try fill(&record, FlowColumns.all)
        return record
    }
}

extension FlowRecord {
    /// Returns the record of a flow that the ledger does not contain. After a recent change of server, the flow's first
    /// commit may have been lost, so the flow is marked for a recheck. The token contains the number of server changes,
    /// so that a claim prepared before a change causes a conflict.
    static func unrecorded(_ flow: FlowID, serverChanges: Int64, isRecent: Bool) -> FlowRecord {
        FlowRecord(
            id: flow, revision: Revision(number: 0, token: unrecordedToken(serverChanges)), needsRecheck: isRecent)
    }

    static func unrecordedToken(_ serverChanges: Int64) -> String {
        serverChanges == 0 ? "" : "server\(serverChanges)"
    }
}
