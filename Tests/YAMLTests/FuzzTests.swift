import TestSupport
import Testing
import Text
import YAML

@Suite("Random texts")
struct FuzzTests {
    static let soundTexts = [
        "a: 1\nlist:\n  - x\n  - {k: v, w: [1, 2]}\n# done\nlast: \"q\\n\"\n",
        "base: &b {x: 1, y: [2, *c]}\n---\nbase: &b {x: 1}\nuse: {<<: *b, y: 2}\nall: [*b, *b]\n",
        "%YAML 1.2\n---\n? k\n: |2-\n   text\n\n>: 'it''s'\n...\n--- !!str ä😀\n",
        "m: &m {a: &n [1], <<: [{b: *n}, {<<: {c: 3}}]}\nn: {<<: *m, ? *n : 1, d: *m}\n",
        "\u{FEFF}a:\r\n\t- b\r\n  - \"c\\\r\n d\"\r\n",
    ].map { Array($0.utf8) }
    static let pieces = [
        "<<: ", "*b", "&b ", "[", "]", "{", "}", "- ", "? ", ": ", "\n", "\n  ", "---\n", "...\n", "\"", "'", "|", "\t",
        "!!x ",
        "%FOO\n", "\0", "#", "\u{85}", "\u{2028}", "\r", ", ", "\u{A0}",
        "\u{FEFF}", "\u{202E}",
    ].map { Array($0.utf8) }

    @Test("random mutations neither crash nor confuse the reader", arguments: 1...20 as ClosedRange<UInt64>)
    func mutated(seed: UInt64) throws {
        var numbers = SeededGenerator(seed: seed)
        let seeds = Self.soundTexts + faultyTexts.map(\.bytes)
        var limits = ReadingLimits()
        limits.depth = 12
        limits.aliasNodes = 200
        let reader = YAMLReader(limits: limits)
        for _ in 0..<500 {
            let bytes = mutation(of: seeds, &numbers)
            let stream = reader.read(bytes)
            let isSound = stream.documents.allSatisfy { $0.root.map { holdsTogether($0, depth: 1) } ?? true }
            #expect(
                isSound && stream.errors.map(\.start) == stream.errors.map(\.start).sorted(), "seed \(seed): \(bytes)")
        }
    }

    private func mutation(of seeds: [[UInt8]], _ numbers: inout SeededGenerator) -> [UInt8] {
        var bytes = seeds[Int.random(in: 0..<seeds.count, using: &numbers)]
        for _ in 0..<Int.random(in: 1...6, using: &numbers) {
            let place = Int.random(in: 0...bytes.count, using: &numbers)
            let end = min(bytes.count, place + Int.random(in: 0...4, using: &numbers))
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &numbers), at: place)
            case 2:
                bytes.insert(contentsOf: Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &numbers)], at: place)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &numbers))
            default: bytes.insert(contentsOf: seeds[Int.random(in: 0..<seeds.count, using: &numbers)], at: place)
            }
        }
        return bytes
    }

    /// Returns whether marks are valid, ends follow starts, texts are UTF-8, and the depth is within the limit.
    private func holdsTogether(_ node: YAMLNode, depth: Int) -> Bool {
        guard node.start.line >= 1, node.start.column >= 1, node.start <= node.end else { return false }
        switch node.kind {
        case .scalar: return node.withText { String(validating: $0, as: UTF8.self) != nil }
        case .sequence:
            return depth <= 12 && node.elements.allSatisfy { holdsTogether($0, depth: depth + 1) }
                && node.elements.reduce(0) { count, _ in count + 1 } == node.count
        case .mapping:
            return depth <= 12
                && node.pairs.allSatisfy {
                    holdsTogether($0.key, depth: depth + 1) && holdsTogether($0.value, depth: depth + 1)
                } && node.pairs.reduce(0) { count, _ in count + 1 } == node.count
        }
    }
}
