import Text

/// The columns of a table as the members of a JSON object, in the order in which they are written.
package struct LineColumns<Row: Sendable>: Sendable {
    /// A member of an object: a column, or an object of columns.
    private final class Member: Sendable {
        let key: String
        /// What a line has before the value: `"key":`.
        let lead: [UInt8]
        let column: LedgerColumn<Row>?
        let members: [Member]

        init(_ key: String, _ column: LedgerColumn<Row>?, _ members: [Member] = []) {
            self.members = members
            self.key = key
            self.column = column
            lead = Array("\"\(key)\":".utf8)
        }

        func isPresent(in row: Row) -> Bool {
            members.contains { member in member.column.map { $0.value(in: row) != $0.omitted } ?? false }
        }
    }

    private let members: [Member]

    package init(_ columns: [LedgerColumn<Row>]) {
        var rest = columns[...]
        var members: [Member] = []
        while let column = rest.popFirst() {
            guard let object = column.object else {
                members.append(Member(column.key, column))
                continue
            }
            let others = rest.prefix { $0.object == object }
            rest = rest.dropFirst(others.count)
            members.append(Member(object, nil, ([column] + others).map { Member($0.key, $0) }))
        }
        self.members = members
    }

    /// Writes the members of a row, except those with the value that JSON omits.
    ///
    /// - Parameters:
    ///   - row: the row to write.
    ///   - json: the text to append to.
    ///   - objects: other names for objects, which are written even if they are empty.
    package func write(_ row: Row, to json: inout JSONText, objects: [String: String] = [:]) {
        for member in members {
            if let column = member.column {
                json.member(column, of: row)
            } else if let name = objects[member.key] ?? (member.isPresent(in: row) ? member.key : nil) {
                json.object(name) { json in
                    for member in member.members { if let column = member.column { json.member(column, of: row) } }
                }
            }
        }
    }

    /// Parses the members up to the end of the line's object into a row.
    func read(_ line: inout LineParser, into row: inout Row) throws(ExportedLine.LineError) {
        try Self.read(members, &line, into: &row)
    }

    private static func read(
        _ members: [Member], _ line: inout LineParser, into row: inout Row
    ) throws(ExportedLine.LineError) {
        var next = 0
        var last = ""
        var missing: LedgerColumn<Row>?
        func skip() {
            if let column = members[next].column, column.isRequired, missing == nil { missing = column }
            next += 1
        }
        while try line.continuesObject() {
            while next < members.count, !line.skip(members[next].lead) { skip() }
            guard next < members.count else {
                let key = try line.key()
                if key == last { throw ExportedLine.LineError("'\(key)' is repeated") }
                guard members.contains(where: { $0.key == key }) else {
                    throw ExportedLine.LineError("unknown key '\(key)'")
                }
                throw ExportedLine.LineError("keys are out of order: '\(last)' before '\(key)'")
            }
            let member = members[next]
            if let column = member.column {
                guard let value = try line.value(column.kind) else {
                    throw ExportedLine.LineError("'\(column.path)' is not \(column.kind.inWords)")
                }
                guard column.set(value, in: &row) else {
                    throw ExportedLine.LineError("'\(column.path)' has an invalid value")
                }
            } else {
                try line.beginObject(member.key)
                try read(member.members, &line, into: &row)
            }
            (last, next) = (member.key, next + 1)
        }
        while next < members.count { skip() }
        if let missing { throw ExportedLine.LineError("'\(missing.path)' is missing") }
    }
}

extension ColumnKind {
    fileprivate var inWords: String {
        switch self {
        case .integer: "a whole number"
        case .text: "a string"
        case .boolean: "true or false"
        }
    }
}

extension JSONText {
    fileprivate mutating func member<Row>(_ column: LedgerColumn<Row>, of row: Row) {
        let value = column.value(in: row)
        guard value != column.omitted else { return }
        switch value {
        case .null: null(column.key)
        case .integer(let number): member(column.key, number)
        case .text(let text): member(column.key, text)
        case .boolean(let value): member(column.key, value)
        }
    }
}
