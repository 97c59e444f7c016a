import Foundation
import Testing

@Suite("Fuzzing corpus")
struct CorpusTests {
    @Test("every file of the corpus is read without a crash and consistently", arguments: FuzzTarget.all)
    func replay(target: FuzzTarget) async throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus/\(target.name)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count > 10)
        for file in files {
            let bytes = Array(try Data(contentsOf: file))
            await #expect(throws: Never.self, "\(file.lastPathComponent)") { try await target.check(bytes) }
        }
    }
}

extension FuzzTarget: CustomTestStringConvertible {
    var testDescription: String { name }
}
