import FlowRuns
import Ledger

/// Commits: first a compare-and-swap of the flow's record, which locks its row, then the rows of its runs.
extension PostgresConnection {
    enum CommitOutcome {
        case done
        case conflict
        /// The server may have lost commits, so all flows must first be marked for a recheck.
        case serverChanged
    }

    /// Maximum rows per statement.
    private static let maxRowsPerStatement = 2_000
    /// Maximum wait for another commit of the same flow. That commit takes milliseconds unless its client has stopped.
    private static let lockTimeout = Duration.seconds(5)
    /// Time after which the server ends the transaction of a client that stopped in the middle of it.
    private static let idleTimeout = Duration.seconds(10)
    /// SQL expressions that set the timeouts for one transaction.
    private static let limits = """
        set_config('lock_timeout', '\(lockTimeout.milliseconds)', true), \
        set_config('idle_in_transaction_session_timeout', '\(idleTimeout.milliseconds)', true)
        """

    func make(_ commit: FlowCommit, target: Int64?) throws(PostgresError) -> CommitOutcome {
        try transaction(.write) { (connection) throws(PostgresError) in
            guard let changes = try connection.check() else { return .serverChanged }
            if try !connection.swap(commit.record, expecting: commit.expecting, target, serverChanges: changes) {
                return try connection.isAlreadyCommitted(commit.record, target) ? .done : .conflict
            }
            let stored = try connection.stored(RowChanges.needed(by: commit), of: commit.record.id, target)
            let rows: RowChanges
            do throws(LedgerError) { rows = try RowChanges(commit, stored: stored) } catch { throw .ledger(error) }
            try connection.write(rows, of: commit.record.id, target)
            return .done
        }
    }

    func add(_ flows: [NewFlow], target: Int64?) throws(PostgresError) -> CommitOutcome {
        try transaction(.write) { (connection) throws(PostgresError) in
            guard let changes = try connection.check() else { return .serverChanged }
            for flow in flows {
                if try connection.swap(flow.record, expecting: flow.expecting, target, serverChanges: changes) {
                    try connection.insertAll(of: flow, target)
                } else if try !connection.isAlreadyCommitted(flow.record, target) {
                    throw .ledger(flow.changed)
                }
            }
            return .done
        }
    }

    private func insertAll(of flow: NewFlow, _ target: Int64?) throws(PostgresError) {
        let next = flow.runs()
        while true {
            let entries: [LedgerEntry]
            do throws(LedgerError) { entries = try next() } catch { throw .ledger(error) }
            if entries.isEmpty { return }
            try insert(entries, of: flow.record.id, target)
        }
    }

    /// Limits how long this transaction waits for others, and how long an idle one blocks others.
    func limitWaits() throws(PostgresError) {
        try run("SELECT \(Self.limits)")
    }

    /// Checks the ledger's version and server, and sets the timeouts of the transaction.
    ///
    /// - Returns: the number of server changes so far; `nil` when the server has just changed.
    private func check() throws(PostgresError) -> Int64? {
        var version: Int64?
        var changes: Int64 = 0
        var isSame = true
        var durability = ""
        try run(
            """
            SELECT l.version, l.server_changes, l.server = sluice.server_identity(),
                current_setting('synchronous_commit'), \(Self.limits)
            FROM sluice.ledger AS l
            """
        ) { (row) throws(PostgresError) in
            version = try row.integer()
            changes = try row.required(try row.integer())
            isSame = try row.boolean()
            durability = row.text() ?? ""
        }
        guard let version else { throw .unreadable("the table sluice.ledger has no row") }
        guard version <= PostgresSchema.version else { throw .newer(found: Int(version)) }
        guard !["off", "local"].contains(durability) else {
            throw .ledger(
                .unusable(
                    "synchronous_commit is \(durability) on the server: a claim could be lost. "
                        + "Set it to on for this role: ALTER ROLE … SET synchronous_commit = on"))
        }
        return isSame ? changes : nil
    }

    /// Replaces the flow's record if it has the revision that the commit expects. Waits for a concurrent commit of the
    /// flow.
    private func swap(
        _ record: FlowRecord, expecting expected: Revision, _ target: Int64?, serverChanges: Int64
    ) throws(PostgresError) -> Bool {
        var parameters = Parameters()
        parameters.add(record.id.description)
        parameters.add(record, FlowColumns.all)
        parameters.add(target)
        let count = FlowColumns.all.count + 1
        let columns = "flow, \(FlowColumns.all.names())"
        let values = (1...count).map { "$\($0)" }.joined(separator: ", ")
        guard expected.number > 0 else {
            guard expected.token == FlowRecord.unrecordedToken(serverChanges) else { return false }
            return try run(
                "INSERT INTO sluice.flow (\(columns), target) VALUES (\(values), $\(count + 1)) "
                    + "ON CONFLICT (target, flow) DO NOTHING", parameters) == 1
        }
        parameters.add(expected.number)
        parameters.add(expected.token)
        return try run(
            "UPDATE sluice.flow SET (\(columns)) = ROW(\(values)) WHERE flow = $1 AND target = $\(count + 1) "
                + "AND revision = $\(count + 2) AND token = $\(count + 3)", parameters) == 1
    }

