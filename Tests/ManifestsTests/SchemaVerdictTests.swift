import Foundation
import Manifests
import TestSupport
import Testing
import YAML

/// The schemas are what an editor goes by, the loader what Sluice goes by.
@Suite("What a schema refuses the loader refuses")
struct SchemaVerdictTests {
    /// What the loader refuses and the schemas do not, and why they cannot.
    private static let beyondTheSchemas = [
        "flow-twice": "a schema does not see that two flows have one id",
        "manifest-twice": "nor two manifests one name",
        "target-twice": "nor two targets",
        "sandbox-twice": "nor two targets that are one sandbox",
        "window-twice": "nor two windows of one flow that are the same moments, written in two ways",
        "unknown-target": "a schema sees one document, and the target is in another",
        "reversed-windows": "a schema cannot compare a start with an end",
        "series-too-long": "nor count how many windows a series cuts",
        "tag": "a YAML tag is gone before a schema sees the value",
    ]

    /// The documents that hold something; `nil` when the YAML itself is faulty.
    private static func documents(_ bytes: [UInt8]) -> [Tree]? {
        let stream = YAMLReader().read(bytes)
        guard stream.errors.isEmpty else { return nil }
        return stream.documents.compactMap(\.root).filter { !$0.isNull }.map { Tree($0) }
    }

    private static func faults(in documents: [Tree]) throws -> [String?] {
        try SchemaValidator.faults(in: documents.map { .init("manifest", $0.json) })
    }

    @Test("over all faulty manifests, and what it refuses beyond them is listed with the reason")
    func faulty() throws {
        let names = ManifestFolder.faulty.names
        let files = try names.map { try ManifestFolder.faulty.file($0) }
        let documents = files.map { Self.documents($0.bytes) }
        var faults = try Self.faults(in: documents.flatMap { $0 ?? [] })[...]
        var beyond: Set<String> = []
        for (index, name) in names.enumerated() {
            let count = documents[index]?.count
            let own = count.map { faults.prefix($0).compactMap(\.self) } ?? ["this is no YAML"]
            faults = faults.dropFirst(count ?? 0)
            let isRefused = try load(files[index].bytes).diagnostics.hasErrors
            if !own.isEmpty { #expect(isRefused, "\(name): \(own)") } else if isRefused { beyond.insert(name) }
        }
        #expect(beyond == Set(Self.beyondTheSchemas.keys))
    }

    @Test("over all sound manifests: neither has anything against them")
    func sound() throws {
        let examples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../manifests")
        let paths = FileManager.default.enumerator(atPath: examples.path)?.compactMap { $0 as? String } ?? []
        let manifests = try paths.filter { $0.hasSuffix(".yaml") && !$0.contains("/.") }.map {
            Array(try Data(contentsOf: examples.appending(path: $0)))
        }
        #expect(manifests.count > 8)
        let all = try manifests + ManifestFolder.valid.names.map { try ManifestFolder.valid.file($0).bytes }
        let documents = try all.flatMap { try #require(Self.documents($0)) }
        for (document, fault) in zip(documents, try Self.faults(in: documents)) where fault != nil {
            Issue.record("\(fault ?? ""): \(document.json)")
        }
    }

    @Test(
        "over a thousand manifests that differ in one place from a sound one", arguments: ["design", "target", "life"])
    func mutants(name: String) throws {
        let documents = try #require(Self.documents(ManifestFolder.valid.file(name).bytes))
        // A document that holds nothing declares nothing, and is none.
        let mutants = documents.flatMap(\.mutants).filter { $0.json != "null" }
        let faults = try Self.faults(in: mutants)
        #expect(faults.count { $0 != nil } > 100)
        let target = try ManifestFolder.valid.file("target")
        for (mutant, fault) in zip(mutants, faults) {
            guard let fault else { continue }
            let file = SourceFile(path: "test.yaml", bytes: Array(mutant.json.utf8))
            // A target that is declared twice would be one more error.
            let files = name == "target" ? [file] : [file, target]
            #expect(ManifestLoader().load(files).diagnostics.hasErrors, "\(fault): \(mutant.json)")
        }
    }
}
