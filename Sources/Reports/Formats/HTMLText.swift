import FlowRuns
import Text

/// Writes HTML as it goes. Text and the values of attributes are escaped by it and nothing else, so a name from a
/// manifest stays a name.
struct HTMLText {
    private(set) var text = ""

    /// Elements without content have no end tag in HTML; those of SVG close themselves.
    private static let void: Set<String> = ["meta"]
    /// Elements after which a line break would show as a space.
    private static let inline: Set<String> = ["a", "b", "small", "span", "strong", "time", "title"]

    /// An element, its content on the lines between its tags.
    mutating func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: (inout HTMLText) -> Void
    ) {
        open(name, attributes)
        text += ">"
        content(&self)
        text += Self.inline.contains(name) ? "</\(name)>" : "</\(name)>\n"
    }

    /// An element with text in it.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String) {
        element(name, attributes) { $0.add(text) }
    }

    /// An element without content.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) {
        open(name, attributes)
        text += Self.void.contains(name) ? ">\n" : "/>\n"
    }

    /// Text.
    mutating func add(_ words: String) { text += htmlEscaped(words) }

    /// The program's own, as it is.
    mutating func verbatim(_ text: StaticString) { self.text += "\(text)" }

    /// A style sheet that comes with the program.
    mutating func styleSheet(_ bytes: [UInt8]) {
        text += "<style>\n\(String(decoding: bytes, as: UTF8.self))</style>\n"
    }

    private mutating func open(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(htmlEscaped(value))\"" }
    }
}

/// Text as it may stand in an element or a quoted attribute. Control characters, which HTML forbids, become visible.
func htmlEscaped(_ text: String) -> String {
    printable(text).unicodeScalars.reduce(into: "") { escaped, scalar in
        switch scalar {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
}
