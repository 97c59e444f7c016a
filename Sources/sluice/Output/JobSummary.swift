import Foundation

/// The summary page of a CI job, if the environment has one (GitHub Actions and compatible services).
enum JobSummary {
    /// Appends to the page.
    ///
    /// - Parameter markdown: The text to add below the output of earlier steps.
    static func add(_ markdown: [UInt8]) throws(Failure) {
        guard let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let earlier = FileManager.default.contents(atPath: path).map(Array.init) ?? []
        try FileOutput.write(earlier + markdown, to: path)
    }
}
