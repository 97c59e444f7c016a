import Foundation

/// JSON with what Foundation forgets: the order of members, members that come twice, and numbers as they were written.
enum WireJSON: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// Its digits, so that none of a long number is lost.
    case number(String)
    case string(String)
    case array([WireJSON])
    case object([Member])

    struct Member: Hashable, Sendable {
        let name: String
        let value: WireJSON
    }

    /// The text is no JSON from this byte on.
    struct Unreadable: Error {
        let place: Int
    }

    init(_ text: String) throws {
        var reader = WireJSONReader(text)
        self = try reader.document()
    }

    /// The first member of this name; `nil` when there is none, or this is no object.
    subscript(name: String) -> WireJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    subscript(index: Int) -> WireJSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var elements: [WireJSON] { if case .array(let elements) = self { elements } else { [] } }

    /// A number that was written as a whole one.
    var integer: Int64? { if case .number(let digits) = self { Int64(digits) } else { nil } }

    /// What it is, for a mismatch.
    var words: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "the truth value \(value)"
        case .number(let digits): "the number \(digits)"
        case .string(let text): "the string '\(text)'"
        case .array(let elements): "an array of \(elements.count)"
        case .object: "an object"
        }
    }
}

private struct WireJSONReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func document() throws -> WireJSON {
        let root = try value()
        guard next() == nil else { throw fault }
        return root
    }

    private var fault: WireJSON.Unreadable { WireJSON.Unreadable(place: place) }

    /// The next byte that is no white space, left where it is.
    private mutating func next() -> UInt8? {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
        return place < bytes.count ? bytes[place] : nil
    }

    private mutating func value() throws -> WireJSON {
        guard let byte = next() else { throw fault }
        switch byte {
        case UInt8(ascii: "{"): return .object(try list(until: UInt8(ascii: "}")) { reader in try reader.member() })
        case UInt8(ascii: "["): return .array(try list(until: UInt8(ascii: "]")) { reader in try reader.value() })
        case UInt8(ascii: "\""): return .string(try string())
        default: return try word()
        }
    }

    private mutating func list<Element>(
        until close: UInt8, _ element: (inout WireJSONReader) throws -> Element
    ) throws -> [Element] {
        place += 1
        var elements: [Element] = []
        while next() != close {
            if !elements.isEmpty { try skip(UInt8(ascii: ",")) }
            elements.append(try element(&self))
        }
        place += 1
        return elements
    }

    private mutating func member() throws -> WireJSON.Member {
        guard next() == UInt8(ascii: "\"") else { throw fault }
        let name = try string()
        try skip(UInt8(ascii: ":"))
        return WireJSON.Member(name: name, value: try value())
    }

    private mutating func skip(_ byte: UInt8) throws {
        guard next() == byte else { throw fault }
        place += 1
    }

    private mutating func string() throws -> String {
        let start = place
        place += 1
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        place += 1
        guard place <= bytes.count, let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<place]))
        else { throw WireJSON.Unreadable(place: start) }
        return text
    }

    private mutating func word() throws -> WireJSON {
        let start = place
        let isPart = { (byte: UInt8) in !",]}: \t\r\n".utf8.contains(byte) }
        while place < bytes.count, isPart(bytes[place]) { place += 1 }
        let word = String(decoding: bytes[start..<place], as: UTF8.self)
        switch word {
        case "null": return .null
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default:
            let isNumber = word.allSatisfy { "0123456789+-.eE".contains($0) } && Double(word) != nil
            guard isNumber, !word.hasPrefix("+") else { throw WireJSON.Unreadable(place: start) }
            return .number(word)
        }
    }
}
