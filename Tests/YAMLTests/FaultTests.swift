import Foundation
import TestSupport
import Testing
import YAML

@Suite("what is said of faulty YAML")
struct FaultTests {
    @Test("each faulty text gets its place, a clear sentence and, where it can be told, what to write instead")
    func messages() throws {
        let rendered = faultyTexts.map { text in
            let stream = YAMLReader().read(text.bytes)
            return "# \(text.name)\n" + stream.faults.map(\.rendered).joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
        #expect(try rendered == GoldenFile("Golden/faults.txt").text(updatingTo: rendered))
    }

    @Test("every faulty text has a fault", arguments: faultyTexts.map(\.name))
    func isFaulty(name: String) throws {
        let text = try #require(faultyTexts.first { $0.name == name })
        let faults = YAMLReader().read(text.bytes).faults
        #expect(!faults.isEmpty)
        for fault in faults {
            #expect(!fault.message.hasSuffix(".") && !fault.message.hasPrefix("this is not well-formed"))
        }
    }

    @Test("documents before a syntax fault are kept, the broken one is not")
    func documentsBeforeAFault() {
        let stream = read("a: 1\n---\nb: 2\n---\nc: [\n---\nd: 4\n")
        #expect(stream.documents.map { $0.root?.shape } == ["{|a|: |1|}", "{|b|: |2|}"])
        #expect(stream.faults.map(\.kind) == [.syntax])
    }

    @Test("faults that leave the shape whole leave the document to be read on")
    func documentsWithFaults() {
        let stream = read("a: *b\nc: {d: 1, d: 2}\n---\ne: 5\n")
        #expect(stream.documents.map { $0.root?.shape } == ["{|a|: ||, |c|: {|d|: |1|, |d|: |2|}}", "{|e|: |5|}"])
        #expect(stream.faults.map(\.kind) == [.undefinedAlias, .duplicateKey])
    }

    @Test("a fault in an anchored mapping is told once, not once for each alias")
    func faultsInAliases() {
        let stream = read("a: &a {b: 1, b: 2, <<: 3}\nc: [*a, *a, *a]\nd: {<<: *a}\n")
        #expect(stream.faults.map(\.kind) == [.duplicateKey, .mergeValue])
    }

    @Test("reading ends after a thousand faults, and says so")
    func manyFaults() {
        let stream = read(String(repeating: "- {a: 1, a: 2}\n", count: 5_000))
        #expect(stream.faults.count == 1_001)
        #expect(stream.faults.last?.kind == .tooManyFaults)
        #expect(stream.documents.isEmpty)
    }

    @Test("equal keys are found among thousands, each with its first place")
    func duplicateAmongMany() {
        var text = ""
        for number in 0..<20_000 { text += "key\(number * 7_919 % 20_011): 1\n" }
        #expect(read(text).faults.isEmpty)
        let faults = read(text + "key7919: 2\nkey0: 3\n").faults
        #expect(faults.map(\.start.line) == [20_001, 20_002])
        #expect(faults.map(\.note?.mark.line) == [2, 1])
    }
}
