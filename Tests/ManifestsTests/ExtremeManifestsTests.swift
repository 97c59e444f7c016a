import Manifests
import Reports
import TestSupport
import Testing
import Text
import YAML

@Suite("Extreme manifests")
struct ExtremeManifestsTests {
    private func codes(_ text: String) throws -> [DiagnosticCode] { try load(text).diagnostics.map(\.code) }

    @Test("brackets nested a hundred thousand deep are refused", arguments: ["[", "{a: ", "- ", "? "])
    func nesting(opening: String) throws {
        #expect(try codes(String(repeating: opening, count: 100_000)).contains(.tooDeep))
    }

    @Test("an alias bomb is refused")
    func aliases() throws {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let previous = repeatElement("*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(previous)]\n"
        }
        #expect(try codes(bomb).contains(.tooManyAliases))
    }

    @Test("a file that is larger than the limit is not read")
    func size() {
        var limits = ReadingLimits()
        limits.bytes = 1000
        let file = SourceFile(path: "large.yaml", bytes: Array(repeating: UInt8(ascii: "#"), count: 1001))
        #expect(ManifestLoader(limits: limits).load([file]).diagnostics.map(\.code) == [.tooLarge])
    }

    @Test("non-text bytes are refused", arguments: [[0x61, 0x00, 0x62], [0x61, 0xFF], [0xC3], [0x61, 0x07]])
    func noText(bytes: [UInt8]) throws {
        let diagnostics = try load(bytes).diagnostics
        #expect(diagnostics.map(\.code) == [.encoding])
        #expect(diagnostics.first?.place?.line == 1)
    }

    @Test("UTF-16 with a byte order mark is read like UTF-8", arguments: [true, false])
    func utf16(isBigEndian: Bool) throws {
        let faulty = manifest(flow: "deltaColum: {name: \"連絡先\"}")
        let bytes = ("\u{FEFF}" + faulty).utf16.flatMap { unit in
            isBigEndian ? [UInt8(unit >> 8), UInt8(unit & 255)] : [UInt8(unit & 255), UInt8(unit >> 8)]
        }
        let diagnostics = try load(bytes).diagnostics
        #expect(diagnostics == (try load(faulty).diagnostics))
        let source = SourceFile(path: "test.yaml", bytes: bytes)
        #expect(DiagnosticsReport(diagnostics, sources: [source]).written().contains("deltaColum: {name: \"連絡先\"}"))
    }

    @Test("a UTF-8 byte order mark does not shift the place")
    func byteOrderMark() throws {
        let faulty = "\u{FEFF}nonsense: {}\nkind: Target"
        let diagnostics = try load(faulty).diagnostics
        let source = SourceFile(path: "test.yaml", bytes: Array(faulty.utf8))
        #expect(
            DiagnosticsReport(diagnostics, sources: [source]).written().contains("1 | nonsense: {}\n  | ^^^^^^^^\n"))
    }

    @Test("of many errors, the first thousand are shown and the rest are counted")
    func manyFaults() throws {
        let windows = repeatElement("{start: 2, end: 1}", count: 5000).joined(separator: ", ")
        let diagnostics = try load(manifest(flow: "windows: [\(windows)]")).diagnostics
        #expect(diagnostics.count == 1001)
        #expect(diagnostics.first?.code == .tooManyErrors)
        #expect(diagnostics.first?.message == "test.yaml has 4000 more errors, which are not shown")
    }

    @Test("random bytes cause diagnostics, but no crash")
    func noise() throws {
        let seedText = Array(manifest(flow: "windows:\n  - {start: 1, end: \"2022-05-03T15:00:00Z\"}").utf8)
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            var bytes = seedText
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(contentsOf: [0x5B, 0x7B, 0x26, 0x2A].shuffled(using: &random), at: index)
                }
            }
            let file = SourceFile(path: "noise.yaml", bytes: bytes)
            let diagnostics = ManifestLoader().load([file]).diagnostics
            #expect(
                DiagnosticsReport(diagnostics, sources: [file]).written(.text, TextStyle(color: true)).isEmpty
                    == diagnostics.isEmpty)
        }
    }
}
