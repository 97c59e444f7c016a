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
        guard try continuesObject(), skip("\"\(key)\":") else { throw ExportedLine.LineError("'\(key)' is missing") }
        guard let text = try text() else { throw ExportedLine.LineError("'\(key)' is not a string") }
        return text
    }

    /// Parses the line's flow. A line of the flow that is being read needs no new ID.
    mutating func flow(_ known: FlowID?) throws(ExportedLine.LineError) -> FlowID {
        if let known, skip(#","flow":""#), skip(known.description), skip("\"") { return known }
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

    mutating func skip(_ word: [UInt8]) -> Bool {
        guard let base = bytes.baseAddress, bytes.count - position >= word.count,
            memcmp(base + position, word, word.count) == 0
        else { return false }
        position += word.count
        return true
    }

    private mutating func skip(_ word: String) -> Bool {
        guard bytes.count - position >= word.utf8.count, bytes[position...].starts(with: word.utf8) else {
            return false
        }
        position += word.utf8.count
        return true
    }

    private mutating func integer() -> Int64? {
        let start = position
        let isNegative = skip("-")
        var value: Int64 = 0
        while position < bytes.count, case let digit = bytes[position], digit >= 0x30, digit <= 0x39 {
            // Negative values are accumulated, because `Int64.min` has no positive counterpart.
            let (tens, isTooLow) = value.multipliedReportingOverflow(by: 10)
            let (next, isLower) = tens.subtractingReportingOverflow(Int64(digit & 15))
            guard !isTooLow, !isLower else { return nil }
            (value, position) = (next, position + 1)
        }
        // The comparison with the canonical line rejects leading zeros.
        let isEmpty = position == start + (isNegative ? 1 : 0)
        let next = position < bytes.count ? bytes[position] : UInt8(ascii: "}")
        guard !isEmpty, next == UInt8(ascii: ",") || next == UInt8(ascii: "}"), isNegative || value != .min else {
            return nil
        }
        return isNegative ? value : -value
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
        var units: [UInt16] = []
        var rest = String(decoding: text, as: UTF8.self).utf16[...]
        while let unit = rest.popFirst() {
            guard unit == UInt16(UInt8(ascii: "\\")) else {
                units.append(unit)
                continue
            }
            switch rest.popFirst().flatMap({ Unicode.Scalar($0) }) {
            case "\""?: units.append(0x22)
            case "\\"?: units.append(0x5C)
            case "n"?: units.append(0x0A)
            case "r"?: units.append(0x0D)
            case "t"?: units.append(0x09)
            case "u"?:
                guard let digits = String(rest.prefix(4)), let unit = UInt16(digits, radix: 16) else { throw invalid }
                units.append(unit)
                rest = rest.dropFirst(4)
            default: throw invalid
            }
        }
        return String(decoding: units, as: UTF16.self)
    }

    private var invalid: ExportedLine.LineError {
        position < bytes.count
            ? ExportedLine.LineError("not canonical JSON at column \(position + 1)")
            : ExportedLine.LineError("the line is cut off")
    }
}
