import FlowRuns
import Foundation

/// A parser for one line of an export, a JSON object whose members have a fixed order. It accepts some JSON that is not
/// canonical, such as unusual escapes; ``ExportedLine`` compares what it parsed with the line.
struct LineParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var isFirst = true

    /// - Throws: an error if the line is not a JSON object.
    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ExportedLine.LineError) {
        self.bytes = bytes
        guard skip("{") else { throw ExportedLine.LineError("not a JSON object") }
    }

    /// Whether another member follows. Consumes the comma before it, or the end of the object.
    mutating func continuesObject() throws(ExportedLine.LineError) -> Bool {
        if skip("}") {
            isFirst = false
            return false
        }
        guard isFirst || skip(",") else { throw invalid }
        isFirst = false
        return true
    }

    mutating func beginObject(_ key: String) throws(ExportedLine.LineError) {
        guard skip("{") else { throw ExportedLine.LineError("'\(key)' is not an object") }
        isFirst = true
    }

    func expectEnd() throws(ExportedLine.LineError) {
        if position < bytes.count { throw invalid }
    }

    /// Parses a member that the line must have next.
    mutating func text(_ key: String) throws(ExportedLine.LineError) -> String {
        guard try continuesObject(), skip(Array("\"\(key)\":".utf8)) else {
            throw ExportedLine.LineError("'\(key)' is missing")
        }
        guard let text = try text() else { throw ExportedLine.LineError("'\(key)' is not a string") }
        return text
    }

    /// Parses the line's flow. A line of the flow that is being read needs no new ID.
    mutating func flow(_ known: FlowID?) throws(ExportedLine.LineError) -> FlowID {
        if let known {
            let start = position
            if skip(#","flow":""#), skip(Array(known.description.utf8)), skip("\"") { return known }
            position = start
        }
        let text = try text("flow")
        guard let flow = FlowID(text) else { throw ExportedLine.LineError("'flow' is not a UUID") }
        return flow
    }

    mutating func key() throws(ExportedLine.LineError) -> String {
        guard let key = try text(), skip(":") else { throw invalid }
        return key
    }

    /// Parses a value; `nil` if it is of another kind.
    mutating func value(_ kind: ColumnKind) throws(ExportedLine.LineError) -> ColumnValue? {
        if skip(" ") {
            position -= 1
            throw invalid
        }
        return switch kind {
        case .integer: integer().map(ColumnValue.integer)
        case .text: try text().map(ColumnValue.text)
        case .boolean: skip("true") ? .boolean(true) : skip("false") ? .boolean(false) : nil
        }
    }

    mutating func skip(_ word: [UInt8]) -> Bool { word.withUnsafeBytes { skip($0) } }

    private mutating func skip(_ word: StaticString) -> Bool {
        skip(UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    private mutating func skip(_ word: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, let start = word.baseAddress, bytes.count - position >= word.count,
            memcmp(base + position, start, word.count) == 0
        else { return false }
        position += word.count
        return true
    }

    /// Parses a number; `nil` if the value is none. The comparison with the canonical line rejects leading zeros.
    private mutating func integer() -> Int64? {
        let rest = UnsafeBufferPointer(rebasing: bytes[position...])
        let end = rest.firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "}") } ?? rest.count
        guard let number = Int64(String(decoding: rest[..<end], as: UTF8.self)) else { return nil }
        position += end
        return number
    }

    /// Parses a string; `nil` if the value is none.
    private mutating func text() throws(ExportedLine.LineError) -> String? {
        guard skip("\"") else { return nil }
        let start = position
        var isEscaped = false
        while position < bytes.count, case let byte = bytes[position], byte >= 0x20 {
            if byte == UInt8(ascii: "\"") {
                let text = UnsafeBufferPointer(rebasing: bytes[start..<position])
                position += 1
                return isEscaped ? try unescaped(text) : String(decoding: text, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                position += 1
            }
            position += 1
        }
        throw invalid
    }

    private func unescaped(_ text: UnsafeBufferPointer<UInt8>) throws(ExportedLine.LineError) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let rest = text[position...].prefix { $0 != UInt8(ascii: "\\") }
            bytes += rest
            position += rest.count + 1
            guard position < text.count else { break }
            let escape = text[position]
            position += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(escape)
            case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "r"): bytes.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "t"): bytes.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "u"):
                // A character beyond the first plane has two escapes.
                var units: [UInt16] = []
                repeat {
                    if !units.isEmpty { position += 2 }
                    let digits = String(decoding: text[position...].prefix(4), as: UTF8.self)
                    guard let unit = UInt16(digits, radix: 16), digits.utf8.count == 4 else { throw invalid }
                    units.append(unit)
                    position += 4
                } while UTF16.isLeadSurrogate(units[0]) && units.count == 1
                    && text[position...].starts(with: "\\u".utf8)
                bytes += String(decoding: units, as: UTF16.self).utf8
            default: throw invalid
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private var invalid: ExportedLine.LineError {
        position < bytes.count
            ? ExportedLine.LineError("not canonical JSON at column \(position + 1)")
            : ExportedLine.LineError("the line is cut off")
    }
}
