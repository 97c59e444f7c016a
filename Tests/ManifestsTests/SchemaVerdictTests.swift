import Foundation
import Manifests
import TestSupport
import Testing
import YAML

/// Compares the schemas, which editors use, with the loader, which Sluice uses.
@Suite("Schemas and loader")
struct SchemaVerdictTests {
    /// Manifests that only the loader rejects, with the reasons why a schema cannot.
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

    /// Returns the documents that are not empty; `nil` if the YAML is invalid.
    private static func documents(_ bytes: [UInt8]) -> [Tree]? {
        let stream = YAMLReader().read(bytes)
        guard stream.errors.isEmpty else { return nil }
        return stream.documents.compactMap(\.root).filter { !$0.isNull }.map { Tree($0) }
    }

    private static func faults(in documents: [Tree]) throws -> [String?] {
        try SchemaValidator.faults(in: documents.map { .init("manifest", $0.json) })
    }

    @Test("the loader rejects faulty manifests that the schema rejects; those that only the loader rejects are listed")
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

    @Test("valid manifests are accepted by both schema and loader")
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
        "the loader rejects all mutated manifests that the schema rejects", arguments: ["design", "target", "life"])
    func mutants(name: String) throws {
        let documents = try #require(Self.documents(ManifestFolder.valid.file(name).bytes))
        // An empty document declares nothing and is skipped by the loader.
        let mutants = documents.flatMap(\.mutants).filter { $0.json != "null" }
        let faults = try Self.faults(in: mutants)
        #expect(faults.count { $0 != nil } > 100)
        let target = try ManifestFolder.valid.file("target")
        for (mutant, fault) in zip(mutants, faults) {
            guard let fault else { continue }
            let file = SourceFile(path: "test.yaml", bytes: Array(mutant.json.utf8))
            // The mutant replaces the target; loading both would be an additional error.
            let files = name == "target" ? [file] : [file, target]
            #expect(ManifestLoader().load(files).diagnostics.hasErrors, "\(fault): \(mutant.json)")
        }
    }
}
