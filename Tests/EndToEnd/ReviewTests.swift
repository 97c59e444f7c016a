import Foundation
import TestSupport
import Testing

/// Typos that must be visible to the reviewer of a plan.
@Suite("Review of plans")
struct ReviewTests {
    private static let target =
        Fixture.target(service: "https://flow.example.com", limits: "{maxRunsPerApply: 400}") + "---\n"

    private func plan(_ user: Program, _ flows: String...) async throws -> Program.Result {
        try user.write(Self.target + Fixture.manifest(flows), to: "flows.yaml")
        return try await user.run("plan", "flows.yaml", "--as-of", "2026-04-01T00:00:00Z")
    }

    private func flow(_ number: Int, _ name: String, _ rest: String) -> String {
        """
            - flowId: \(Fixture.id(number))
              name: \(name)
              source: table
              deltaColumn: {name: UPDATED_AT}
              \(rest)
        """
    }

    private func expectGolden(_ result: Program.Result, _ name: String) throws {
        let shown = "\(result.output)\n--- on standard error ---\n\(result.errors)"
        #expect(try GoldenFile("Golden/\(name).txt").text(updatingTo: shown) == shown)
    }

    @Test("a wrong year in a window is marked")
    func wrongYear() async throws {
        let user = try Program()
        defer { user.remove() }
        let windows = [(2026, 1), (2026, 2), (2062, 3), (2026, 4)].map { year, day in
            "{start: \(year)-03-0\(day)T00:00:00Z, end: \(year)-03-0\(day + 1)T00:00:00Z}"
        }
        let result = try await plan(user, flow(1, "orders", "windows: [\(windows.joined(separator: ", "))]"))
        #expect(result.output.contains("⚠ ends in 2062"))
        try expectGolden(result, "review-wrong-year")
    }

    @Test("a series that starts ten years early is marked")
    func earlySeries() async throws {
        let user = try Program()
        defer { user.remove() }
        func series(_ from: String) -> String { "series: [{every: P1D, from: \(from), until: now}]" }
        let result = try await plan(
            user, flow(1, "orders", series("2026-03-01")), flow(2, "refunds", series("2016-03-01")),
            flow(3, "visits", series("2026-03-01")))
        #expect(result.output.contains("begins 10 years before most flows of this plan"))
        #expect(result.errors.contains("SLU0211"))
        try expectGolden(result, "review-early-series")
    }

    @Test("a changed delta column is an error")
    func changedColumn() async throws {
        let world = try await World(flows: 1, windows: 1)
        #expect(try await world.apply().status == 0)
        let changed = Fixture.flow(Fixture.id(0), windows: 3, column: "EMAIL")
        try world.user.write(Fixture.manifest([changed]), to: "flows.yaml")
        let result = try await world.run("plan", more: ["--format", "markdown"])
        #expect(result.status == 65)
        #expect(result.output.contains("🛑 **This plan cannot be applied: 1 error.**"))
        #expect(
            result.output.contains(/SLU0202.*flows\.yaml:\d+:\d+.*DOB.*EMAIL|SLU0202.*flows\.yaml:\d+:\d+.*EMAIL.*DOB/))
        try await world.end()
    }
}
