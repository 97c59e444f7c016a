import Foundation

/// The summary page of a job, where the environment offers one (GitHub Actions, and others that follow it).
enum JobSummary {
    /// - Parameter markdown: goes below what the job's steps have written before.
    static func add(_ markdown: [UInt8]) throws(Failure) {
        guard let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let earlier = FileManager.default.contents(atPath: path).map(Array.init) ?? []
        try FileOutput.write(earlier + markdown, to: path)
    }
}
