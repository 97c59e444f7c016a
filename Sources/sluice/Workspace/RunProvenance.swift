import Foundation
import Ledger

extension Provenance {
    /// Who requests the runs, as far as the environment tells: commit, author and CI run.
    static func ofThisProcess(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> Provenance {
        func first(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        return Provenance(
            commit: first("SLUICE_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"),
            author: first("SLUICE_AUTHOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN"),
            ciRun: first("SLUICE_CI_RUN") ?? gitHubRun(environment) ?? first("CI_JOB_URL", "BUILD_URL"))
    }

    private static func gitHubRun(_ environment: [String: String]) -> String? {
        guard let server = environment["GITHUB_SERVER_URL"], let repository = environment["GITHUB_REPOSITORY"],
            let run = environment["GITHUB_RUN_ID"]
        else { return nil }
        return "\(server)/\(repository)/actions/runs/\(run)"
    }
}
