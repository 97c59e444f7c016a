import Foundation
import Testing

/// Saved plans with `plan --out` and `apply PLAN`: an apply sends exactly what was approved.
@Suite("Saved plans")
struct SavedPlanTests {
    private static let options = ["--out", "plan.json", "--as-of", "2024-05-01T00:00:00Z"]

    private func plan(_ world: World) async throws -> String {
        let result = try await world.run("plan", more: Self.options)
        #expect(result.status == 0)
        return result.errors
    }

    @Test("the digest shown to the reviewer is the one that is applied")
    func digest() async throws {
        let world = try await World(flows: 1, windows: 2)
        let kept = try await plan(world)
        let digest = try #require(kept.firstMatch(of: /sha256:[0-9a-f]{64}/)?.output)
        #expect(try world.user.read("plan.json").contains("\"digest\": \"\(digest)\""))
        let markdown = try await world.run("plan", more: Self.options + ["--format", "markdown"])
        #expect(markdown.output.contains(digest))
        let applied = try await world.user.run("apply", "plan.json")
        #expect(applied.status == 0)
        #expect(applied.errors.contains(digest))
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a plan is stale only for flows that changed, and the change is shown")
    func stale() async throws {
        let world = try await World(flows: 2, windows: 3)
        _ = try await plan(world)
        // Meanwhile, another job applies one of the two flows.
        let one = Fixture.manifest([Fixture.flow(Fixture.id(1), windows: 1)])
        try world.user.write(one, to: "one.yaml")
        #expect(try await world.user.run("apply", "one.yaml", "target.yaml", "--yes").status == 0)
        let applied = try await world.user.run("apply", "plan.json")
        #expect(applied.status == 75)
        #expect(applied.errors.contains("\(Fixture.id(1)): not applied, because the flow has changed since the plan"))
        #expect(
            applied.errors.contains(
                "1 of its 3 requests was made meanwhile, the first for 2024-01-01T00:00:00Z to 2024-01-01T01:00:00Z"))
        #expect(applied.errors.contains(/the latest change is run [0-9a-f-]+ of 2024-01-01T00:00:00Z/))
        #expect(try await world.simulator.statistics().runsTaken == 4, "the other flow is not held up")
        #expect(try await world.apply().status == 0)
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a plan that was already applied has nothing left to request")
    func appliedTwice() async throws {
        let world = try await World(flows: 2, windows: 2)
        _ = try await plan(world)
        #expect(try await world.user.run("apply", "plan.json").status == 0)
        let again = try await world.user.run("apply", "plan.json")
        #expect(again.status == 0)
        #expect(again.errors.contains("Nothing to do: all 4 requests were already made."))
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test(
        "a plan that was edited, or is for another target or version, is rejected and no request is sent",
        arguments: [
            ("\"end\":1704070800", "\"end\":1704070801", [], 65),
            ("\"formatVersion\": 1", "\"formatVersion\": 2", [], 65),
            ("", "", ["--target", "prod"], 64),
        ])
    func refused(old: String, new: String, options: [String], status: Int32) async throws {
        let world = try await World(flows: 1, windows: 2)
        _ = try await plan(world)
        let text = try world.user.read("plan.json")
        try world.user.write(old.isEmpty ? text : text.replacing(old, with: new), to: "plan.json")
        let applied = try await world.user.run(["apply", "plan.json"] + options)
        #expect(applied.status == status, "\(applied.errors)")
        #expect(try await world.simulator.statistics().postRequests == 0)
        try await world.end()
    }

    @Test("the same manifests and ledger give a byte-identical plan without secrets")
    func deterministic() async throws {
        let world = try await World(flows: 3, windows: 3)
        _ = try await plan(world)
        let first = try world.user.read("plan.json")
        _ = try await plan(world)
        #expect(try world.user.read("plan.json") == first)
        #expect(!first.contains("\"token\""))
        try await world.end()
    }

    @Test("a flow whose pause is not over is held, whatever day the plan was made for")
    func pausedNow() async throws {
        let world = try await World(flows: 2, windows: 1)
        let nextWeek = Date(timeIntervalSinceNow: 7 * 86_400).ISO8601Format()
        let tomorrow = Date(timeIntervalSinceNow: 86_400).ISO8601Format()
        let flows = [
            Fixture.flow(
                Fixture.id(0), more: "      paused: {reason: the source is being migrated, until: '\(tomorrow)'}\n"),
            Fixture.flow(Fixture.id(1)),
        ]
        try world.user.write(Fixture.manifest(flows), to: "flows.yaml")
        let planned = try await world.run("plan", more: ["--out", "plan.json", "--as-of", nextWeek])
        #expect(planned.output.contains("Plan: 2 to request"), "\(planned.output)")
        let applied = try await world.user.run("apply", "plan.json")
        #expect(applied.status == 75, "\(applied.errors)")
        #expect(applied.errors.contains("\(Fixture.id(0)): held"), "\(applied.errors)")
        #expect(applied.errors.contains("the source is being migrated"), "\(applied.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 1, "only the other flow's window is sent")
        try await world.end()
    }

    @Test("a run that only ended meanwhile does not make a plan stale")
    func endedMeanwhile() async throws {
        let world = try await World(flows: 1, windows: 1, "--speed", "20")
        #expect(try await world.apply().status == 0)
        try world.user.write(try world.user.read("flows.yaml"), to: "one.yaml")
        try world.user.write(Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 2)]), to: "flows.yaml")
        let before = try await world.run("history")
        #expect(!before.output.contains("succeeded"), "\(before.output)")
        _ = try await plan(world)
        #expect(try await world.user.run("apply", "one.yaml", "target.yaml", "--yes", "--wait").status == 0)
        let after = try await world.run("history")
        #expect(after.output.contains("succeeded"), "\(after.output)")
        let applied = try await world.user.run("apply", "plan.json")
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 2)
        try await world.end()
    }
}
