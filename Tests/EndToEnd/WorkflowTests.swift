import Foundation
import TestSupport
import Testing

/// The steps of the example workflow for GitHub, unchanged, each job in a fresh clone on its own machine.
@Suite("The workflow for GitHub")
struct WorkflowTests {
    private static let example = Program.checkout.appending(path: "manifests/in-ci")

    private struct Step {
        let command: String
        /// Whether the step also runs after a failed one.
        let isAlwaysRun: Bool
    }

    /// Returns the steps of one job that run a command.
    private func steps(of job: String) throws -> [Step] {
        let text = try String(contentsOf: Self.example.appending(path: ".github/workflows/sluice.yml"), encoding: .utf8)
        let lines = text.split(separator: "\n")
        let begin = try #require(lines.firstIndex { $0 == "  \(job):" })
        let body = lines[(begin + 1)...].prefix { $0.hasPrefix("   ") }
        return body.indices.compactMap { index in
            guard let range = body[index].range(of: "run: ") else { return nil }
            let isAlwaysRun = index > body.startIndex && body[index - 1].contains("if: always()")
            return Step(command: String(body[index][range.upperBound...]), isAlwaysRun: isAlwaysRun)
        }
    }

    private struct Job {
        let machine: Program
        let results: [Program.Result]
        let summary: String

        var status: Int32 { results.first { $0.status != 0 }?.status ?? (results.isEmpty ? -1 : 0) }
        var words: String { results.map { $0.output + $0.errors }.joined(separator: "\n") }
    }

