import Foundation
import TestSupport
import Testing

/// The steps of the example workflows for GitHub, unchanged, each job in a fresh clone on its own machine.
@Suite("The workflow for GitHub")
struct WorkflowTests {
    private static let example = Program.checkout.appending(path: "manifests/in-ci")
    private static let scripts = ["alert", "comment-plan"]

    private struct Step {
        let script: String
        /// Whether the step also runs after a failed one.
        let isUnconditional: Bool
    }

    /// Returns the steps of one job that run a script.
    private func steps(of job: String, in workflow: String) throws -> [Step] {
        let file = Self.example.appending(path: ".github/workflows/\(workflow).yml")
        let lines = try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let begin = try #require(lines.firstIndex { $0 == "  \(job):" })
        let body = lines[(begin + 1)...].prefix { $0.hasPrefix("   ") || $0.isEmpty }.joined(separator: "\n")
        return body.components(separatedBy: "\n      - ").dropFirst().compactMap { step in
            guard let run = step.range(of: "run: ") else { return nil }
            let rest = step[run.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
            let block = rest.dropFirst().prefix { $0.hasPrefix("          ") }.joined(separator: "\n")
            return Step(
                script: rest.first == "|" ? block : String(rest.first ?? ""),
                isUnconditional: step.contains("always()"))
        }
    }

    private struct Job {
        let machine: Program
        let results: [Program.Result]
        let summary: String
        /// The outputs of the steps.
        let outputs: [String: String]

        var status: Int32 { results.first { $0.status != 0 }?.status ?? 0 }
        var words: String { results.map { $0.output + $0.errors }.joined(separator: "\n") }
    }

    /// Runs one job of a workflow.
    ///
    /// - Parameters:
    ///   - planned: The previous job, with a saved plan and its outputs.
    ///   - issues: A folder in which the program `gh` keeps the open issue.
    private func run(
        _ job: String, of workflow: String = "sluice", in world: GitMachines, branch: String = "main",
        planned: Job? = nil, issues: Program? = nil
    ) async throws -> Job {
        var machine = try world.machine(branch: branch)
        let home = machine.folder.deletingLastPathComponent()
        let tools = home.appending(path: "bin")
        try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: tools.appending(path: "sluice"), withDestinationURL: Program.binary)
        let folder = issues?.folder.path ?? "."
        let gh = """
            #!/bin/sh
            case "$1 $2" in
            "issue list") [ ! -f \(folder)/issue ] || echo 5 ;;
            "issue close") rm \(folder)/issue ;;
            "issue create" | "issue edit")
                while [ $# -gt 0 ]; do [ "$1" = --body-file ] && cp "$2" \(folder)/issue; shift; done ;;
            esac

            """
        try writeProgram(gh, to: tools.appending(path: "gh").path)
        machine.environment["PATH"] = "\(tools.path):\(machine.environment["PATH"] ?? "")"
        machine.environment["GITHUB_STEP_SUMMARY"] = home.appending(path: "summary").path
        machine.environment["GITHUB_OUTPUT"] = home.appending(path: "output").path
        machine.environment["SLUICE_ACCESS_TOKEN"] = job == "apply" ? "token" : nil
        if let planned { try machine.write(planned.machine.read("plan.json"), to: "plan.json") }
        var outputs = planned?.outputs ?? [:]
        var results: [Program.Result] = []
        for step in try steps(of: job, in: workflow) {
            guard step.isUnconditional || results.allSatisfy({ $0.status == 0 }) else { continue }
            // The workflows pass an output to a variable of its name.
            for (name, value) in outputs { machine.environment[name.uppercased()] = value }
            let shell = try RunningProgram(
                URL(fileURLWithPath: "/bin/bash"), ["-e", "-o", "pipefail", "-c", step.script], in: machine.folder,
                environment: machine.environment, input: nil)
            results.append(try await shell.end())
            let written = (try? String(contentsOf: home.appending(path: "output"), encoding: .utf8)) ?? ""
            for line in written.split(separator: "\n") {
                let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                outputs[parts[0]] = parts[1]
            }
        }
        let summary = (try? String(contentsOf: home.appending(path: "summary"), encoding: .utf8)) ?? ""
        return Job(machine: machine, results: results, summary: summary, outputs: outputs)
    }

    /// Creates a repository with the example.
    private func world(maxRunsPerApply: Int = 100) async throws -> GitMachines {
        var files: [String: String] = [:]
        for name in ["target.yaml", "flows.yaml"] + Self.scripts {
            files[name] = try String(contentsOf: Self.example.appending(path: name), encoding: .utf8)
        }
        let limits =
            "limits: {maxRunsPerApply: \(maxRunsPerApply), requestsPerSecond: 200, requestTimeout: PT2S, settle: PT6S}"
        files["target.yaml"] = try #require(files["target.yaml"])
            .replacingOccurrences(of: "https://platform.adobe.io/data/foundation/flowservice", with: "SERVICE")
            .replacingOccurrences(of: "limits: {maxRunsPerApply: 100}", with: limits)
        return try await GitMachines(files)
    }

