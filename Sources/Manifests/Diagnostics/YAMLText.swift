import Text

/// Formats a text as a YAML scalar that every parser reads as this text: plain if that is safe, otherwise quoted.
package func yamlText(_ text: String) -> String {
    guard let first = text.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic, text.last != ":",
        text.utf8.allSatisfy(\.isPlain), !words.contains(text.lowercased())
    else { return quotedYAMLText(text) }
    return text
}

/// The words that some version of YAML does not read as text.
private let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

extension UInt8 {
    /// Whether the byte has no special meaning in a plain scalar. A colon has none unless a space follows.
    fileprivate var isPlain: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-_./:@?=&%+~".utf8.contains(self)
        }
    }
}

/// Formats a text as a double-quoted YAML scalar, which can contain any text.
package func quotedYAMLText(_ text: String) -> String {
    let quoted = text.unicodeScalars.reduce(into: "\"") { quoted, scalar in
        switch scalar {
        case "\"", "\\": quoted += "\\\(scalar)"
        case _ where scalar.isInvisibleControl || scalar.value & 0xFFFE == 0xFFFE:
            quoted += "\\U" + hexadecimal(UInt64(scalar.value), width: 8)
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
