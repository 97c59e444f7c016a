import TestSupport
import Testing

/// Compares a text with a golden file.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let golden = try GoldenFile("Golden/\(name)").text(updatingTo: text)
    #expect(text == golden, "differs from Golden/\(name)", sourceLocation: sourceLocation)
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
