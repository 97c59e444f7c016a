import Crypto
import FlowRuns
import Foundation
import Text

/// An HTML writer that escapes all text and attribute values, so that a name from a manifest cannot become markup.
struct HTMLText {
    private(set) var text = ""

    /// The HTML elements without an end tag. Empty SVG elements are self-closing instead.
    private static let void: Set<String> = ["input", "meta"]
    /// The elements after which a line break would be rendered as a space.
    private static let inline: Set<String> = ["a", "b", "code", "small", "span", "strong", "time", "title"]

    /// Writes an element with content.
    mutating func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: (inout HTMLText) -> Void
    ) {
        open(name, attributes)
        text += ">"
        content(&self)
        text += Self.inline.contains(name) ? "</\(name)>" : "</\(name)>\n"
    }

    /// Writes an element that contains text.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String) {
        element(name, attributes) { $0.add(text) }
    }

    /// Writes an element without content.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) {
        open(name, attributes)
        text += Self.void.contains(name) ? ">\n" : "/>\n"
    }

    /// Writes text, escaped.
    mutating func add(_ words: String) { text += htmlEscaped(words) }

    /// Writes markup from the program's own source, without escaping.
    mutating func verbatim(_ text: StaticString) { self.text += "\(text)" }

    /// A style sheet or script that is embedded in the program.
    struct Enclosure {
        let element: String
        let content: String

        init(_ element: String, _ bytes: [UInt8]) {
            self.element = element
            content = "\n\(String(decoding: bytes, as: UTF8.self))"
        }

        /// The hash with which a content security policy permits this element and no other one of its kind.
        var source: String { "'sha256-\(Data(SHA256.hash(data: Data(content.utf8))).base64EncodedString())'" }
    }

    mutating func add(_ enclosure: Enclosure) {
        text += "<\(enclosure.element)>\(enclosure.content)</\(enclosure.element)>\n"
    }

    /// Writes the data for the page's script. In JSON, `<` occurs only in strings, where it can be escaped.
    mutating func data(id: String, _ json: JSONText) {
        open("script", ["type": "application/json", "id": id])
        text += ">\(json.text.replacing("<", with: "\\u003c"))</script>\n"
    }

    private mutating func open(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(htmlEscaped(value))\"" }
    }
}

/// Escapes text for an element or a quoted attribute. Control characters, which HTML forbids, are made visible.
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
