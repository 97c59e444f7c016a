/// A streaming JSON writer: members appear in call order, and equal input gives equal bytes.
///
/// Requests, plans, exports and events are written with it, so that no value has to be built in memory first.
///
/// ```swift
/// var json = JSONText()
/// json.object { $0.member("window", 1651584991); $0.array("reasons") { $0.element("first run") } }
/// json.text  // {"window":1651584991,"reasons":["first run"]}
/// ```
package struct JSONText: Sendable {
    /// The UTF-8 bytes written and not yet drained.
    package private(set) var bytes: [UInt8] = []
    private let indent: Bool
    private var depth = 0
    private var isEmpty = true

    /// Creates an empty writer.
    ///
    /// - Parameter indent: `true` puts each member on its own line, indented by two spaces; `false` writes a single
    ///   line.
    package init(indent: Bool = false) { self.indent = indent }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Returns the bytes written so far and clears the buffer, so that a long document never has to fit in memory.
    package mutating func drain() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// Ends a line of JSON Lines; the next value is a new top-level value.
    package mutating func endLine() {
        bytes.append(UInt8(ascii: "\n"))
        isEmpty = true
    }

    package mutating func object(_ write: (inout JSONText) -> Void) { nested("{", "}", write) }
    package mutating func array(_ write: (inout JSONText) -> Void) { nested("[", "]", write) }

    package mutating func object(_ key: String, _ write: (inout JSONText) -> Void) {
        name(key)
        nested("{", "}", write)
    }

    package mutating func array(_ key: String, _ write: (inout JSONText) -> Void) {
        name(key)
        nested("[", "]", write)
    }

    package mutating func member(_ key: String, _ value: String) {
        name(key)
        quoted(value)
    }

    package mutating func member(_ key: String, _ value: some BinaryInteger) {
        name(key)
        raw(String(value))
    }

    package mutating func member(_ key: String, _ value: Int64) {
        name(key)
        decimal(value)
    }

    package mutating func member(_ key: String, _ value: Int) { member(key, Int64(value)) }

    package mutating func member(_ key: String, _ value: Bool) {
        name(key)
        raw(value ? "true" : "false")
    }

    /// Writes a number, or `null` for a non-finite number, which JSON cannot represent.
    package mutating func member(_ key: String, _ value: Double) {
        name(key)
        raw(value.isFinite ? "\(value)" : "null")
    }

    package mutating func null(_ key: String) {
        name(key)
        raw("null")
    }

    /// Writes a member whose value is already JSON text.
    package mutating func member(_ key: String, json: String) {
        name(key)
        raw(json)
    }

    package mutating func element(_ value: String) {
        separate()
        quoted(value)
    }

    package mutating func element(_ value: some BinaryInteger) {
        separate()
        raw(String(value))
    }

    package mutating func element(_ write: (inout JSONText) -> Void) {
        separate()
        nested("{", "}", write)
    }

    /// Writes an element that is already JSON text.
    package mutating func element(json: String) {
        separate()
        raw(json)
    }

    private mutating func nested(_ open: String, _ close: String, _ write: (inout JSONText) -> Void) {
        raw(open)
        depth += 1
        isEmpty = true
        write(&self)
        depth -= 1
        if !isEmpty { newline() }
        isEmpty = false
        raw(close)
    }

    private mutating func name(_ key: String) {
        separate()
        quoted(key)
        raw(indent ? ": " : ":")
    }

    private mutating func separate() {
        if !isEmpty { raw(",") }
        isEmpty = false
        newline()
    }

    private mutating func newline() {
        guard indent, depth > 0 || !bytes.isEmpty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
    }

    private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func quoted(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        if !text.withUTF8({ appendOrdinary($0) }) { appendByScalars(text) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Fast path: appends ASCII text without `#`, copying everything between two escapes at once.
    ///
    /// - Returns: `false`, with nothing appended, if the text has to be checked scalar by scalar.
    private mutating func appendOrdinary(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let before = bytes.count
        var start = 0
        for (index, byte) in text.enumerated() {
            if byte >= 0x20, byte < 0x7F, byte != 0x22, byte != 0x23, byte != 0x5C { continue }
            let escape: UInt8
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): escape = byte
            case UInt8(ascii: "\n"): escape = UInt8(ascii: "n")
            case UInt8(ascii: "\r"): escape = UInt8(ascii: "r")
            case UInt8(ascii: "\t"): escape = UInt8(ascii: "t")
            default:
                bytes.removeLast(bytes.count - before)
                return false
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(escape)
            start = index + 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        return true
    }

    private mutating func appendByScalars(_ text: String) {
        var isAfterHash = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": raw("\\\"")
            case "\\": raw("\\\\")
            case "\n": raw("\\n")
            case "\r": raw("\\r")
            case "\t": raw("\\t")
            // CI runners execute '##[name]' as a workflow command anywhere in a log line, so escape the second '#'.
            case "#" where isAfterHash: escape(0x23)
            case _ where scalar.isInvisibleControl: for unit in scalar.utf16 { escape(unit) }
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
            isAfterHash = scalar == "#"
        }
    }

    private mutating func decimal(_ value: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (rest, start) = (value.magnitude, 20)
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    private mutating func escape(_ unit: UInt16) { raw("\\u" + hexadecimal(UInt64(unit), width: 4)) }
}
