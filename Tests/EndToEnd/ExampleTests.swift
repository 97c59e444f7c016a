import Foundation
import TestSupport
import Testing

/// The example manifests of the project, planned with golden output and applied to the embedded simulator.
@Suite("Examples")
struct ExampleTests {
    static let asOf = ["--as-of", "2026-03-31T12:00:00Z"]

    @Test(
        "an example is planned and applied, and then has nothing to do, golden",
        arguments: [
            ("quickstart", [], 16), ("daily", [], 31), ("backfill", [], 781), ("targets", ["--target", "stage"], 14),
            ("rerun", [], 8), ("rerun-range", [], 10), ("newest-first", [], 119),
        ])
    func applies(name: String, options: [String], requests: Int) async throws {
        let user = try Program(example: name)
        defer { user.remove() }
        let plan = try await user.run(["plan", name] + Self.asOf + options)
        #expect(plan.status == 0)
        try expectGolden(plan.output, "\(name).plan.txt")
        let first = try await user.run(["apply", name, "--yes", "--quiet"] + Self.asOf + options)
        #expect(first.status == 0)
        #expect(first.errors.contains("\(requests) runs requested"))
        let again = try await user.run(["apply", name, "--yes"] + Self.asOf + options)
        #expect(again.status == 0)
        #expect(again.output.contains("Nothing to do: all \(requests) windows are recorded."))
        #expect(try await user.run(["ledger", "verify", name] + options).status == 0)
    }

    @Test("a rerun declared after the first apply requests only its window")
    func rerunLater() async throws {
        let user = try Program(example: "rerun")
        defer { user.remove() }
        let flows = try user.read("rerun/flows.yaml")
        let before = try #require(flows.firstRange(of: "\n      # The window must be exactly"))
        try user.write(String(flows[..<before.lowerBound]) + "\n", to: "rerun/flows.yaml")
        #expect(try await user.run("apply", "rerun", "--yes").errors.contains("7 runs requested"))
        try user.write(flows, to: "rerun/flows.yaml")
        let plan = try await user.run(["plan", "rerun"] + Self.asOf)
        try expectGolden(plan.output, "rerun-later.plan.txt")
        #expect(try await user.run("apply", "rerun", "--yes").errors.contains("1 run requested"))
    }

    @Test("a paused flow is shown and not requested until the pause is over")
    func paused() async throws {
        let user = try Program(example: "paused")
        defer { user.remove() }
        let asOf = ["--as-of", "2026-03-08T12:00:00Z"]
        let plan = try await user.run(["plan", "paused"] + asOf)
        try expectGolden(plan.output, "paused.plan.txt")
        #expect(try await user.run(["apply", "paused", "--yes"] + asOf).errors.contains("7 runs requested"))
        let again = try await user.run(["plan", "paused", "--detailed-exitcode"] + asOf)
        #expect(again.status == 0)
        #expect(again.output.contains("Nothing to request: 7 paused, 7 recorded."))
        let status = try await user.run(["status", "paused"] + asOf)
        #expect(status.status == 0)
        try expectGolden(
            status.output.replacing(/Last refreshed [^;]+;/, with: "Last refreshed TIME;"), "paused.status.txt")

        let later = ["--as-of", "2026-03-10T00:00:00Z"]
        #expect(try await user.run(["apply", "paused", "--yes"] + later).errors.contains("11 runs requested"))
        #expect(try await user.run(["plan", "paused"] + later).output.contains("all 18 windows are recorded"))
    }

    @Test("a replacing flow continues where the replaced one ended")
    func replaced() async throws {
        let user = try Program(example: "replaced")
        defer { user.remove() }
        let flows = try user.read("replaced/flows.yaml")
        let before = flows.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains(" replaces:") }.joined(separator: "\n")
            .replacing("5b7ec1f0-bf9a-425f-8283-7ede0b6fc0b5", with: "4a6dbfe2-ae89-414e-b172-6dcd9a5ebfa4")
        try user.write(before, to: "replaced/flows.yaml")
        let first = try await user.run("apply", "replaced", "--yes", "--as-of", "2026-03-08T12:00:00Z")
        #expect(first.errors.contains("7 runs requested"))

