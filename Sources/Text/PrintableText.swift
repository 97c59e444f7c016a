/// Replaces invisible control characters with visible ones, which also keeps the text on one line.
///
/// All untrusted text (from manifests, the service, the ledger or the file system) passes through this function before
/// it is displayed, so that no name can send escape sequences to a terminal, start a new line or reverse the writing
/// direction.
package func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isInvisibleControl) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { shown.append(scalar.shown) }
    return String(shown)
}

extension Unicode.Scalar {
    /// Whether the scalar is a control character, a line separator or a format character, such as a bidirectional
    /// override.
    ///
    /// The zero-width joiner and non-joiner are exceptions: Persian, Indic scripts and emoji need them.
    package var isInvisibleControl: Bool {
        if isASCII { return value < 0x20 || value == 0x7F }
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        case .format: return value != 0x200C && value != 0x200D
        default: return false
        }
    }

    /// The scalar itself, or a visible replacement for an invisible control character.
    package var shown: Unicode.Scalar {
        guard isInvisibleControl else { return self }
        if value < 0x20 { return Unicode.Scalar(0x2400 + value) ?? "\u{FFFD}" }
        return value == 0x7F ? "\u{2421}" : "\u{FFFD}"
    }
}