    private func change(
        _ file: String, of branch: String, from base: String? = nil, in world: GitMachines,
        _ edit: (String) -> String
    ) throws {
        try world.commit(branch: branch, from: base, "Change \(file)") { folder in
            let path = "\(folder)/\(file)"
            try Data(edit(String(contentsOfFile: path, encoding: .utf8)).utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test("the workflow plans in the pull request, applies after the merge, and can safely be rerun")
    func life() async throws {
        let world = try await world()

        // A pull request adds one window.
        try change("flows.yaml", of: "more", from: "main", in: world) {
            $0 + "        - {start: 2025-04-01T00:00:00Z, end: 2025-05-01T00:00:00Z}\n"
        }
        let review = try await run("plan", in: world, branch: "more")
        #expect(review.status == 0, "\(review.words)")
        let comment = try review.machine.read("comment.md")
        let digest = try #require(review.outputs["digest"])
        #expect(comment.hasPrefix("<!-- sluice:plan target=crm -->\n"))
        #expect(comment.contains("33") && comment.contains(digest) && review.outputs["requests"] == "33")
        #expect(review.summary.contains("33"))
        #expect(try await world.simulator.statistics().postRequests == 0)
        #expect(try !world.repository.git("for-each-ref").contains("refs/sluice"))

        // After the merge, the workflow plans again, is approved, and applies.
        try world.commit(branch: "main", "Merge") { folder in
            try runProgram(
                "git", ["checkout", "--quiet", "origin/more", "--", "."], world.repository.environment, in: folder)
        }
        let plan = try await run("plan", in: world)
        #expect(plan.status == 0, "\(plan.words)")
        let apply = try await run("apply", in: world, planned: plan)
        #expect(apply.status == 0, "\(apply.words)")
        #expect(apply.summary.contains("Apply complete: 33 runs requested."))
        #expect(try await world.simulator.statistics().runsTaken == 33)

        // The job is rerun with the same plan, and then the whole workflow.
        let rerun = try await run("apply", in: world, planned: plan)
        #expect([0, 75].contains(rerun.status), "\(rerun.words)")
        let again = try await run("plan", in: world)
        #expect(again.status == 0)
        let nothing = try await run("apply", in: world, planned: again)
        #expect(nothing.status == 0, "\(nothing.words)")
        #expect(nothing.summary.contains("nothing to do"))
        #expect(try await world.simulator.statistics().runsTaken == 33)

        // If a flow's ref is deleted, its windows are planned again, and the apply finds their runs on the service.
        let refs = try world.repository.git("for-each-ref", "--format=%(refname)", "refs/sluice").split(separator: "\n")
        let ref = try #require(refs.first { $0.hasSuffix("df124418-9176-47a4-8651-a48c1333d7ca") })
        try world.repository.git("update-ref", "-d", String(ref))
        let lost = try await run("plan", in: world)
        let found = try await run("apply", in: world, planned: lost)
        #expect(found.status == 0, "\(found.words)")
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 33)
        #expect(counts.windowsTakenTwice.isEmpty)
        try await world.end()
    }

    @Test("a pull request with a broken manifest fails, and its comment and summary list the errors")
    func broken() async throws {
        let world = try await world()
        try change("flows.yaml", of: "broken", from: "main", in: world) {
            $0.replacing("flowId:", with: "flow:", maxReplacements: 1)
        }
        let review = try await run("plan", in: world, branch: "broken")
        #expect(review.status == 65, "\(review.words)")
        let comment = try review.machine.read("comment.md")
        #expect(comment.hasPrefix("<!-- sluice:plan target=crm -->\n### 🛑 Sluice cannot plan: "), "\(comment)")
        #expect(comment.contains("SLU0") && comment.contains("flows.yaml:"))
        #expect(review.summary == comment)
        #expect(review.words.contains("::error file=flows.yaml"))
        try await world.end()
    }

    @Test("a plan other than the approved one is not applied")
    func otherPlan() async throws {
        let world = try await world()
        let plan = try await run("plan", in: world)
        let other = Job(
            machine: plan.machine, results: [], summary: "", outputs: ["digest": "sha256:0000", "requests": "32"])
        #expect(try await run("apply", in: world, planned: other).status == 1)
        #expect(try await world.simulator.statistics().postRequests == 0)
        try await world.end()
    }

    @Test("the scheduled workflow opens an issue for what it cannot apply, and closes it once nothing is left to do")
    func scheduled() async throws {
        let world = try await world(maxRunsPerApply: 10)
        let issues = try Program()
        let refused = try await run("apply", of: "sluice-scheduled", in: world, issues: issues)
        #expect(refused.status != 0)
        #expect(refused.outputs["status"] == String(refused.status))
        #expect(try issues.read("issue").contains("maxRunsPerApply"), "\(refused.words)")
        #expect(refused.summary.contains("maxRunsPerApply"))

        try change("target.yaml", of: "main", in: world) {
            $0.replacing("maxRunsPerApply: 10", with: "maxRunsPerApply: 100")
        }
        let applied = try await run("apply", of: "sluice-scheduled", in: world, issues: issues)
        #expect(applied.status == 0, "\(applied.words)")
        #expect(throws: (any Error).self) { try issues.read("issue") }
        #expect(try await world.simulator.statistics().runsTaken == 32)
        issues.remove()
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
        #expect(try lines(".github/workflows/sluice.yml") <= 50)
        #expect(try lines(".github/workflows/sluice-scheduled.yml") <= 40)
        #expect(try lines(".gitlab-ci.yml") <= 50)
        #expect(try lines(".azure-pipelines.yml") <= 40)
        #expect(try lines("Jenkinsfile") <= 40)
    }
}
