import Foundation
import TestSupport
import Testing
import YAML

@Suite("Errors in YAML")
struct ErrorTests {
    @Test("each faulty text has a place, a message and, if possible, a suggestion")
    func messages() throws {
        let rendered = faultyTexts.map { text in
            let stream = YAMLReader().read(text.bytes)
            return "# \(text.name)\n" + stream.errors.map(\.rendered).joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
        #expect(try rendered == GoldenFile("Golden/errors.txt").text(updatingTo: rendered))
    }

    @Test("every faulty text has an error", arguments: faultyTexts.map(\.name))
    func isFaulty(name: String) throws {
        let text = try #require(faultyTexts.first { $0.name == name })
        let errors = YAMLReader().read(text.bytes).errors
        #expect(!errors.isEmpty)
        for error in errors {
            #expect(!error.message.hasSuffix(".") && !error.message.hasPrefix("invalid YAML:"))
        }
    }

    @Test("documents before a syntax error are kept, the faulty one is not")
    func documentsBeforeAnError() {
        let stream = read("a: 1\n---\nb: 2\n---\nc: [\n---\nd: 4\n")
        #expect(stream.documents.map { $0.root?.shape } == ["{|a|: |1|}", "{|b|: |2|}"])
        #expect(stream.errors.map(\.kind) == [.syntax])
    }

    @Test("reading continues after errors that leave the structure intact")
    func documentsWithErrors() {
        let stream = read("a: *b\nc: {d: 1, d: 2}\n---\ne: 5\n")
        #expect(stream.documents.map { $0.root?.shape } == ["{|a|: ||, |c|: {|d|: |1|, |d|: |2|}}", "{|e|: |5|}"])
        #expect(stream.errors.map(\.kind) == [.undefinedAlias, .duplicateKey])
    }

    @Test("an error in an anchored mapping is reported once, not once per alias")
    func errorsInAliases() {
        let stream = read("a: &a {b: 1, b: 2, <<: 3}\nc: [*a, *a, *a]\nd: {<<: *a}\n")
        #expect(stream.errors.map(\.kind) == [.duplicateKey, .mergeValue])
    }

    @Test("reading ends after a thousand errors with an error about their number")
    func manyErrors() {
        let stream = read(String(repeating: "- {a: 1, a: 2}\n", count: 5_000))
        #expect(stream.errors.count == 1_001)
        #expect(stream.errors.last?.kind == .tooManyErrors)
        #expect(stream.documents.isEmpty)
    }

    @Test("duplicate keys are found among thousands, each with its first place")
    func duplicateAmongMany() {
        var text = ""
        for number in 0..<20_000 { text += "key\(number * 7_919 % 20_011): 1\n" }
        #expect(read(text).errors.isEmpty)
        let errors = read(text + "key7919: 2\nkey0: 3\n").errors
        #expect(errors.map(\.start.line) == [20_001, 20_002])
        #expect(errors.map(\.note?.mark.line) == [2, 1])
    }
}
