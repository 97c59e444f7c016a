import FlowRuns
import Foundation
import Manifests
import Testing

/// Probes each mapping of a manifest with one unknown key: the keys that the loader reports as missing and known must
/// be those of the schema.
@Suite("Agreement of schemas and loader")
struct SchemaAgreementTests {
    private struct Schema: Decodable {
        struct Definition: Decodable {
            var properties: [String: Property]?
            var required: [String]?
            /// Alternatives, the first of which has the required keys of an ordinary manifest, for one target.
            var anyOf: [Requirement]?
            var oneOf: [Requirement]?

            func required(in name: String) -> Set<String> {
                let alternatives = ["runManifest", "flow"].contains(name) ? anyOf ?? oneOf : nil
                return Set((required ?? []) + (alternatives?.first?.required ?? []))
            }
        }

        struct Requirement: Decodable {
            var required: [String]?
        }

        struct Property: Decodable {
            /// The allowed values; `null` stands for an absent key.
            var `enum`: [String?]?
        }

        var properties: [String: Property]
        var required: [String]
        var definitions: [String: Definition]

        enum CodingKeys: String, CodingKey {
            case properties, required
            case definitions = "$defs"
        }

        init() throws {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            let file = root.standardizedFileURL.appendingPathComponent("schemas/manifest.schema.json")
            self = try JSONDecoder().decode(Schema.self, from: Data(contentsOf: file))
        }
    }

    /// A mapping with a key so unusual that the help lists all known keys instead of a similar one.
    private static let strange = "{qqqqqqqqqqqqqqqqqqqqqqqq: 1}"

    private static func document(_ kind: String, _ spec: String) -> String {
        "{apiVersion: sluice/v1, kind: \(kind), metadata: {name: x}, spec: \(spec)}"
    }

    private static func target(_ part: String) -> String {
        document("Target", "{service: embedded, organization: o, sandbox: s, ledger: 'sqlite:a', \(part)}")
    }

    private static func flow(_ part: String) -> String {
        document(
            "RunManifest",
            "{target: prod, flows: [{flowId: 3abea21c-7e36-4be1-bec1-d3bad0e3e0de, source: table, \(part)}]}")
    }

    private static let probes: [(definition: String, yaml: String)] = [
        ("target", document("Target", strange)),
        ("request", target("request: \(strange)")),
        ("limits", target("limits: \(strange)")),
        ("links", target("links: \(strange)")),
        ("metadata", "{apiVersion: sluice/v1, kind: Target, metadata: \(strange), spec: {}}"),
        ("metadata", "{apiVersion: sluice/v1, kind: RunManifest, metadata: \(strange), spec: {}}"),
        ("runManifest", document("RunManifest", strange)),
        ("flow", document("RunManifest", "{target: prod, flows: [\(strange)]}")),
        ("flowInTarget", flow("targets: {prod: {qqqqqqqqqqqqqqqqqqqqqqqq: 1}}")),
        ("deltaColumn", flow("deltaColumn: \(strange)")),
        ("window", flow("windows: [\(strange)]")),
        ("series", flow("series: [\(strange)]")),
        ("rerun", flow("rerun: [\(strange)]")),
        ("acknowledged", flow("acknowledged: [\(strange)]")),
        ("flowLimits", flow("limits: \(strange)")),
        ("retryFailed", flow("retryFailed: \(strange)")),
        ("expect", flow("expect: \(strange)")),
        ("paused", flow("paused: \(strange)")),
        ("paused", document("RunManifest", "{target: prod, flows: [], paused: \(strange)}")),
    ]

    @Test("schema and loader agree on the keys of every mapping, and on the required ones", arguments: probes)
    func keys(definition: String, yaml: String) throws {
        let expected = try #require(try Schema().definitions[definition])
        let diagnostics = try load(yaml).diagnostics
        let unknown = try #require(diagnostics.first { $0.code == .unknownKey })
        // Missing keys of the same mapping are reported at its start, one column before its first key.
        let missing = diagnostics.filter {
            $0.code == .missingKey && $0.place?.column == (unknown.place?.column ?? 0) - 1
        }
        #expect(try words(in: #require(unknown.suggestion)) == Set(try #require(expected.properties).keys))
        #expect(
            Set(missing.flatMap { words(in: $0.message).subtracting([definition]) })
                == expected.required(in: definition))
    }

    @Test("schema and loader agree on the keys of a document and on its kinds")
    func document() throws {
        // Without a known key, it would be a file of another program.
        let diagnostics = try load("{kind: Target, \(Self.strange.dropFirst())").diagnostics
        let expected = try Schema()
        let known = words(in: diagnostics.compactMap(\.suggestion).joined())
        #expect(known == Set(expected.properties.keys))
        #expect(known == Set(expected.required))
        for kind in try #require(expected.properties["kind"]?.enum).compactMap(\.self) {
            #expect(try !load(Self.document(kind, "{}")).diagnostics.contains { $0.code == .unknownWord })
        }
    }

    @Test("schema and loader agree on the words that a value may have")
    func wordsOfValues() throws {
        let schema = try Schema()
        func words(_ definition: String, _ key: String) -> [String]? {
            schema.definitions[definition]?.properties?[key]?.enum?.compactMap(\.self)
        }
        #expect(words("request", "times") == WireForm.Times.allCases.map(\.rawValue))
        #expect(words("request", "startTime") == WireForm.StartTime.allCases.map(\.rawValue))
        #expect(words("flow", "source") == SourceKind.allCases.map(\.rawValue))
        #expect(words("flow", "overlap") == FlowDeclaration.Overlap.allCases.map(\.rawValue))
        #expect(words("flow", "order") == FlowDeclaration.Order.allCases.map(\.rawValue))
    }

    /// Returns the words in single quotes.
    private func words(in text: String) -> Set<String> {
        Set(
            text.split(separator: "'", omittingEmptySubsequences: false).enumerated().compactMap { index, part in
                index % 2 == 1 ? String(part) : nil
            })
    }
}
