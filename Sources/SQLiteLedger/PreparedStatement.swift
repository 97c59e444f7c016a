import FlowRuns
import GRDB
import GRDBSQLite
import Ledger

/// A GRDB statement that is bound and stepped through SQLite's C interface.
///
/// A ledger may contain a million rows, and GRDB's representation of a row costs several times as much as reading the
/// row.
struct PreparedStatement {
    private let statement: Statement
    private let connection: Database
    private var handle: OpaquePointer { statement.sqliteStatement }
    private var position: Int32 = 0

    /// Prepares a statement, or reuses the cached statement with the same text.
    init(_ connection: Database, _ sql: String) throws {
        self.connection = connection
        statement = try connection.cachedStatement(sql: sql)
        reset()
    }

    /// Resets the statement so that it can be bound and run again.
    mutating func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        position = 0
    }

    // MARK: Parameters

    mutating func bind(_ text: String?) {
        position += 1
        // The destructor -1 is SQLITE_TRANSIENT: SQLite copies the text.
        guard var text else { return }
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                _ = sqlite3_bind_text(
                    handle, position, characters.baseAddress, Int32(characters.count),
                    unsafeBitCast(-1, to: sqlite3_destructor_type.self))
            }
        }
    }

    mutating func bind(_ number: Int64?) {
        position += 1
        if let number { sqlite3_bind_int64(handle, position, number) }
    }

    mutating func bind(_ number: Int?) { bind(number.map(Int64.init)) }

    mutating func bind(_ value: ColumnValue) {
        switch value {
        case .null: position += 1
        case .integer(let number): bind(number)
        case .text(let text): bind(text)
        case .boolean(let value): bind(value ? 1 : 0)
        }
    }

    mutating func bind<Row>(_ row: Row, _ columns: [LedgerColumn<Row>]) {
        for column in columns { bind(column.value(in: row)) }
    }

    // MARK: Rows

    /// Advances to the next row, and returns `false` after the last one.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = DatabaseError(resultCode: connection.lastErrorCode, message: connection.lastErrorMessage)
            sqlite3_reset(handle)
            throw error
        }
    }

    var row: ColumnReader { ColumnReader(handle) }

    /// Resets the statement, since a transaction cannot end while a statement is active.
    func finish() { sqlite3_reset(handle) }
}

/// A decoder that reads a row column by column. Every value is checked, because a damaged file may contain anything.
struct ColumnReader {
    private let handle: OpaquePointer
    private let count: Int32
    private var index: Int32 = -1

    fileprivate init(_ handle: OpaquePointer) {
        self.handle = handle
        count = sqlite3_data_count(handle)
    }

    mutating func integer() throws(LedgerError) -> Int64? {
        switch next() {
        case SQLITE_NULL: nil
        case SQLITE_INTEGER: sqlite3_column_int64(handle, index)
        default: throw damage
        }
    }

    mutating func time() throws(LedgerError) -> Timestamp? { try integer().map(Timestamp.init(milliseconds:)) }

    mutating func text() throws(LedgerError) -> String? {
        switch next() {
        case SQLITE_NULL: return nil
        case SQLITE_TEXT:
            let start = sqlite3_column_text(handle, index)
            let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
            return String(decoding: bytes, as: UTF8.self)
        default: throw damage
        }
    }

    /// Decodes the next columns into a row.
    mutating func fill<Row>(_ row: inout Row, _ columns: [LedgerColumn<Row>]) throws(LedgerError) {
        for column in columns {
            let value: ColumnValue? =
                switch column.kind {
                case .integer: try integer().map(ColumnValue.integer)
                case .text: try text().map(ColumnValue.text)
                case .boolean: try integer().map { .boolean($0 != 0) }
                }
            guard column.set(value ?? .null, in: &row) else { throw damage }
        }
    }

    /// Unwraps the value of the last column read.
    ///
    /// - Throws: `LedgerError.corrupt` if the value is `nil`.
    func required<Value>(_ value: Value?) throws(LedgerError) -> Value {
        guard let value else { throw damage }
        return value
    }

    private mutating func next() -> Int32 {
        index += 1
        return index < count ? sqlite3_column_type(handle, index) : SQLITE_NULL
    }

    private var damage: LedgerError {
        .corrupt("a row does not hold what it must, in column \(index + 1) of \(count)")
    }
}
