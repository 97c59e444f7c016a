/// The id of a flow of the Flow Service: a UUID, kept in its canonical lower-case form.
package struct FlowID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Lower-case, hyphenated: `3abea21c-7e36-4be1-bec1-d3bad0e3e0de`.
    package let description: String

    /// `nil` when `text` is not a UUID in its 8-4-4-4-12 form.
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

    /// Flows are ordered by their id, so that plans and exports are the same for the same input.
    package static func < (left: FlowID, right: FlowID) -> Bool { left.description < right.description }
}

/// The id that the service gave a flow run. Opaque: it is compared, shown and sent back, never read.
package struct RunID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let description: String

    /// `nil` when `text` is empty.
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
