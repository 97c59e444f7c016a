import Foundation
import Testing

/// The README's first commands, on the project's example.
@Suite("Quickstart")
struct QuickstartTests {
    @Test("a second apply sends nothing")
    func secondApplySendsNothing() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }

        let plan = try await user.run("plan", "quickstart", "--detailed-exitcode")
        #expect(plan.status == 2)
        #expect(plan.output.contains("16 to request"))

        let first = try await user.run("apply", "quickstart", "--yes")
        #expect(first.status == 0)
        #expect(first.errors.contains("16 runs requested"))

        let second = try await user.run("apply", "quickstart", "--yes", "--format", "json")
        #expect(second.status == 0)
        #expect(second.output.split(separator: "\n").count == 1)
        #expect(second.output.contains("\"event\":\"finished\",\"complete\":true,\"accepted\":0"))

        let after = try await user.run("plan", "quickstart", "--detailed-exitcode")
        #expect(after.status == 0)
        #expect(after.output.contains("Nothing to do"))
        let verified = try await user.run("ledger", "verify", "quickstart")
        #expect(verified.status == 0)
    }

    @Test("a delta column that changes after the first run stops the apply")
    func changedDeltaColumn() async throws {
        let user = try Program()
        defer { user.remove() }
        try user.write(Fixture.target(), to: "target.yaml")
        try user.write(Fixture.manifest([Fixture.flow()]), to: "flows.yaml")
        #expect(try await user.run("apply", "target.yaml", "flows.yaml", "--yes").status == 0)
        let history = try await user.run("history", "target.yaml", "flows.yaml", "--format", "json")

        try user.write(Fixture.manifest([Fixture.flow(windows: 3, column: "EMAIL")]), to: "flows.yaml")
        let changed = try await user.run("apply", "target.yaml", "flows.yaml", "--yes")
        #expect(changed.status == 65)
        #expect(changed.errors.contains("SLU0202"))
        #expect(changed.errors.contains("flows.yaml:9:27"))
        #expect(changed.errors.contains("DOB"))
        #expect(changed.errors.contains("EMAIL"))
        let run = try #require(history.output.firstMatch(of: /"run":\s*"([^"]+)"/)?.output.1)
        #expect(changed.errors.contains(run))
        let later = try await user.run("history", "target.yaml", "flows.yaml", "--format", "json")
        #expect(later.output == history.output)
    }
}
