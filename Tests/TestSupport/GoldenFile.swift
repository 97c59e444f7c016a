import Foundation

/// A file with an expected output, next to the tests.
package struct GoldenFile {
    private let url: URL

    /// Locates a golden file.
    ///
    /// - Parameters:
    ///   - name: The path relative to the tests, such as `Golden/plan.txt`.
    ///   - test: The source file of the test.
    package init(_ name: String, beside test: String = #filePath) {
        url = URL(filePath: test).deletingLastPathComponent().appending(path: name)
    }

    /// Returns the contents of the file, which are first replaced by `text` if `SLUICE_UPDATE_GOLDEN=1` is set.
    package func text(updatingTo text: String) throws -> String {
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        return String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }
}
