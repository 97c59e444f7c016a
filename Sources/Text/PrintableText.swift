/// Text from outside (manifests, the service, the ledger, the file system) as it may be shown: on one line, with each
/// character visible. Every output for people is made of it, so that no name can paint on a terminal, start a line of its
/// own or turn the direction of writing.
package func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isInvisibleControl) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { shown.append(scalar.shown) }
    return String(shown)
}

extension Unicode.Scalar {
    /// Control characters, line separators, and format characters such as those that turn the direction of writing. The
    /// two joiners are not among them: Persian, Indic scripts and emoji are written with them.
    package var isInvisibleControl: Bool {
        if isASCII { return value < 0x20 || value == 0x7F }
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        case .format: return value != 0x200C && value != 0x200D
        default: return false
        }
    }

    /// One visible character for each.
    package var shown: Unicode.Scalar {
        guard isInvisibleControl else { return self }
        if value < 0x20 { return Unicode.Scalar(0x2400 + value) ?? "\u{FFFD}" }
        return value == 0x7F ? "\u{2421}" : "\u{FFFD}"
    }
}
