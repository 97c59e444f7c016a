import Foundation

/// What a person should read, kept in a file beside the tests.
package struct GoldenFile {
    private let url: URL

    /// - Parameters:
    ///   - name: below the folder of the tests, such as `Golden/plan.txt`.
    ///   - test: the source file of the test.
    package init(_ name: String, beside test: String = #filePath) {
        url = URL(filePath: test).deletingLastPathComponent().appending(path: name)
    }

    /// What the file holds. With `SLUICE_UPDATE_GOLDEN=1` in the environment it is written anew first.
    package func text(updatingTo text: String) throws -> String {
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        return String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }
}
