import Foundation
import GitLedger
import Ledger
import Manifests

extension Provenance {
    /// Determines commit, author and CI run from the environment, or from the Git repository of the manifests.
    ///
    /// `-dirty` follows the commit where Git has other bytes of a manifest than were read, as `git describe` writes it.
    ///
    /// - Parameter manifests: as they were read.
    static func ofThisProcess(
        _ manifests: [FileDigest], _ environment: [String: String] = ProcessInfo.processInfo.environment
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
            let checkedOut = await CheckedOutCommit.find(of: manifests.map(\.path), environment)
        else { return provenance }
        if provenance.commit == nil || provenance.commit == checkedOut.id {
            provenance.author = provenance.author ?? checkedOut.author
        }
        let isClean = zip(manifests, checkedOut.contents).allSatisfy { manifest, content in
            content.map { FileDigest(path: manifest.path, bytes: $0) } == manifest
        }
        provenance.commit = provenance.commit ?? (isClean ? checkedOut.id : "\(checkedOut.id)-dirty")
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
