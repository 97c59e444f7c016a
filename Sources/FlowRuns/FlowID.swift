/// The ID of a flow of the Flow Service: a UUID in canonical lower-case form.
package struct FlowID: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// The UUID in lower case with hyphens: `3abea21c-7e36-4be1-bec1-d3bad0e3e0de`.
    package let description: String

    /// Creates an ID; returns `nil` if `text` is not a UUID in 8-4-4-4-12 form.
    package init?(_ text: some StringProtocol) {
        var length = 0
        for byte in text.utf8 {
            switch length {
            case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return nil }
            default: guard byte.isHexadecimalDigit else { return nil }
            }
            length += 1
        }
        guard length == 36 else { return nil }
        description = text.lowercased()
    }

    /// Orders flows by ID, so that equal input gives equal plans and exports.
    package static func < (left: FlowID, right: FlowID) -> Bool { left.description < right.description }
}

/// The run ID that the service assigned. Opaque: Sluice compares, prints and sends it, but never parses it.
package struct RunID: Hashable, Comparable, Sendable, LosslessStringConvertible {
    package let description: String

    /// Creates an ID; returns `nil` if `text` is empty.
    package init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        description = text
    }

    package static func < (left: RunID, right: RunID) -> Bool { left.description < right.description }
}

extension UInt8 {
    fileprivate var isHexadecimalDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
