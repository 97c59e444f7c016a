/// Handling of a server that may have lost commits: a different server or timeline, or restored tables.
extension PostgresConnection {
    /// Marks every flow for a recheck if the server is no longer the one recorded in the ledger. Each flow gets a new
    /// token, so that a claim prepared earlier causes a conflict.
    ///
    /// A flow without a record, because its first commit was lost, is covered by the number of server changes: see
    /// `FlowRecord.unrecorded`.
    func settleServerChange() throws(PostgresError) {
        let hasChanged = try transaction(.read) { (connection) throws(PostgresError) in
            try connection.isAnotherServer()
        }
        guard hasChanged else { return }
        try transaction(.write) { (connection) throws(PostgresError) in
            try connection.limitWaits()
            guard try connection.isAnotherServer("FOR UPDATE") else { return }
            try connection.run(
                """
                UPDATE sluice.ledger SET server = sluice.server_identity(), server_changes = server_changes + 1,
                    server_changed_at = now()
                """)
            try connection.run(
                "UPDATE sluice.flow SET needs_recheck = true, token = 'moved' || md5(flow::text || token || random()::text)"
            )
        }
    }

    private func isAnotherServer(_ lock: String = "") throws(PostgresError) -> Bool {
        var isAnother = false
        try run("SELECT server <> sluice.server_identity() FROM sluice.ledger \(lock)") {
            (row) throws(PostgresError) in isAnother = try row.boolean()
        }
        return isAnother
    }
}
