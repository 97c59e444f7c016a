import FlowRuns
import Ledger

/// Reads of one target's rows, within a transaction.
extension PostgresConnection {
    /// Number of rows per chunk.
    private static let partSize = 1_000
    private static let inOrder =
        "ORDER BY r.window_start NULLS FIRST, r.window_end NULLS FIRST, r.rerun, r.attempt"

    /// Returns the record of a flow, or an empty record if the ledger does not contain the flow.
    func record(of flow: FlowID, target: Int64?) throws(PostgresError) -> FlowRecord {
        var parameters = Parameters()
        parameters.add(target)
        parameters.add(flow.description)
        var record: FlowRecord?
        try run(
            """
            SELECT l.server_changes, coalesce(l.server_changed_at > now() - interval '1 day', false),
                f.flow, \(FlowColumns.all.names(of: "f"))
            FROM sluice.ledger AS l LEFT JOIN sluice.flow AS f ON f.target = $1::bigint AND f.flow = $2::uuid
            """, parameters
        ) { (row) throws(PostgresError) in
            let changes = try row.required(try row.integer())
            let isRecent = try row.boolean()
            record = try row.record() ?? .unrecorded(flow, serverChanges: changes, isRecent: isRecent)
        }
        guard let record else { throw .unreadable("the table sluice.ledger has no row") }
        return record
    }

    /// Returns the records of all flows, sorted by flow ID.
    func records(target: Int64?) throws(PostgresError) -> [FlowRecord] {
        var parameters = Parameters()
        parameters.add(target)
        var records: [FlowRecord] = []
        try run(
            "SELECT f.flow, \(FlowColumns.all.names(of: "f")) FROM sluice.flow AS f WHERE f.target = $1::bigint ORDER BY f.flow",
            parameters
        ) { (row) throws(PostgresError) in
            if let record = try row.record() { records.append(record) }
        }
        return records
    }

    private static let planningColumns =
        RunColumns.planning.names(of: "r") + ", coalesce(r.output_records, r.input_records)"
    private static let entryColumns = RunColumns.all.names(of: "r")

    func scanRuns(
        of flow: FlowID, target: Int64?, visit: @escaping ([RecordedRun]) -> Bool
    ) throws(PostgresError) {
        try scan(
            Self.planningColumns, of: flow, target,
            { (row) throws(PostgresError) in try row.plannedRun(of: flow) }, visit)
    }

    func scanEntries(
        of flow: FlowID, target: Int64?, visit: @escaping ([LedgerEntry]) -> Bool
    ) throws(PostgresError) {
        try scan(Self.entryColumns, of: flow, target, { (row) throws(PostgresError) in try row.entry(of: flow) }, visit)
    }

    /// Passes rows to `visit` in chunks, until all rows are read or `visit` returns `false`.
    private func scan<Row>(
        _ columns: String, of flow: FlowID, _ target: Int64?,
        _ read: @escaping (inout RowReader) throws(PostgresError) -> Row, _ visit: @escaping ([Row]) -> Bool
    ) throws(PostgresError) {
        var parameters = Parameters()
        parameters.add(target)
        parameters.add(flow.description)
        var part: [Row] = []
        var isWanted = true
        try run(
            "SELECT \(columns) FROM sluice.run AS r "
                + "WHERE r.target = $1::bigint AND r.flow = $2::uuid \(Self.inOrder)", parameters
        ) { (row) throws(PostgresError) in
            // The remaining rows must be drained.
            guard isWanted else { return }
            part.append(try read(&row))
            guard part.count == Self.partSize else { return }
            isWanted = visit(part)
            part.removeAll(keepingCapacity: true)
        }
        if isWanted, !part.isEmpty { _ = visit(part) }
    }
}
