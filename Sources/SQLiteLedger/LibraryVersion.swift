import GRDB

/// The version of SQLite that the program runs with, such as `3.40.1`; `nil` when it cannot be asked.
package func sqliteVersion() -> String? {
    try? DatabaseQueue().read { try String.fetchOne($0, sql: "SELECT sqlite_version()") }
}
