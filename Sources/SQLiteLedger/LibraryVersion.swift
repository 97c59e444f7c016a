import GRDB

/// Returns the version of the SQLite library in use, such as `3.40.1`, or `nil` if the query fails.
package func sqliteVersion() -> String? {
    try? DatabaseQueue().read { try String.fetchOne($0, sql: "SELECT sqlite_version()") }
}
