import FlowRuns
import Ledger

/// The mapping of rows to statements and their results. The flow's ID precedes ``FlowColumns``.
extension LedgerColumn {
    /// Returns the names of columns, qualified with a table name.
    static func names(_ columns: [LedgerColumn], of table: String = "") -> String {
        columns.map { table.isEmpty ? $0.name : "\(table).\($0.name)" }.joined(separator: ", ")
    }

    static func type(of kind: ColumnKind) -> String {
        switch kind {
        case .integer: "bigint"
        case .text: "text"
        case .boolean: "boolean"
        }
    }

    /// Returns definitions for `CREATE TABLE`. Text in keys is compared by its bytes.
    static func definitions(_ columns: [LedgerColumn]) -> String {
        columns.map { $0.definition(type(of:), collation: "COLLATE \"C\"") }.joined(separator: ",\n    ")
    }

    /// Returns typed array parameters for columns: `$3::bigint[], $4::text[]`.
    static func arrays(_ columns: [LedgerColumn], from first: Int) -> String {
        columns.enumerated().map { "$\(first + $0)::\(type(of: $1.kind))[]" }.joined(separator: ", ")
    }
}

extension Parameters {
    mutating func add<Row>(_ row: Row, _ columns: [LedgerColumn<Row>]) {
        for column in columns {
            switch column.value(in: row) {
            case .null: add(String?.none)
            case .integer(let number): add(number)
            case .text(let text): add(text)
            case .boolean(let value): add(value ? "t" : "f")
            }
        }
    }

    /// Adds one array parameter per column, with the values of all rows.
    mutating func add(_ entries: some Collection<LedgerEntry>) {
        let rows = entries.map { RunRow($0) }
        for column in RunColumns.all {
            var array = ArrayLiteral()
            for row in rows {
                switch column.value(in: row) {
                case .null: array.add(String?.none)
                case .integer(let number): array.add(number)
                case .text(let text): array.add(text)
                case .boolean(let value): array.add(value ? "t" : "f")
                }
            }
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
        var row = FlowRow(of: try required(FlowID(text)))
        try fill(&row, FlowColumns.all)
        return row.finished()
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
