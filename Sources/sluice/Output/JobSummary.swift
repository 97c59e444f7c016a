import Foundation
import Reports
import Text

/// The summary page of a CI job, if the environment has one (GitHub Actions and compatible services).
enum JobSummary {
    /// Appends to what the job's steps have written before. A summary that cannot be written is a warning: it only
    /// reports.
    static func add(_ markdown: [UInt8]) {
        guard let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let number = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
        guard number >= 0 else { return warn(path) }
        defer { close(number) }
        var rest = markdown[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR { return warn(path) }
            rest = rest.dropFirst(max(0, written))
        }
    }

    /// Appends a plan, which may be longer in a summary than in a comment: GitHub allows 1 MiB for each step.
    static func add(_ plan: PlanReport) {
        var plan = plan
        plan.maxMarkdownBytes = 1_000_000
        add(Array(plan.written(.markdown).utf8))
    }

    private static func warn(_ path: String) {
        let reason = String(cString: strerror(errno))
        Console.printNote("warning: cannot write the job summary '\(printable(path))' (GITHUB_STEP_SUMMARY): \(reason)")
    }
}
