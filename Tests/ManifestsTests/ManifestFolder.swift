import FlowRuns
import Foundation
import Manifests

/// The manifests in the folders next to the tests.
enum ManifestFolder: String {
    case faulty = "Faulty"
    case valid = "Valid"

    private var url: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(rawValue)
    }

    /// The names of the manifests without extension, sorted.
    var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    func file(_ name: String) throws -> SourceFile {
        let bytes = try Data(contentsOf: url.appendingPathComponent("\(name).yaml"))
        return SourceFile(path: "manifests/\(name).yaml", bytes: Array(bytes))
    }

    func goldenURL(_ name: String) -> URL { url.appendingPathComponent("\(name).txt") }
}

/// Creates a manifest of one flow; `lines` are added to the flow.
func manifest(flow lines: String = "", target: String = "prod") -> String {
    """
    apiVersion: sluice/v1
    kind: RunManifest
    metadata: {name: test}
    spec:
      target: \(target)
      flows:
        - flowId: 3abea21c-7e36-4be1-bec1-d3bad0e3e0de
          source: table

    """ + lines.split(separator: "\n").map { "      " + $0 + "\n" }.joined()
}

/// Loads a text as `test.yaml`, together with the target `prod`.
func load(_ text: String) throws -> (manifests: ManifestSet, diagnostics: [Diagnostic]) {
    try load(Array(text.utf8))
}

func load(_ bytes: [UInt8]) throws -> (manifests: ManifestSet, diagnostics: [Diagnostic]) {
    ManifestLoader().load([try ManifestFolder.valid.file("target"), SourceFile(path: "test.yaml", bytes: bytes)])
}
