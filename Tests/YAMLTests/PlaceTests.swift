import Testing
import YAML

@Suite("Places of nodes")
struct PlaceTests {
    @Test("every node has an exact start and an exclusive end")
    func blockAndFlow() throws {
        let root = try #require(soundRoot("a: 1\nlist:\n  - x\n  - {k: v, w: [1, 2]}\n\n# done\nlast: \"q\"   # why\n"))
        #expect(root.span == "1:1-7:10")
        #expect(root.pairs.map(\.key.span) == ["1:1-1:2", "2:1-2:5", "7:1-7:5"])
        #expect(root.pairs.map(\.value.span) == ["1:4-1:5", "3:3-4:22", "7:7-7:10"])
        let flow = try #require(root["list"]?[1])
        #expect(flow.span == "4:5-4:22")
        #expect(flow["w"]?.span == "4:15-4:21")
        #expect(flow["w"]?[1]?.span == "4:19-4:20")
    }

    @Test("a column counts characters, not bytes")
    func unicodeColumns() throws {
        let root = try #require(soundRoot("{größe: 1, \"😀\": é, z: 日本}"))
        #expect(root.pairs.map(\.key.span) == ["1:2-1:7", "1:12-1:15", "1:20-1:21"])
        #expect(root.pairs.map(\.value.span) == ["1:9-1:10", "1:17-1:18", "1:23-1:25"])
    }

    @Test("a carriage return and line feed are one line break")
    func carriageReturns() throws {
        let root = try #require(soundRoot("a: 1\r\nb:\r\n  - 2\r\n\r\nc: 3\r\n"))
        #expect(root["b"]?[0]?.span == "3:5-3:6")
        #expect(root["c"]?.span == "5:4-5:5")
        #expect(root["c"]?.text == "3")
    }

    @Test("an absent value is placed directly after its indicator")
    func absentValues() throws {
        let root = try #require(soundRoot("a:\nb: [{c}]\nd:\n  -\n  - 1\n"))
        #expect(root["a"]?.span == "1:3-1:3")
        #expect(root["b"]?[0]?["c"]?.span == "2:7-2:7")
        #expect(root["d"]?[0]?.span == "4:4-4:4")
    }

    @Test("a text of several lines ends at the end of its last line")
    func severalLines() throws {
        let root = try #require(soundRoot("a: one\n  two\nb: \"x\n  y\"\nc: |\n  l\n  m\nd: 1\n"))
        #expect(root["a"]?.span == "1:4-2:6")
        #expect(root["b"]?.span == "3:4-4:5")
        #expect(root["c"]?.span == "5:4-8:1")
    }

    @Test("an alias node has the place of the alias, its contents have their own places")
    func aliases() throws {
        let root = try #require(soundRoot("a: &x {k: v}\nb: *x\nc:\n  <<: *x\n"))
        #expect(root["b"]?.span == "2:4-2:6")
        #expect(root["b"]?["k"]?.span == "1:11-1:12")
        #expect(root["c"]?["k"]?.span == "1:11-1:12")
        #expect(root["c"]?.span == "4:3-4:9")
    }

    @Test("a byte order mark takes no column")
    func byteOrderMark() throws {
        #expect(try #require(soundRoot("\u{FEFF}a: 1")).span == "1:1-1:5")
    }
}
