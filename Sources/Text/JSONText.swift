/// Writes JSON as it goes, members in the order they are given, the same bytes for the same input. Requests, plans,
/// exports and events are all written by it; a value never has to be built in memory first.
///
/// ```swift
/// var json = JSONText()
/// json.object { $0.member("window", 1651584991); $0.array("reasons") { $0.element("first run") } }
/// json.text  // {"window":1651584991,"reasons":["first run"]}
/// ```
package struct JSONText: Sendable {
    /// What has been written so far, in UTF-8.
    package private(set) var bytes: [UInt8] = []
    private let indent: Bool
    private var depth = 0
    private var isEmpty = true

    /// - Parameter indent: a line for each member, indented by two spaces, for people; otherwise one line.
    package init(indent: Bool = false) { self.indent = indent }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Hands over what has been written so far and forgets it, so that a long document needs no more memory than its
    /// largest part.
    package mutating func drain() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// Ends a line of JSON Lines: the next value stands by itself.
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

    package mutating func member(_ key: String, _ value: Double) {
        name(key)
        raw(value.isFinite ? "\(value)" : "null")
    }

    package mutating func null(_ key: String) {
        name(key)
        raw("null")
    }

    /// A member whose value is JSON already.
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

    /// An element that is JSON already.
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

    /// Nearly every text, in as few steps as there are characters to escape.
    ///
    /// - Returns: `false`, with nothing appended, where it takes a look at the scalars.
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
            // '##[name]' is a workflow command wherever it stands in a line of a log.
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

    private mutating func escape(_ unit: UInt16) {
        let digits = Array("0123456789abcdef".utf8)
        raw("\\u")
        for shift in [12, 8, 4, 0] { bytes.append(digits[Int(unit >> shift & 15)]) }
    }
}
