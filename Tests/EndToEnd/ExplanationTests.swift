import Foundation
import TestSupport
import Testing

/// The commands that show and explain: `show`, `why`, `doctor`, `plan --against`, and the filters of `history`.
@Suite("Showing and explaining")
struct ExplanationTests {
    @Test("one call of plan writes the saved plan and the comment, and show prints the saved plan with its digest")
    func severalForms() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        let plan = try await user.run("plan", "quickstart", "--out", "plan.json", "--markdown", "comment.md")
        #expect(plan.status == 0, "\(plan.errors)")
        let saved = try user.read("plan.json")
        let digest = try #require(saved.firstMatch(of: /sha256:[0-9a-f]{64}(?="\n})/)).output
        #expect(try user.read("comment.md").contains("Saved as `\(digest)`"))
        let shown = try await user.run("show", "plan.json")
        #expect(shown.status == 0, "\(shown.errors)")
        #expect(shown.output.hasSuffix("Digest: \(digest)\n"))
        #expect(shown.output.contains("to request"))
        #expect(try await user.run("show", "plan.json", "--format", "json").output == saved)
        #expect(try await user.run("show", "plan.json", "--format", "markdown").output.contains(digest))
        try user.write(saved.replacing("\"create\"", with: "\"retry\""), to: "edited.json")
        let edited = try await user.run("show", "edited.json")
        #expect(edited.status == 65)
        #expect(edited.errors.contains("changed after it was made"))
    }

    @Test("a broken manifest gives a comment, JSON and a summary with the diagnostics")
    func broken() async throws {
        var user = try Program()
        defer { user.remove() }
        user.environment["GITHUB_STEP_SUMMARY"] = user.path("summary.md").path
        try user.write(Fixture.target(), to: "target.yaml")
        try user.write(Fixture.manifest([Fixture.flow(more: "      sauce: file\n")]), to: "flows.yaml")
        let files = ["flows.yaml", "target.yaml"]
        let result = try await user.run(["plan"] + files + ["--markdown", "comment.md", "--format", "github"])
        #expect(result.status == 65)
        for file in ["comment.md", "summary.md"] {
            let text = try user.read(file)
            #expect(text.hasPrefix("<!-- sluice:plan target=test -->"))
            #expect(text.contains("SLU0101") && text.contains("sauce"), "\(text)")
        }
        let json = try await user.run(["plan"] + files + ["--format", "json"])
        #expect(json.status == 65)
        #expect(json.output.contains("\"SLU0101\""))
    }

    @Test("a plan against another revision shows what the change adds, removes and alters, then what was due anyway")
    func against() async throws {
        var user = try Program()
        defer { user.remove() }
        for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@example.org")] {
            user.environment["GIT_AUTHOR_\(name)"] = value
            user.environment["GIT_COMMITTER_\(name)"] = value
        }
        try user.write(Fixture.target(), to: "manifests/target.yaml")
        let flows = [Fixture.flow(Fixture.id(1), windows: 3), Fixture.flow(Fixture.id(2), windows: 2, column: nil)]
        try user.write(Fixture.manifest(flows), to: "manifests/flows.yaml")
        try user.write("replicas: 3\n", to: "manifests/charts/values.yaml")
        try user.write("charts/\n", to: "manifests/.sluiceignore")
        let outside = try await user.run("plan", "manifests", "--against", "main")
        #expect(outside.status == 64)
        #expect(outside.errors.contains("Git repository"), "\(outside.errors)")
        let setUp = "git init -q -b main . && git add -A && git commit -qm one && git checkout -qb more"
        #expect(try await user.shell(setUp).status == 0)
        let changed = [
            Fixture.flow(Fixture.id(1), windows: 5),
            Fixture.flow(Fixture.id(2), windows: 1, column: nil, more: "      paused: {reason: moved}\n"),
        ]
        try user.write(Fixture.manifest(changed), to: "manifests/flows.yaml")
        let result = try await user.run("plan", "manifests", "--against", "main", "--markdown", "comment.md")
        #expect(result.status == 0, "\(result.errors)")
        #expect(!result.errors.contains("have errors"), "an ignored file is not read from the revision, either")
        let steady = result.output.replacing(/as of 20[0-9TZ:-]+/, with: "as of TIME")
        #expect(try GoldenFile("Golden/against.plan.txt").text(updatingTo: steady) == steady)
        #expect(
            try user.read("comment.md").contains("this change adds 2, removes 1 and alters 1 of the planned windows"))
        let missing = try await user.run("plan", "manifests", "--against", "origin/main")
        #expect(missing.errors.contains("git fetch origin main"), "\(missing.errors)")
    }

    @Test("why explains a window, a range and a flow, and what is not there")
    func why() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        let before = try await user.run("why", "contacts", "quickstart")
        #expect(before.status == 0, "\(before.errors)")
        #expect(before.output.contains("requested by the next apply"), "\(before.output)")
        #expect(try await user.run("apply", "quickstart", "--yes").status == 0)
        let after = try await user.run("why", "contacts", "quickstart")
        #expect(after.output.contains("a run of it is recorded"), "\(after.output)")
        let absent = try await user.run("why", "contacts", "1999-01-01..1999-01-02", "quickstart")
        #expect(absent.output.contains("no window is declared or recorded there"), "\(absent.output)")
        let json = try await user.run("why", "contacts", "quickstart", "--format", "json")
        #expect(try SchemaValidator.faults(in: [.init("why", json.output)]) == [nil])
        #expect(try await user.run("why", "contacts", "2024-05-02..2024-05-01", "quickstart").status == 64)
        #expect(try await user.run("why", "contcts", "quickstart").errors.contains("did you mean 'contacts'?"))
    }

    @Test("doctor checks each part, changes nothing, and says what to do")
    func doctor() async throws {
        let world = try await World(flows: 1, windows: 1)
        let good = try await world.run("doctor")
        #expect(good.status == 0, "\(good.output)")
        for name in ["versions", "manifests", "credentials", "service", "clock", "ledger"] {
            #expect(good.output.contains("✓ \(name)"), "\(good.output)")
        }
        #expect(!FileManager.default.fileExists(atPath: world.user.path("ledger.sqlite").path))
        #expect(try await world.simulator.statistics().postRequests == 0)
        var other = world.user
        other.environment["SLUICE_API_KEY"] = nil
        let bad = try await other.run("doctor", "flows.yaml", "target.yaml")
        #expect(bad.status == 1)
        #expect(bad.output.contains("✗ credentials") && bad.output.contains("SLUICE_API_KEY"), "\(bad.output)")
        try await world.end()
    }

    @Test("history filters by the time of the request, and takes the words that it prints")
    func history() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        #expect(try await user.run("apply", "quickstart", "--yes").status == 0)
        let today = try await user.run("history", "quickstart", "--requested-since", "yesterday")
        #expect(!today.output.contains("No recorded run"))
        let old = try await user.run("history", "quickstart", "--requested-until", "yesterday")
        #expect(old.output.contains("No recorded run matches."))
        for word in ["running", "accepted", "claimed", "refused", "in-doubt", "inDoubt", "rejected", "succeeded"] {
            #expect(try await user.run("history", "quickstart", "--state", word).status == 0, "\(word)")
        }
        let running = try await user.run("history", "quickstart", "--state", "running", "--format", "json")
        #expect(running.output.contains(#""state":"running""#))
    }

    @Test("SLUICE_TARGET chooses the target, and --target takes precedence")
    func target() async throws {
        var user = try Program()
        defer { user.remove() }
        try user.write(Fixture.target(), to: "a.yaml")
        try user.write(Fixture.target().replacing("name: test", with: "name: other"), to: "b.yaml")
        try user.write(Fixture.manifest([Fixture.flow()]), to: "flows.yaml")
        #expect(try await user.run("plan", ".").status == 64)
        user.environment["SLUICE_TARGET"] = "test"
        #expect(try await user.run("plan", ".").output.contains("target test"))
        user.environment["SLUICE_TARGET"] = "unknown"
        #expect(try await user.run("plan", ".").status == 64)
        #expect(try await user.run("plan", ".", "--target", "test").status == 0)
    }

    @Test("a foreign YAML file is one line, and .sluiceignore skips it")
    func foreign() async throws {
        let user = try Program()
        defer { user.remove() }
        try user.write(Fixture.target(), to: "target.yaml")
        try user.write(Fixture.manifest([Fixture.flow()]), to: "flows.yaml")
        try user.write("replicas: 3\nimage: {tag: one}\n", to: "charts/values.yaml")
        let result = try await user.run("validate", ".")
        #expect(result.status == 65)
        #expect(result.errors.contains("not a Sluice manifest"))
        #expect(result.errors.contains("1 error"))
        try user.write("# of the chart\ncharts/\n", to: ".sluiceignore")
        #expect(try await user.run("validate", ".").status == 0)
        try user.write("values*.yaml\n", to: ".sluiceignore")
        #expect(try await user.run("validate", ".").status == 0)
        let below = try await user.run("validate", "charts")
        #expect(!below.errors.contains("not a Sluice manifest"), "ignored from above")
        let named = try await user.run("validate", "charts/values.yaml")
        #expect(named.errors.contains("not a Sluice manifest"))
    }

    @Test("validate finds a window that is declared twice, and warns of windows that overlap")
    func overlaps() async throws {
        let user = try Program()
        defer { user.remove() }
        try user.write(Fixture.target(), to: "target.yaml")
        let flow = Fixture.flow(windows: 2)
        try user.write(
            Fixture.manifest([flow + "\n        - {start: 1704067200, end: 1704070800}"]), to: "flows.yaml")
        let twice = try await user.run("validate", ".")
        #expect(twice.status == 65)
        #expect(twice.errors.contains("SLU0205"))
        try user.write(
            Fixture.manifest([flow + "\n        - {start: 1704069000, end: 1704078000}"]), to: "flows.yaml")
        let overlapping = try await user.run("validate", ".")
        #expect(overlapping.status == 0)
        #expect(overlapping.errors.contains("warning[SLU0207]"))
    }
}
