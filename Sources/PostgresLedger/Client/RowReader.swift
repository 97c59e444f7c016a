/// Reads a row column by column from libpq's memory.
struct RowReader {
    let libpq: LibPQ
    let result: OpaquePointer
    let row: Int32
    private var column: Int32 = -1

    init(libpq: LibPQ, result: OpaquePointer, row: Int32) {
        self.libpq = libpq
        self.result = result
        self.row = row
    }

    mutating func text() -> String? {
        guard let (start, length) = next() else { return nil }
        return start.withMemoryRebound(to: UInt8.self, capacity: length) {
            String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
    }

    mutating func integer() throws(PostgresError) -> Int64? {
        guard let text = text() else { return nil }
        return try required(Int64(text))
    }

    mutating func boolean() throws(PostgresError) -> Bool {
        switch try required(text()) {
        case "t": true
        case "f": false
        default: throw damage
        }
    }

    /// Unwraps the last column's value, or throws ``PostgresError/unreadable(_:)``.
    func required<Value>(_ value: Value?) throws(PostgresError) -> Value {
        guard let value else { throw damage }
        return value
    }

    private mutating func next() -> (start: UnsafePointer<CChar>, length: Int)? {
        column += 1
        guard column < libpq.nfields(result), libpq.getisnull(result, row, column) == 0,
            let start = libpq.getvalue(result, row, column)
        else { return nil }
        return (start, Int(libpq.getlength(result, row, column)))
    }

    var damage: PostgresError {
        .unreadable("a row does not hold what it must, in column \(column + 1) of \(libpq.nfields(result))")
    }
}
