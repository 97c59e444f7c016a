import Testing
import YAML

@Suite("Documents and scalars")
struct DocumentTests {
    @Test(
        "a text without values has no documents, or documents without a root",
        arguments: [
            ("", 0), ("\n\n", 0), ("# only\n# comments\n", 0), ("   \n", 0), ("\u{FEFF}", 0), ("---", 1),
            ("---\n...\n", 1), ("--- # nothing\n---\n", 2),
        ])
    func empty(text: String, documents: Int) {
        let stream = read(text)
        #expect(stream.errors.isEmpty)
        #expect(stream.documents.count == documents)
        #expect(stream.documents.allSatisfy { $0.root == nil })
    }

    @Test("several documents keep their order and their start lines")
    func several() {
        let stream = read("# first\na: 1\n---\nb\n...\n%YAML 1.2\n---\n[c]\n--- ~\n--- !!str\n")
        #expect(stream.errors.isEmpty)
        #expect(stream.documents.map { $0.root?.shape } == ["{|a|: |1|}", "|b|", "[|c|]", "|~|", "||"])
        #expect(stream.documents.map(\.start.line) == [2, 3, 6, 9, 10])
    }

    @Test(
        "scalars are decoded",
        arguments: [
            ("plain text", "plain text"), ("plain\n  over\n\n  lines", "plain over\nlines"),
            ("'it''s'", "it's"), (#""\t\"\\\x41\u00e4\U0001F600\n""#, "\t\"\\Aä😀\n"), ("\"a\\\n  b\"", "ab"),
            ("|\n  a\n   b\n", "a\n b\n"), ("|-\n  a\n", "a"), ("|+\n  a\n\n", "a\n\n"),
            (">\n  a\n  b\n\n  c\n", "a b\nc\n"),
            ("|2\n   a\n", " a\n"), ("\"\"", ""), ("a:b", "a:b"), ("a#b", "a#b"), ("-1", "-1"), ("日本 é", "日本 é"),
            ("n°\u{A0}5", "n°\u{A0}5"), ("'\u{A0}a:\u{A0}'", "\u{A0}a:\u{A0}"), ("\"\\_\\uFEFF\"", "\u{A0}\u{FEFF}"),
            ("|\n  \u{A0}a #\u{A0}b\n", "\u{A0}a #\u{A0}b\n"), ("et voilà\u{A0}! #\u{A0}x", "et voilà\u{A0}!"),
        ])
    func scalars(yaml: String, text: String) throws {
        let node = try #require(soundRoot("--- " + yaml))
        #expect(node.text == text)
        #expect(node.withText { Array($0) } == Array(text.utf8))
    }

    @Test("only an untagged and unquoted scalar is plain, and an explicit tag is resolved")
    func styles() throws {
        let root = try #require(
            soundRoot("%TAG !s! tag:example.org,2024:\n---\n[a, 'a', \"a\", !!str a, ! a, !s!x a, []]"))
        #expect(root.elements.map(\.isPlain) == [true, false, false, false, false, false, false])
        #expect(
            root.elements.map(\.tag) == [
                nil, nil, nil, "tag:yaml.org,2002:str", "!", "tag:example.org,2024:x", nil,
            ])
    }

    @Test("a text is compared byte for byte, without a string")
    func comparison() throws {
        let root = try #require(soundRoot("[start, sta, starts, 'start', [start], é]"))
        #expect(root.elements.map { $0.hasText("start") } == [true, false, false, true, false, false])
        #expect(root[5]?.hasText("é") == true && root[5]?.hasText("e\u{301}") == false)
    }

    @Test("collections have a count, and nested ones are skipped as a whole")
    func collections() throws {
        let root = try #require(soundRoot("{a: [1, [2, {b: 3}], 4], c: {}, ? d, e: []}"))
        #expect(root.shape == "{|a|: [|1|, [|2|, {|b|: |3|}], |4|], |c|: {}, |d|: ||, |e|: []}")
        #expect(root.count == 4 && root["a"]?.count == 3 && root["c"]?.count == 0 && root["d"]?.count == 0)
        #expect(Array(root.elements).isEmpty && root["a"]?.pairs.contains { _ in true } == false)
        #expect(root["a"]?.text == "")
    }

    @Test("UTF-16 is read by its byte order mark", arguments: [true, false])
    func utf16(isLittleEndian: Bool) throws {
        let bytes = "\u{FEFF}größe: [😀, b]\nc: 1\n".utf16.flatMap { unit in
            isLittleEndian ? [UInt8(unit & 0xFF), UInt8(unit >> 8)] : [UInt8(unit >> 8), UInt8(unit & 0xFF)]
        }
        let stream = YAMLReader().read(bytes)
        #expect(stream.errors.isEmpty)
        let root = try #require(stream.documents.first?.root)
        #expect(root.shape == "{|größe|: [|😀|, |b|], |c|: |1|}")
        #expect(root["größe"]?[1]?.span == "1:12-1:13")
    }
}