        try user.write(flows, to: "replaced/flows.yaml")
        let asOf = ["--as-of", "2026-03-10T12:00:00Z"]
        try expectGolden(try await user.run(["plan", "replaced"] + asOf).output, "replaced.plan.txt")
        #expect(try await user.run(["apply", "replaced", "--yes"] + asOf).errors.contains("2 runs requested"))
        let again = try await user.run(["plan", "replaced"] + asOf)
        #expect(again.output.contains("Nothing to do: all 9 windows are recorded."))
        let status = try await user.run(["status", "replaced"] + asOf)
        #expect(status.output.contains("9 of 9 due windows recorded"))
    }

    @Test("after an outage, hours are requested in daily batches, and count as recorded with any later batch length")
    func batch() async throws {
        let user = try Program(example: "batch")
        defer { user.remove() }
        func apply(_ asOf: String) async throws -> String {
            try await user.run("apply", "batch", "--yes", "--as-of", asOf).errors
        }
        #expect(try await apply("2026-03-02T01:00:00Z").contains("2 runs requested"))
        #expect(try await apply("2026-03-02T02:00:00Z").contains("1 run requested"))
        let asOf = ["--as-of", "2026-03-05T02:00:00Z"]
        let plan = try await user.run(["plan", "batch", "--out", "plan.json"] + asOf)
        try expectGolden(plan.output, "batch.plan.txt")
        #expect(try await user.run("apply", "plan.json").errors.contains("3 runs requested"))
        let flows = try user.read("batch/flows.yaml")
        for batch in ["      batch: P1D\n", "      batch: PT5H\n", ""] {
            try user.write(flows.replacing("      batch: P1D\n", with: batch), to: "batch/flows.yaml")
            let again = try await user.run(["plan", "batch"] + asOf)
            #expect(again.output.contains("Nothing to do: all 98 windows are recorded."), "\(again.output)")
            let status = try await user.run(["status", "batch"] + asOf)
            #expect(status.output.contains("98 of 98 due windows recorded"), "\(status.output)")
        }
        #expect(try await user.run("ledger", "verify", "batch").status == 0)
    }

    @Test("a flow that comes after another waits and is shown as waiting")
    func after() async throws {
        let user = try Program(example: "after")
        defer { user.remove() }
        try expectGolden(try await user.run(["plan", "after"] + Self.asOf).output, "after.plan.txt")
        try expectGolden(
            try await user.run(["plan", "after", "--format", "github"] + Self.asOf).output, "after.plan.github.txt")
        try expectGolden(try await user.run(["status", "after"] + Self.asOf).output, "after.status.txt")
    }

    @Test("requests beyond the daily limit wait for the next day")
    func limits() async throws {
        let user = try Program(example: "limits")
        defer { user.remove() }
        let plan = try await user.run(["plan", "limits"] + Self.asOf)
        try expectGolden(plan.output, "limits.plan.txt")
        #expect(try await user.run(["apply", "limits", "--yes"] + Self.asOf).errors.contains("83 runs requested"))
        let again = try await user.run(["plan", "limits"] + Self.asOf)
        #expect(again.output.contains("Nothing to request: 40 over a daily limit, 83 recorded."), "\(again.output)")
    }

    @Test("failed runs of the example are retried until they succeed")
    func retry() async throws {
        var user = try Program(example: "retry")
        user.environment = ["SLUICE_ACCESS_TOKEN": "any", "SLUICE_API_KEY": "any"]
        let simulator = try await SimulatorProcess(user, ["retry", "--failed", "0.3", "--speed", "10000"])
        // A retry waits until the failure is older than `settle`.
        let target = try user.read("retry/target.yaml").replacing(
            "requestsPerSecond: 50", with: "requestsPerSecond: 50, requestTimeout: PT1S, settle: PT3S")
        try user.write(target.replacing("http://127.0.0.1:8080", with: simulator.address), to: "retry/target.yaml")
        #expect(try await user.run("apply", "retry", "--yes", "--wait").status == 1)
        let plan = try await user.run(["plan", "retry"] + Self.asOf)
        try expectGolden(plan.output.replacing(simulator.address, with: "http://127.0.0.1:8080"), "retry.plan.txt")
        #expect(try await user.run("apply", "retry", "--yes", "--wait").status == 0)
        #expect(try await user.run("status", "retry").status == 0)
        try await simulator.stop()
        user.remove()
    }

    @Test("runs of the example without records are shown and retried")
    func expect() async throws {
        var user = try Program(example: "expect")
        user.environment = ["SLUICE_ACCESS_TOKEN": "any", "SLUICE_API_KEY": "any"]
        let simulator = try await SimulatorProcess(user, ["expect", "--empty", "0.3", "--speed", "10000"])
        // A retry waits until the failure is older than `settle`.
        let target = try user.read("expect/target.yaml").replacing(
            "requestsPerSecond: 50", with: "requestsPerSecond: 50, requestTimeout: PT1S, settle: PT3S")
        try user.write(target.replacing("http://127.0.0.1:8080", with: simulator.address), to: "expect/target.yaml")
        #expect(try await user.run("apply", "expect", "--yes", "--wait").status == 0)
        let status = try await user.run("status", "expect")
        #expect(status.status == 0, "the next apply retries the run")
        try expectGolden(
            status.output.replacing(/Last refreshed [^.]+./, with: "Last refreshed TIME."), "expect.status.txt")
        let plan = try await user.run(["plan", "expect"] + Self.asOf)
        try expectGolden(plan.output.replacing(simulator.address, with: "http://127.0.0.1:8080"), "expect.plan.txt")
        #expect(try await user.run("history", "expect").output.contains("0 records, and at least 1 is expected"))
        #expect(try await user.run("report", "expect", "--out", "page.html").status == 0)
        #expect(try user.read("page.html").contains("5 windows need attention"))
        #expect(try await user.run("apply", "expect", "--yes", "--wait").status == 0)
        let after = try await user.run("status", "expect")
        #expect(after.status == 0, "\(after.output)")
        let counts = try await simulator.statistics()
        #expect(counts.postRequests == 14)
        #expect(counts.runsTaken == 14)
        #expect(try await user.run("ledger", "verify", "expect").status == 0)
        try await simulator.stop()
        user.remove()
    }

    @Test("all examples are valid, also together")
    func sound() async throws {
        let user = try Program()
        defer { user.remove() }
        let manifests = Program.checkout.appending(path: "manifests").path
        let result = try await user.run("validate", manifests)
        #expect(result.status == 0, "\(result.errors)")
    }
}

/// Compares a text with a golden file.
private func expectGolden(_ text: String, _ name: String) throws {
    #expect(try GoldenFile("Golden/\(name)").text(updatingTo: text) == text)
}
