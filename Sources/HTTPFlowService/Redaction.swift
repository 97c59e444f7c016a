import FlowService
import Foundation

/// A filter that removes secrets from service answers before they are shown, logged or stored. Services do echo tokens:
/// verbatim, JSON-escaped (`\/`, `\u002f`), percent-encoded, or in base64.
struct Redaction: Sendable {
    /// Patterns to remove, longest first, so that a secret contained in another one leaves no remainder.
    private let patterns: [[UInt8]]

    /// Ignores secrets shorter than four bytes, which would match ordinary words.
    init(_ secrets: [String]) {
        let plain = Set(secrets).map { Array($0.utf8) }.filter { $0.count >= 4 }
        let encoded = plain.filter { $0.count >= 8 }.flatMap { $0.base64Forms }
        patterns = (plain + encoded).sorted {
            $0.count == $1.count ? $1.lexicographicallyPrecedes($0) : $0.count > $1.count
        }
    }

    func callAsFunction(_ text: String) -> String {
        var text = Array(text.utf8)
        for pattern in patterns { text = text.removing(pattern) }
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// The base64 forms of these bytes when embedded in other bytes: the characters that depend on these bytes alone,
    /// for each of the three alignments and both alphabets.
    fileprivate var base64Forms: [[UInt8]] {
        (0..<3).flatMap { offset in
            let text = Data([UInt8](repeating: 0, count: offset) + self).base64EncodedString()
            let own = text.utf8.dropFirst((offset * 8 + 5) / 6).prefix((offset + count) * 8 / 6 - (offset * 8 + 5) / 6)
            let standard = Array(own)
            let forAddresses = standard.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 }
                .map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
            return standard == forAddresses ? [standard] : [standard, forAddresses]
        }
    }

    fileprivate func removing(_ pattern: [UInt8]) -> [UInt8] {
        var rest: [UInt8] = []
        var index = 0
        while index < count {
            if let end = end(of: pattern, from: index) {
                rest += Array("[redacted]".utf8)
                index = end
            } else {
                rest.append(self[index])
                index += 1
            }
        }
        return rest
    }

    /// Returns the end of a match that begins at `start`, where each byte is literal or escaped; `nil` if there is no
    /// match.
    private func end(of pattern: [UInt8], from start: Int) -> Int? {
        var index = start
        for byte in pattern {
            guard let next = index < count ? end(of: byte, from: index) : nil else { return nil }
            index = next
        }
        return index
    }

    private func end(of byte: UInt8, from index: Int) -> Int? {
        if self[index] == byte { return index + 1 }
        if self[index] == UInt8(ascii: "%") { return code(from: index + 1, digits: 2) == Int(byte) ? index + 3 : nil }
        // JSON embedded in JSON is escaped repeatedly.
        var next = index
        while next < count, self[next] == UInt8(ascii: "\\") { next += 1 }
        guard next > index, next < count else { return nil }
        if self[next] == byte { return next + 1 }
        return self[next] == UInt8(ascii: "u") && byte < 0x80 && code(from: next + 1, digits: 4) == Int(byte)
            ? next + 5 : nil
    }

    private func code(from index: Int, digits: Int) -> Int? {
        guard index + digits <= count else { return nil }
        return Int(String(decoding: self[index..<index + digits], as: UTF8.self), radix: 16)
    }
}
