import FlowRuns

/// A value as databases, exports and reports store it.
package enum ColumnValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case text(String)
    case boolean(Bool)
}

/// The storage class of a column.
package enum ColumnKind: Hashable, Sendable {
    case integer
    case text
    case boolean
}

/// A column of the ledger. Database schemas, row mappers, the export and its parser, and JSON reports all derive from
/// the columns, so that adding one is a change in one place plus a migration.
package final class LedgerColumn<Row: Sendable>: Sendable {
    /// The name in databases.
    package let name: String
    package let kind: ColumnKind
    /// The JSON object that contains the member; `nil` for a member of the line itself.
    package let object: String?
    /// The name of the JSON member.
    package let key: String
    /// Whether JSON must have the member wherever it has the object. A required member of the line is never NULL.
    package let isRequired: Bool
    /// The value that JSON omits: `NULL`, or the column's default.
    package let omitted: ColumnValue
    /// A constraint in SQL.
    private let check: String?
    /// Whether the column belongs to a key, whose text is compared by its bytes.
    private let isKey: Bool
    private let read: @Sendable (Row) -> ColumnValue
    private let write: @Sendable (inout Row, ColumnValue) -> Bool

    /// - Parameters:
    ///   - json: the member in JSON, as `key` or `object.key`.
    ///   - read: returns the column's value in a row. A closure, because a key path would copy the row.
    ///   - omitted: the value that JSON omits; `nil` omits only NULL.
    init<Value: ColumnRepresentable>(
        _ name: String, _ json: String, _ read: @escaping @Sendable (Row) -> Value,
        _ write: @escaping @Sendable (inout Row, Value) -> Void, isRequired: Bool = false, omitted: Value? = nil,
        isKey: Bool = false, check: String? = nil
    ) {
        let parts = json.split(separator: ".").map(String.init)
        self.name = name
        kind = Value.columnKind
        object = parts.count > 1 ? parts[0] : nil
        key = parts[parts.count - 1]
        self.isRequired = isRequired
        self.omitted = omitted?.columnValue ?? .null
        self.check = check
        self.isKey = isKey
        self.read = { read($0).columnValue }
        self.write = { row, column in
            guard let value = Value(column) else { return false }
            write(&row, value)
            return true
        }
    }

    package func value(in row: Row) -> ColumnValue { read(row) }

    /// Sets the column of a row.
    ///
    /// - Returns: whether the column can have the value.
    package func set(_ value: ColumnValue, in row: inout Row) -> Bool { write(&row, value) }

    /// The member's path in JSON, for messages.
    var path: String { object.map { "\($0).\(key)" } ?? key }

    fileprivate func definition(_ type: (ColumnKind) -> String, collation: String) -> String {
        let isNeverNull = omitted != .null || isRequired && object == nil
        let clauses = [
            name, type(kind), isKey && kind == .text ? collation : "", isNeverNull ? "NOT NULL" : "",
            check.map { "CHECK (\($0))" } ?? "",
        ]
        return clauses.filter { !$0.isEmpty }.joined(separator: " ")
    }
}

extension Array {
    /// Returns the names of columns for a statement, qualified with a table name.
    package func names<Row>(of table: String = "") -> String where Element == LedgerColumn<Row> {
        map { table.isEmpty ? $0.name : "\(table).\($0.name)" }.joined(separator: ", ")
    }

    /// Returns the definitions of columns for `CREATE TABLE`.
    ///
    /// - Parameters:
    ///   - type: returns the database's type of a kind.
    ///   - collation: the clause that makes a database compare text by its bytes.
    package func definitions<Row>(_ type: (ColumnKind) -> String, collation: String = "") -> String
    where Element == LedgerColumn<Row> {
        map { $0.definition(type, collation: collation) }.joined(separator: ",\n    ")
    }
}

/// A type that a column stores.
package protocol ColumnRepresentable: Sendable {
    static var columnKind: ColumnKind { get }
    /// Creates a value; `nil` if the column has another kind of value, or one that the type does not permit.
    init?(_ column: ColumnValue)
    var columnValue: ColumnValue { get }
}

extension Optional: ColumnRepresentable where Wrapped: ColumnRepresentable {
    package static var columnKind: ColumnKind { Wrapped.columnKind }
    package var columnValue: ColumnValue { self?.columnValue ?? .null }

    package init?(_ column: ColumnValue) {
        self = .none
        if column == .null { return }
        guard let value = Wrapped(column) else { return nil }
        self = .some(value)
    }
}

extension ColumnRepresentable where Self: FixedWidthInteger & LosslessStringConvertible {
    package static var columnKind: ColumnKind { .integer }
    package var columnValue: ColumnValue { .integer(Int64(self)) }

    package init?(_ column: ColumnValue) {
        guard case .integer(let number) = column else { return nil }
        self.init(exactly: number)
    }
}

extension Int: ColumnRepresentable {}
extension Int64: ColumnRepresentable {}

extension Bool: ColumnRepresentable {
    package static var columnKind: ColumnKind { .boolean }
    package var columnValue: ColumnValue { .boolean(self) }

    package init?(_ column: ColumnValue) {
        guard case .boolean(let value) = column else { return nil }
        self = value
    }
}

extension Timestamp: ColumnRepresentable {
    package static var columnKind: ColumnKind { .integer }
    package var columnValue: ColumnValue { .integer(milliseconds) }

    package init?(_ column: ColumnValue) {
        guard case .integer(let milliseconds) = column else { return nil }
        self.init(milliseconds: milliseconds)
    }
}

extension ColumnRepresentable where Self: LosslessStringConvertible {
    package static var columnKind: ColumnKind { .text }
    package var columnValue: ColumnValue { .text(description) }

    package init?(_ column: ColumnValue) {
        guard case .text(let text) = column else { return nil }
        self.init(text)
    }
}

extension ColumnRepresentable where Self: RawRepresentable<String> {
    package static var columnKind: ColumnKind { .text }
    package var columnValue: ColumnValue { .text(rawValue) }

    package init?(_ column: ColumnValue) {
        guard case .text(let text) = column else { return nil }
        self.init(rawValue: text)
    }
}

extension String: ColumnRepresentable {}
extension RunID: ColumnRepresentable {}
extension ClaimID: ColumnRepresentable {}
extension RunState: ColumnRepresentable {}
extension RunOrigin: ColumnRepresentable {}
