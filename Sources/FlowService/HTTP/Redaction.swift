import Foundation

/// Takes secrets out of whatever comes back, before anybody shows, logs or stores it: services do echo tokens, as they
/// are, with JSON's escapes (`\/`, `\u002f`), percent-encoded, or in base64.
struct Redaction: Sendable {
    /// Longest first, so that a secret within another leaves no rest of it.
    private let patterns: [[UInt8]]

    /// Secrets of fewer than four bytes are left: they would tear ordinary words apart.
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
    /// How base64 writes these bytes wherever they stand within others: what depends on them alone, for each of the
    /// three places where they can begin, in both alphabets.
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

    /// Where the pattern ends that begins at `start`, each of its bytes as it is or in one of its escapes.
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
        // JSON within JSON is escaped more than once.
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
