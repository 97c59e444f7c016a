import Testing
import YAML

@Suite("Limits")
struct LimitTests {
    static let deep = 100_000

    @Test(
        "a hundred thousand nested collections are an error",
        arguments: ["[", "{a: ", "[\n", "- ", "? ", "{? ", "[{", "&a ["])
    func nested(opening: String) {
        let stream = read(String(repeating: opening, count: Self.deep))
        #expect(stream.documents.isEmpty)
        #expect(stream.errors.map(\.kind) == [.depth])
    }

    @Test("nesting up to the limit is read, one level deeper is not")
    func depthIsExact() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(nested(64)).errors.isEmpty)
        #expect(read(nested(65)).errors.map(\.start) == [Mark(line: 1, column: 65)])
    }

    @Test("aliases cannot be nested deeper than brackets")
    func depthOfAliases() {
        var text = "- &a0 [x]\n"
        for number in 1...100 { text += "- &a\(number) [*a\(number - 1)]\n" }
        let errors = read(text).errors
        #expect(errors.map(\.kind) == [.depth])
        // The list itself has depth 1, so an entry can contain 63 more levels.
        #expect(errors.first?.start.line == 64)
    }

    @Test("a billion-laughs attack is an error", arguments: [false, true])
    func billionLaughs(byMerging: Bool) {
        var text = "a0: &a0 {x: lol}\n"
        for number in 1...9 {
            let laughs = repeatElement("*a\(number - 1)", count: 10)
            text +=
                byMerging
                ? "a\(number): &a\(number) {k: [\(laughs.joined(separator: ", "))], <<: *a\(number - 1)}\n"
                : "a\(number): &a\(number) [\(laughs.joined(separator: ", "))]\n"
        }
        let stream = read(text)
        #expect(stream.errors.map(\.kind) == [.aliasNodes])
        #expect(stream.documents.isEmpty)
    }

    @Test("the limit on alias nodes applies to the whole file")
    func aliasNodesAreExact() {
        var limits = ReadingLimits()
        limits.aliasNodes = 4
        #expect(read("[&a [1], *a]\n---\n[&a [1], *a]\n", limits: limits).errors.isEmpty)
        #expect(read("[&a [1], *a, *a, *a]", limits: limits).errors.map(\.kind) == [.aliasNodes])
        let stream = read("[&a [1], *a]\n---\n[&a [1, 2], *a]\n", limits: limits)
        #expect(stream.documents.count == 1 && stream.errors.map(\.kind) == [.aliasNodes])
    }

    @Test("a file beyond the size limit is not read")
    func size() {
        var limits = ReadingLimits()
        limits.bytes = 8
        #expect(read("a: 12345", limits: limits).errors.isEmpty)
        let stream = read("a: 123456", limits: limits)
        #expect(stream.documents.isEmpty && stream.errors.map(\.kind) == [.size])
    }

    @Test("the depth limit has an upper bound of its own")
    func limitsOfLimits() {
        var limits = ReadingLimits()
        limits.depth = .max
        #expect(read(String(repeating: "[\n", count: Self.deep), limits: limits).errors.map(\.kind) == [.depth])
    }
}