    /// Runs one job of the workflow.
    ///
    /// - Parameter plan: The saved plan of the previous job.
    private func run(
        _ job: String, in world: GitMachines, branch: String = "main", plan: String? = nil, token: String = "token",
        comments: String? = nil
    ) async throws -> Job {
        var machine = try world.machine(branch: branch)
        let home = machine.folder.deletingLastPathComponent()
        let tools = home.appending(path: "bin")
        try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: tools.appending(path: "sluice"), withDestinationURL: Program.binary)
        // Answers with the known comments, and keeps what is written.
        let curl = """
            #!/bin/bash
            while [ $# -gt 0 ]; do
                case $1 in -o) out=$2 ;; -X) method=$2 ;; --data) printf %s "$2" > ../comment ;; esac
                last=$1
                shift
            done
            echo "$method $last" >> ../calls
            if [ "$method" = GET ]; then cat ../comments 2> /dev/null || echo '[]'; else echo '{}'; fi > "$out"
            printf 200
            """
        try Data(curl.utf8).write(to: tools.appending(path: "curl"))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: tools.appending(path: "curl").path)
        if let comments { try Data(comments.utf8).write(to: home.appending(path: "comments")) }
        machine.environment["PATH"] = "\(tools.path):\(machine.environment["PATH"] ?? "")"
        machine.environment["GITHUB_STEP_SUMMARY"] = home.appending(path: "summary").path
        machine.environment["NUMBER"] = "7"
        machine.environment["GITHUB_ACTIONS"] = "true"
        machine.environment["GITHUB_REPOSITORY"] = "acme/manifests"
        machine.environment["GITHUB_BASE_REF"] = branch == "main" ? nil : "main"
        machine.environment["GH_TOKEN"] = "token"
        machine.environment["SLUICE_ACCESS_TOKEN"] = job == "apply" ? token : nil
        if let plan { try machine.write(plan, to: "plan.json") }
        var results: [Program.Result] = []
        for step in try steps(of: job) where branch != "main" || !step.command.contains("post-comment") {
            guard step.isAlwaysRun || results.allSatisfy({ $0.status == 0 }) else { continue }
            let shell = try RunningProgram(
                URL(fileURLWithPath: "/bin/bash"), ["-e", "-c", step.command], in: machine.folder,
                environment: machine.environment, input: nil)
            results.append(try await shell.end())
        }
        let summary = (try? String(contentsOf: home.appending(path: "summary"), encoding: .utf8)) ?? ""
        return Job(machine: machine, results: results, summary: summary)
    }

    @Test("the workflow plans in the pull request, applies after the merge, and can safely be rerun")
    func life() async throws {
        var files: [String: String] = [:]
        for name in ["target.yaml", "flows.yaml", "post-comment"] {
            files[name] = try String(contentsOf: Self.example.appending(path: name), encoding: .utf8)
        }
        let limits = "limits: {maxRunsPerApply: 100, requestsPerSecond: 200, requestTimeout: PT2S, settle: PT6S}"
        files["target.yaml"] = try #require(files["target.yaml"])
            .replacingOccurrences(of: "https://platform.adobe.io/data/foundation/flowservice", with: "SERVICE")
            .replacingOccurrences(of: "limits: {maxRunsPerApply: 100}", with: limits)
        let world = try await GitMachines(files)

        // A pull request adds one window.
        try world.commit(branch: "more", from: "main", "One more month") { folder in
            let path = folder + "/flows.yaml"
            let more = "        - {start: 2025-04-01T00:00:00Z, end: 2025-05-01T00:00:00Z}\n"
            try Data((try String(contentsOfFile: path, encoding: .utf8) + more).utf8).write(
                to: URL(fileURLWithPath: path))
        }
        let review = try await run("plan", in: world, branch: "more")
        #expect(review.status == 0, "\(review.words)")
        let home = review.machine.folder.deletingLastPathComponent()
        let comment = try String(contentsOf: home.appending(path: "comment"), encoding: .utf8)
        #expect(comment.contains("sluice:plan target=crm"))
        #expect(comment.contains("this change adds 1 of the planned windows"))
        #expect(comment.contains("Due without this change: 32 to request."))
        #expect(review.summary.contains("33"))
        let calls = try String(contentsOf: home.appending(path: "calls"), encoding: .utf8)
        #expect(calls.contains("POST https://api.github.com/repos/acme/manifests/issues/7/comments"), "\(calls)")

        // The next push updates the comment, which its marker identifies.
        let known = #"[{"id": 5, "body": "hello"}, {"id": 9, "body": "<!-- sluice:plan target=crm -->\nold"}]"#
        let second = try await run("plan", in: world, branch: "more", comments: known)
        #expect(second.status == 0, "\(second.words)")
        let updates = try String(
            contentsOf: second.machine.folder.deletingLastPathComponent().appending(path: "calls"), encoding: .utf8)
        #expect(updates.contains("PATCH https://api.github.com/repos/acme/manifests/issues/comments/9"), "\(updates)")

        // A broken pull request fails, and its comment has the diagnostics.
        try world.commit(branch: "broken", from: "main", "A typo") { folder in
            let path = folder + "/flows.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8).replacing("source: file", with: "sauce: file")
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        let broken = try await run("plan", in: world, branch: "broken")
        #expect(broken.status == 65, "\(broken.words)")
        let brokenHome = broken.machine.folder.deletingLastPathComponent()
        let diagnosis = try String(contentsOf: brokenHome.appending(path: "comment"), encoding: .utf8)
        #expect(diagnosis.contains("SLU0101") && diagnosis.contains("sauce"), "\(diagnosis)")
        #expect(broken.summary.contains("SLU0101"))
        #expect(try await world.simulator.statistics().postRequests == 0)
        #expect(try !world.repository.git("for-each-ref").contains("refs/sluice"))

        // After the merge, the workflow plans again, is approved, and applies.
        try world.commit(branch: "main", "Merge") { folder in
            try runProgram(
                "git", ["checkout", "--quiet", "origin/more", "--", "."], world.repository.environment, in: folder)
        }
        let plan = try await run("plan", in: world)
        #expect(plan.status == 0, "\(plan.words)")
        let approved = try plan.machine.read("plan.json")
        let digest = try #require(approved.firstMatch(of: /sha256:[0-9a-f]{64}(?="\n})/)).output
        #expect(plan.summary.contains(digest), "the approver sees the digest")
        let apply = try await run("apply", in: world, plan: approved)
        #expect(apply.status == 0, "\(apply.words)")
        #expect(apply.words.contains("plan \(digest) of plan.json"))
        #expect(apply.summary.contains("Apply complete: 33 runs requested."))
        #expect(try await world.simulator.statistics().runsTaken == 33)

        // The job is rerun with the same plan, and then the whole workflow.
        let rerun = try await run("apply", in: world, plan: approved)
        #expect([0, 75].contains(rerun.status), "\(rerun.words)")
        let again = try await run("plan", in: world)
        #expect(again.status == 0)
        let nothing = try await run("apply", in: world, plan: try again.machine.read("plan.json"))
        #expect(nothing.status == 0, "\(nothing.words)")
        #expect(nothing.summary.contains("nothing to do"))
        #expect(try await world.simulator.statistics().runsTaken == 33)

        // If a flow's ref is deleted, its windows are planned again, and the apply finds their runs on the service.
        let refs = try world.repository.git("for-each-ref", "--format=%(refname)", "refs/sluice").split(separator: "\n")
        let ref = try #require(refs.first { $0.hasSuffix("df124418-9176-47a4-8651-a48c1333d7ca") })
        try world.repository.git("update-ref", "-d", String(ref))
        let lost = try await run("plan", in: world)
        let found = try await run("apply", in: world, plan: try lost.machine.read("plan.json"))
        #expect(found.status == 0, "\(found.words)")
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 33)
        #expect(counts.windowsTakenTwice.isEmpty)
        try await world.end()
    }

    @Test("a job that may not push ends with the name of the missing permission")
    func readOnly() async throws {
        let world = try await GitMachines([
            "flows.yaml": Fixture.manifest([Fixture.flow(windows: 2)]),
            "target.yaml": Fixture.target(service: "SERVICE", limits: World.quickLimits, ledger: "'git:'"),
        ])
        try world.repository.setHook("pre-receive", "echo 'Permission to acme/manifests.git denied' >&2; exit 1")
        let machine = try world.machine()
        let result = try await machine.run(["apply", ".", "--yes"])
        #expect(result.status == 74)
        #expect(result.errors.contains("permissions: contents: write"), "\(result.errors)")
        #expect(try await world.simulator.statistics().postRequests == 0)
        try await world.end()
    }

    @Test("the example workflows are short")
    func length() throws {
        func lines(_ name: String) throws -> Int {
            try String(contentsOf: Self.example.appending(path: name), encoding: .utf8).split(separator: "\n")
                .count { line in
                    let text = line.drop { $0 == " " }
                    return !text.isEmpty && !text.hasPrefix("#") && !text.hasPrefix("//")
                }
        }
        #expect(try lines(".github/workflows/sluice.yml") <= 40)
        #expect(try lines(".gitlab-ci.yml") <= 30)
        #expect(try lines(".github/workflows/sluice-scheduled.yml") <= 40)
        #expect(try lines(".azure-pipelines.yml") <= 40)
        #expect(try lines("Jenkinsfile") <= 40)
    }
}