    /// Returns whether the same commit succeeded earlier and its answer was lost. Rewrites the row unchanged, so that
    /// the durable, replicated end of this transaction also covers the earlier one.
    private func isAlreadyCommitted(_ record: FlowRecord, _ target: Int64?) throws(PostgresError) -> Bool {
        var parameters = Parameters()
        parameters.add(target)
        parameters.add(record.id.description)
        parameters.add(record.revision.number)
        parameters.add(record.revision.token)
        return try run(
            "UPDATE sluice.flow SET token = token WHERE target = $1 AND flow = $2 AND revision = $3 AND token = $4",
            parameters) == 1
    }

    // MARK: Rows

    /// Returns the stored rows with the given identities.
    private func stored(
        _ identities: [RunIdentity], of flow: FlowID, _ target: Int64?
    ) throws(PostgresError) -> [(key: Int64, entry: LedgerEntry)] {
        var entries: [(key: Int64, entry: LedgerEntry)] = []
        for chunk in identities.chunks(of: Self.maxRowsPerStatement) {
            var parameters = Parameters()
            parameters.add(target)
            parameters.add(flow.description)
            var (starts, ends, reruns, attempts) = (ArrayLiteral(), ArrayLiteral(), ArrayLiteral(), ArrayLiteral())
            for identity in chunk {
                starts.add(identity.window?.start.seconds)
                ends.add(identity.window?.end.seconds)
                reruns.add(identity.rerun ?? "")
                attempts.add(identity.attempt)
            }
            for array in [starts, ends, reruns, attempts] { parameters.add(array) }
            let columns = RunColumns.all.names(of: "r")
            let identityRows = "unnest($3::bigint[], $4::bigint[], $5::text[], $6::bigint[]) AS w(s, e, rerun, attempt)"
            let of = "r.target = $1 AND r.flow = $2 AND r.rerun = w.rerun AND r.attempt = w.attempt"
            try run(
                """
                SELECT r.id, \(columns) FROM \(identityRows)
                    JOIN sluice.run AS r ON \(of) AND r.window_start = w.s AND r.window_end = w.e
                UNION ALL SELECT r.id, \(columns) FROM \(identityRows)
                    JOIN sluice.run AS r ON \(of) AND r.window_start IS NULL AND w.s IS NULL
                """, parameters
            ) { (row) throws(PostgresError) in
                let key = try row.required(try row.integer())
                entries.append((key, try row.entry(of: flow)))
            }
        }
        return entries
    }

    /// Writes the changes. Deletes rows first, because another row may reuse their run IDs.
    private func write(_ rows: RowChanges, of flow: FlowID, _ target: Int64?) throws(PostgresError) {
        if !rows.removed.isEmpty {
            var (parameters, keys) = (Parameters(), ArrayLiteral())
            for key in rows.removed { keys.add(key) }
            parameters.add(keys)
            try run("DELETE FROM sluice.run WHERE id = ANY($1::bigint[])", parameters)
        }
        let names = RunColumns.all.names()
        for chunk in rows.updated.chunks(of: Self.maxRowsPerStatement) {
            var (parameters, keys) = (Parameters(), ArrayLiteral())
            for row in chunk { keys.add(row.key) }
            parameters.add(keys)
            parameters.add(chunk.map(\.entry))
            try run(
                """
                UPDATE sluice.run AS r SET (\(names)) = ROW(\(RunColumns.all.names(of: "w")))
                    FROM unnest($1::bigint[], \(RunColumns.all.arrays(from: 2))) AS w(key, \(names)) WHERE r.id = w.key
                """, parameters)
        }
        for chunk in rows.inserted.chunks(of: Self.maxRowsPerStatement) { try insert(chunk, of: flow, target) }
    }

    private func insert(
        _ entries: some Collection<LedgerEntry>, of flow: FlowID, _ target: Int64?
    ) throws(PostgresError) {
        let names = RunColumns.all.names()
        var parameters = Parameters()
        parameters.add(target)
        parameters.add(flow.description)
        parameters.add(entries)
        try run(
            "INSERT INTO sluice.run (target, flow, \(names)) SELECT $1::bigint, $2::uuid, w.* "
                + "FROM unnest(\(RunColumns.all.arrays(from: 3))) AS w(\(names))", parameters)
    }
}
