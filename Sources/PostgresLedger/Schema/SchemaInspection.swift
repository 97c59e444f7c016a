import Ledger

/// Detection, checks and migration of the ledger in a database.
extension PostgresConnection {
    /// The ledger found in a database.
    struct SchemaInspection {
        /// The schema's version; `nil` when there is no ledger.
        var version: Int?
        var encoding = ""
        var fsync = ""
    }

    /// Inspects the database. Must be called within a transaction.
    ///
    /// - Throws: `LedgerError.unusable` when rows may be hidden from this role, and
    ///   ``PostgresError/newer(schema:)``.
    func inspectSchema() throws(PostgresError) -> SchemaInspection {
        var schema = SchemaInspection()
        var (filtered, replaced, role) = ("", "", "")
        // Query the catalog itself: the session's cache may lack tables that another session has just created.
        try run(
            """
            WITH relation AS (SELECT pg_class.oid, relname, relkind
                FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                WHERE nspname = 'sluice' AND relname IN ('ledger', 'target', 'flow', 'run'))
            SELECT EXISTS (SELECT FROM relation WHERE relname = 'ledger'), current_setting('fsync'),
                (SELECT string_agg('sluice.' || relname, ', ' ORDER BY relname) FROM relation
                    WHERE row_security_active(oid)),
                (SELECT string_agg('sluice.' || relname, ', ' ORDER BY relname) FROM relation
                    WHERE relkind NOT IN ('r', 'p')),
                quote_ident(current_user)
            """
        ) { (row) throws(PostgresError) in
            if try row.boolean() { schema.version = 0 }
            schema.fsync = row.text() ?? ""
            filtered = row.text() ?? ""
            replaced = row.text() ?? ""
            role = row.text() ?? ""
        }
        guard filtered.isEmpty else {
            throw .ledger(
                .unusable(
                    "row level security may hide rows of \(filtered) from the role \(role): a superuser can run "
                        + "ALTER ROLE \(role) BYPASSRLS, or the owner of the tables ALTER TABLE … DISABLE ROW LEVEL SECURITY"
                ))
        }
        guard replaced.isEmpty else {
            throw .ledger(.unusable("\(replaced) is not a table: a view may show fewer rows than there are"))
        }
        schema.encoding = parameter("server_encoding") ?? ""
        guard schema.version != nil else { return schema }
        try run("SELECT version FROM sluice.ledger") { (row) throws(PostgresError) in
            schema.version = Int(try row.required(try row.integer()))
        }
        if let version = schema.version, version > PostgresSchema.version { throw .newer(found: version) }
        return schema
    }

    /// Creates the tables, or migrates them to this program's version. Concurrent calls are safe: only one migrates.
    func migrate() throws(PostgresError) {
        try transaction(.write) { (connection) throws(PostgresError) in
            try connection.limitWaits()
            try connection.run("SELECT pg_advisory_xact_lock(\(PostgresSchema.lock))")
            // Read the version again, because it may have changed before the lock was acquired.
            let version = try connection.inspectSchema().version ?? 0
            guard version < PostgresSchema.version else { return }
            for step in PostgresSchema.migration(from: version) { try connection.run(script: step) }
            if version > 0 { try connection.run("UPDATE sluice.ledger SET version = \(PostgresSchema.version)") }
        }
    }

    /// Returns the key of the target; `nil` when the target is missing and may not be added.
    ///
    /// - Parameter identities: the target's identity, followed by those that earlier versions gave it.
    func target(_ identities: [String], adding: Bool) throws(PostgresError) -> Int64? {
        for identity in identities {
            if let known = try target(identity) { return known }
        }
        guard adding, let first = identities.first else { return nil }
        var parameters = Parameters()
        parameters.add(first)
        try run("INSERT INTO sluice.target (identity) VALUES ($1) ON CONFLICT DO NOTHING", parameters)
        return try target(first)
    }

    private func target(_ identity: String) throws(PostgresError) -> Int64? {
        var parameters = Parameters()
        parameters.add(identity)
        var key: Int64?
        try run("SELECT id FROM sluice.target WHERE identity = $1", parameters) { (row) throws(PostgresError) in
            key = try row.integer()
        }
        return key
    }

    /// Returns descriptions of damage to the tables, triggers and indexes.
    func damage() throws(PostgresError) -> [String] {
        var damage: [String] = []
        try run(
            """
            SELECT 'the trigger ' || tgname || ' of sluice.' || relname || ' is disabled'
                FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                WHERE relnamespace = 'sluice'::regnamespace AND tgenabled = 'D'
            UNION ALL SELECT 'the index sluice.' || relname || ' is not valid'
                FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                WHERE relnamespace = 'sluice'::regnamespace AND NOT indisvalid
            UNION ALL SELECT missing || ' is missing in the schema sluice'
                FROM unnest(ARRAY['one_row_for_an_identity', 'one_row_for_an_unknown_window', 'one_row_for_a_run_id',
                    'one_living_request']) AS missing
                WHERE to_regclass('sluice.' || missing) IS NULL
            ORDER BY 1
            """
        ) { (row) throws(PostgresError) in damage.append(row.text() ?? "") }
        return damage
    }
}
