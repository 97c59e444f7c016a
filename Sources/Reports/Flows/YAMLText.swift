import Text

/// A text as a scalar of YAML that is read as that text and nothing else: plain where that is safe, else in double quotes.
func yamlText(_ text: String) -> String {
    guard let first = text.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic, text.last != ":",
        text.utf8.allSatisfy(\.isPlain), !words.contains(text.lowercased())
    else { return quotedYAMLText(text) }
    return text
}

/// Read as something else than a text by one version of YAML or another.
private let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

extension UInt8 {
    /// Stands for itself wherever a text may stand. A colon does so where no space follows it.
    fileprivate var isPlain: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-_./:@?=&%+~".utf8.contains(self)
        }
    }
}

/// In double quotes, which can hold any text.
func quotedYAMLText(_ text: String) -> String {
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
