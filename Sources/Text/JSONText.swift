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
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x23 && $0 != 0x5C && $0 < 0x7F }
        guard !isPlain else { return raw(text) }
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

    private mutating func escape(_ unit: UInt16) {
        let digits = Array("0123456789abcdef".utf8)
        raw("\\u")
        for shift in [12, 8, 4, 0] { bytes.append(digits[Int(unit >> shift & 15)]) }
    }
}
