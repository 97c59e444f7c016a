import Crypto
import FlowRuns
import Foundation
import Text

/// Writes HTML as it goes. Text and the values of attributes are escaped by it and nothing else, so a name from a
/// manifest stays a name.
struct HTMLText {
    private(set) var text = ""

    /// Elements without content have no end tag in HTML; those of SVG close themselves.
    private static let void: Set<String> = ["input", "meta"]
    /// Elements after which a line break would show as a space.
    private static let inline: Set<String> = ["a", "b", "code", "small", "span", "strong", "time", "title"]

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

    /// A style sheet or a script that comes with the program.
    struct Enclosure {
        let element: String
        let content: String

        init(_ element: String, _ bytes: [UInt8]) {
            self.element = element
            content = "\n\(String(decoding: bytes, as: UTF8.self))"
        }

        /// By which a content security policy allows it, and nothing else of its kind.
        var source: String { "'sha256-\(Data(SHA256.hash(data: Data(content.utf8))).base64EncodedString())'" }
    }

    mutating func add(_ enclosure: Enclosure) {
        text += "<\(enclosure.element)>\(enclosure.content)</\(enclosure.element)>\n"
    }

    /// What the page's script works with. JSON is free of `<` but in texts, where it is written as an escape.
    mutating func data(id: String, _ json: JSONText) {
        open("script", ["type": "application/json", "id": id])
        text += ">\(json.text.replacing("<", with: "\\u003c"))</script>\n"
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
