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

    /// Manifests in a repository of their own, with one commit.
    private func repository(author: String = "Ada") throws -> (user: Program, commit: String) {
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
        _ = try git("commit", "--quiet", "--author", "\(author) <ada@example.org>", "-m", "Add manifests")
        return (user, try git("rev-parse", "HEAD").trimmingCharacters(in: .newlines))
    }

    @discardableResult
    private func git(_ user: Program, _ arguments: String...) throws -> String {
        try runProgram("git", arguments, GitRepository.variables(user.folder.path), in: user.folder.path)
    }

    private func provenance(_ user: Program, _ manifests: [String]) async throws -> Provenance {
        let result = try await user.run(["apply", "--yes"] + manifests)
        #expect(result.status == 0, "\(result.errors)")
        let printed = try await user.run(["history", "--format", "json"] + manifests).output
        return try #require(try JSONDecoder().decode(History.self, from: Data(printed.utf8)).runs.first).declaredBy
    }

    @Test(
        "no setting of Git hides or garbles commit and author",
        arguments: [
            ["log.showSignature", "true"], ["i18n.logOutputEncoding", "ISO-8859-1"], ["log.showRoot", "false"],
            ["format.pretty", "oneline"], ["log.decorate", "full"], ["color.ui", "always"], ["log.mailmap", "true"],
            ["core.quotePath", "true"], ["status.showUntrackedFiles", "no"], ["log.date", "relative"],
        ])
    func settings(setting: [String]) async throws {
        let (user, _) = try repository(author: "Zoë Ångström")
        // What a signature's check prints goes before the rest.
        try runProgram(
            "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", user.path("key").path], ["PATH": "/usr/bin:/bin"])
        try git(
            user, "-c", "gpg.format=ssh", "-c", "user.signingkey=\(user.path("key.pub").path)", "-c", "user.name=Bob",
            "-c", "user.email=bob@example.org", "commit", "--quiet", "--amend", "--no-edit", "--gpg-sign")
        let commit = try git(user, "rev-parse", "HEAD").trimmingCharacters(in: .newlines)
        try git(user, "config", setting[0], setting[1])
        let run = try await provenance(user, ["flows.yaml", "target.yaml"])
        #expect(run.commit == commit)
        #expect(run.author == "Zoë Ångström <ada@example.org>")
        user.remove()
    }

    @Test("an author in another encoding is read by the commit's own")
    func encoding() async throws {
        let (user, _) = try repository()
        try git(user, "config", "user.email", "zoe@example.org")
        // Bytes of ISO 8859-1, as an old client writes them.
        try runProgram(
            "bash",
            [
                "-c",
                "git -c i18n.commitEncoding=ISO-8859-1 -c user.name=$'Zo\\xeb' commit --quiet --allow-empty -m Later",
            ], GitRepository.variables(user.folder.path), in: user.folder.path)
        #expect(try await provenance(user, ["flows.yaml", "target.yaml"]).author == "Zoë <zoe@example.org>")
        user.remove()
    }

    @Test(
        "bytes that differ from the commit are dirty, also where Git ignores the file",
        arguments: ["assume-unchanged", "skip-worktree", "ignored", "untracked", "staged", "outside"])
    func dirty(how: String) async throws {
        let (user, commit) = try repository()
        var manifests = ["flows.yaml", "target.yaml"]
        let changed = Fixture.manifest([Fixture.flow(windows: 2)])
        switch how {
        case "ignored":
            try user.write("generated/\n", to: ".git/info/exclude")
            try user.write(changed, to: "generated/flows.yaml")
            manifests[0] = "generated/flows.yaml"
        case "untracked":
            try user.write(changed, to: "new/flows.yaml")
            manifests[0] = "new/flows.yaml"
        case "outside":
            try user.write("", to: "unrelated/a")
            try git(user, "init", "--quiet", "unrelated")
            try user.write(changed, to: "unrelated/flows.yaml")
            manifests[0] = "unrelated/flows.yaml"
        case "staged":
            try user.write(changed, to: "flows.yaml")
            try git(user, "add", "flows.yaml")
        default:
            try git(user, "update-index", "--\(how)", "flows.yaml")
            try user.write(changed, to: "flows.yaml")
        }
        #expect(try await provenance(user, manifests).commit == "\(commit)-dirty")
        user.remove()
    }

    @Test("bytes that are those of the commit are clean, also through a link, in a folder below, and of a saved plan")
    func clean() async throws {
        let (user, _) = try repository()
        try FileManager.default.createDirectory(at: user.path("teams"), withIntermediateDirectories: true)
        for name in ["flows.yaml", "target.yaml"] {
            try FileManager.default.createSymbolicLink(
                atPath: user.path("teams/\(name)").path, withDestinationPath: "../\(name)")
        }
        try git(user, "add", "teams")
        try git(user, "-c", "user.name=Ada", "-c", "user.email=a@b", "commit", "--quiet", "-m", "Add links")
        let commit = try git(user, "rev-parse", "HEAD").trimmingCharacters(in: .newlines)
        // Its time alone is another.
        try user.write(user.read("flows.yaml"), to: "flows.yaml")
        #expect(try await provenance(user, ["teams/flows.yaml", "teams/target.yaml"]).commit == commit)
        try user.write(Fixture.manifest([Fixture.flow(windows: 2)]), to: "flows.yaml")
        #expect(try await user.run("plan", "flows.yaml", "target.yaml", "--out", "plan.json").status == 0)
        try git(user, "checkout", "--quiet", "flows.yaml")
        #expect(try await user.run("apply", "plan.json").status == 0)
        // The plan was made of other bytes.
        #expect(try await provenance(user, ["flows.yaml", "target.yaml"]).commit == "\(commit)-dirty")
        user.remove()
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
