import FlowRuns
import Text

/// Quotes a value of a manifest for a message: shortened, on one line, with secrets masked.
func quoted(_ text: String) -> String {
    let shown = withoutSecrets(text)
    return "'\(printable(shown.count > 60 ? shown.prefix(57) + "…" : shown))'"
}

/// Masks passwords in addresses (`postgres://user:password@host`, `?password=…`) with one asterisk per character, which
/// keeps columns aligned.
func withoutSecrets(_ text: String) -> String {
    guard text.contains("://") else { return text }
    var scalars = Array(text.unicodeScalars)
    for span in secretSpans(in: scalars) {
        for index in span { scalars[index] = "*" }
    }
    return String(String.UnicodeScalarView(scalars))
}

extension Collection<Unicode.Scalar> where Self: BidirectionalCollection {
    fileprivate func ends(with other: some Collection<Unicode.Scalar>) -> Bool {
        suffix(other.count).elementsEqual(other)
    }
}

/// Returns the ranges of the passwords in a text's addresses.
package func secretSpans(in text: [Unicode.Scalar]) -> [Range<Int>] {
    var spans: [Range<Int>] = []
    var index = 0
    while index + 2 < text.count {
        guard text[index] == ":", text[index + 1] == "/", text[index + 2] == "/" else {
            index += 1
            continue
        }
        let start = index + 3
        let end = text[start...].firstIndex { $0.properties.isWhitespace || $0 == "\"" } ?? text.count
        // A password can contain any character, even `@`, so it ends at the last `@`.
        if let at = text[start..<end].lastIndex(of: "@") {
            if let colon = text[start..<at].firstIndex(of: ":") {
                spans.append(colon + 1..<at)
            } else if text[..<index].ends(with: "http".unicodeScalars)
                || text[..<index].ends(with: "https".unicodeScalars)
            {
                // The user part of an address can be a token.
                spans.append(start..<at)
            }
        }
        spans += passwordParameters(in: text, address: start..<end)
        index = max(end, start)
    }
    return spans.filter { !$0.isEmpty }
}

/// Returns the ranges of the values of `password`, and of `sslpassword` for a client key.
private func passwordParameters(in text: [Unicode.Scalar], address: Range<Int>) -> [Range<Int>] {
    var spans: [Range<Int>] = []
    for index in address where text[index] == "?" || text[index] == "&" {
        for word in ["password=", "sslpassword="] {
            let value = index + 1 + word.unicodeScalars.count
            guard value <= address.upperBound,
                zip(text[(index + 1)..<value], word.unicodeScalars).allSatisfy({
                    $0.properties.lowercaseMapping == String($1)
                })
            else { continue }
            spans.append(value..<(text[value..<address.upperBound].firstIndex(of: "&") ?? address.upperBound))
        }
    }
    return spans
}
