import Foundation
import GitLedger
import Ledger

extension Provenance {
    /// Determines commit, author and CI run from the environment, or from the Git repository of the manifests.
    ///
    /// - Parameter manifests: The paths of the manifests.
    static func ofThisProcess(
        _ manifests: [String], _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) async -> Provenance {
        func first(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        var provenance = Provenance(
            commit: first("SLUICE_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "GIT_COMMIT"),
            author: first("SLUICE_AUTHOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR", "CHANGE_AUTHOR"),
            ciRun: first("SLUICE_CI_RUN") ?? gitHubRun(environment) ?? azureRun(environment)
                ?? first("CI_JOB_URL", "BUILD_URL"))
        guard provenance.commit == nil || provenance.author == nil,
            let checkedOut = await CheckedOutCommit.find(of: manifests, environment)
        else { return provenance }
        if provenance.commit == nil || provenance.commit == checkedOut.id {
            provenance.author = provenance.author ?? checkedOut.author
        }
        provenance.commit = provenance.commit ?? checkedOut.description
        return provenance
    }

    private static func gitHubRun(_ environment: [String: String]) -> String? {
        guard let server = environment["GITHUB_SERVER_URL"], let repository = environment["GITHUB_REPOSITORY"],
            let run = environment["GITHUB_RUN_ID"]
        else { return nil }
        return "\(server)/\(repository)/actions/runs/\(run)"
    }

    private static func azureRun(_ environment: [String: String]) -> String? {
        guard let collection = environment["SYSTEM_COLLECTIONURI"], let project = environment["SYSTEM_TEAMPROJECT"],
            let run = environment["BUILD_BUILDID"]
        else { return nil }
        return "\(collection)\(project)/_build/results?buildId=\(run)"
    }
}
