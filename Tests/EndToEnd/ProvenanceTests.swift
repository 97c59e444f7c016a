import Foundation
import TestSupport
import Testing

/// The commit, author and CI run in the record of a run.
@Suite("Provenance of runs")
struct ProvenanceTests {
    private struct Provenance: Decodable {
        let commit: String?
        let author: String?
        let ciRun: String?
    }

    private struct Run: Decodable {
        let declaredBy: Provenance
    }

    private struct History: Decodable {
        let runs: [Run]
    }

    /// Creates manifests in a repository with one commit.
    private func repository() throws -> (user: Program, commit: String) {
        let user = try Program()
        try user.write(Fixture.manifest([Fixture.flow(windows: 1)]), to: "flows.yaml")
        try user.write(Fixture.target(ledger: "sqlite:.sluice/ledger.sqlite"), to: "target.yaml")
        let variables = GitRepository.variables(user.folder.path)
        func git(_ arguments: String...) throws -> String {
            try runProgram(
                "git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"] + arguments, variables,
                in: user.folder.path)
        }
        _ = try git("init", "--quiet")
        _ = try git("add", "flows.yaml", "target.yaml")
        _ = try git("commit", "--quiet", "-m", "Add manifests")
        return (user, try git("rev-parse", "HEAD").trimmingCharacters(in: .newlines))
    }

    private func lastRun(_ user: Program) async throws -> Provenance {
        let printed = try await user.run("history", ".", "--format", "json").output
        return try #require(try JSONDecoder().decode(History.self, from: Data(printed.utf8)).runs.first).declaredBy
    }

    @Test("commit and author are recorded from a local repository, and modified manifests are marked")
    func localRepository() async throws {
        let (user, commit) = try repository()
        #expect(try await user.run("apply", "flows.yaml", "target.yaml", "--yes").status == 0)
        var run = try await lastRun(user)
        #expect(run.commit == commit)
        #expect(run.author == "Ada <ada@example.org>")
        #expect(run.ciRun == nil)

        try user.write(Fixture.manifest([Fixture.flow(windows: 2)]), to: "flows.yaml")
        #expect(try await user.run("apply", "flows.yaml", "target.yaml", "--yes").status == 0)
        run = try await lastRun(user)
        #expect(run.commit == "\(commit)-dirty")
        user.remove()
    }

    @Test("a folder .sluice created by Sluice is ignored by Git", arguments: [["apply", "--yes"], ["flows"]])
    func ignored(command: [String]) async throws {
        let (user, _) = try repository()
        #expect(try await user.run(command + ["flows.yaml", "target.yaml"]).status == 0)
        #expect(try user.read(".sluice/.gitignore") == "*\n")
        let status = try runProgram(
            "git", ["status", "--porcelain", "--", ".sluice"], GitRepository.variables(user.folder.path),
            in: user.folder.path)
        #expect(status == "")
        user.remove()
    }

    @Test(
        "environment variables take precedence over Git",
        arguments: [
            ["SLUICE_COMMIT": "c0ffee", "SLUICE_AUTHOR": "grace", "SLUICE_CI_RUN": "https://ci.example/1"],
            [
                "GITHUB_SHA": "c0ffee", "GITHUB_ACTOR": "grace", "GITHUB_SERVER_URL": "https://ci.example",
                "GITHUB_REPOSITORY": "acme/manifests", "GITHUB_RUN_ID": "1",
            ],
            ["CI_COMMIT_SHA": "c0ffee", "GITLAB_USER_LOGIN": "grace", "CI_JOB_URL": "https://ci.example/1"],
            [
                "BUILD_SOURCEVERSION": "c0ffee", "BUILD_REQUESTEDFOR": "grace",
                "SYSTEM_COLLECTIONURI": "https://ci.example/", "SYSTEM_TEAMPROJECT": "acme", "BUILD_BUILDID": "1",
            ],
            ["GIT_COMMIT": "c0ffee", "CHANGE_AUTHOR": "grace", "BUILD_URL": "https://ci.example/1"],
        ])
    func environment(variables: [String: String]) async throws {
        var (user, _) = try repository()
        user.environment = variables
        #expect(try await user.run("apply", "flows.yaml", "target.yaml", "--yes").status == 0)
        let run = try await lastRun(user)
        #expect(run.commit == "c0ffee")
        #expect(run.author == "grace")
        #expect(run.ciRun?.hasPrefix("https://ci.example/") == true)
        user.remove()
    }

    @Test("the example policy reports what a plan violates", arguments: ["2026-11-26", "2026-11-27"])
    func policy(day: String) async throws {
        let user = try Program()
        try user.write(Fixture.manifest([Fixture.flow(windows: 3)]), to: "flows.yaml")
        try user.write(Fixture.target(), to: "target.yaml")
        let arguments = ["plan", "flows.yaml", "target.yaml", "--out", "plan.json", "--as-of", "\(day)T10:00:00Z"]
        #expect(try await user.run(arguments).status == 0)
        func check(_ variables: [String: String] = [:]) async throws -> Program.Result {
            let script = Program.checkout.appending(path: "manifests/in-ci/check-plan")
            return try await RunningProgram(
                script, ["plan.json"], in: user.folder, environment: variables, input: nil
            ).end()
        }
        let isFriday = day == "2026-11-27"
        let result = try await check()
        #expect(result.status == (isFriday ? 1 : 0))
        #expect(result.errors.contains("no first run on a Friday") == isFriday)
        let few = try await check(["MOST_REQUESTS": "2"])
        #expect(few.status == 1)
        #expect(few.errors.contains("3 requests are more than 2"))
        user.remove()
    }
}
