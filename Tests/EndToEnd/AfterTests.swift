import Foundation
import Testing

/// Flows that are requested after others have succeeded.
@Suite("Flows that come after others")
struct AfterTests {
    /// Returns the example with a service in its own process.
    private static func example(_ options: String...) async throws -> (Program, SimulatorProcess) {
        var user = try Program(example: "after")
        user.environment = ["SLUICE_ACCESS_TOKEN": "any", "SLUICE_API_KEY": "any"]
        let simulator = try await SimulatorProcess(user, ["after"] + options)
        let target = try user.read("after/target.yaml")
        try user.write(target.replacing("embedded", with: simulator.address), to: "after/target.yaml")
        return (user, simulator)
    }

    @Test("apply --wait requests a day only after its hours have succeeded")
    func goesOn() async throws {
        let (user, simulator) = try await Self.example("--speed", "20")
        let result = try await user.run("apply", "after", "--yes", "--wait", "--format", "json")
        #expect(result.status == 0, "\(result.errors)")
        var ended = 0
        var days: [Int] = []
        for line in result.output.split(separator: "\n") {
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let isOfDays = (event["flowId"] as? String)?.hasPrefix("7b301d2e") ?? false
            if event["event"] as? String == "runEnded", !isOfDays { ended += 1 }
            if event["event"] as? String == "accepted", isOfDays { days.append(ended) }
        }
        #expect(days.count == 2)
        #expect(days.first.map { $0 >= 24 } ?? false && days.last == 48, "\(days)")
        let again = try await user.run("plan", "after")
        #expect(again.output.contains("Nothing to do: all 50 windows are recorded."), "\(again.output)")
        let counts = try await simulator.statistics()
        #expect(counts.runsTaken == 50 && counts.windowsTakenTwice.isEmpty)
        try await simulator.stop()
        user.remove()
    }

    @Test("a later apply without --wait first refreshes the runs that are waited for, then continues")
    func laterApply() async throws {
        let (user, simulator) = try await Self.example("--speed", "10000")
        let first = try await user.run("apply", "after", "--yes")
        #expect(first.status == 0)
        #expect(first.output.contains("Plan: 48 to request; 2 waiting for another flow."), "\(first.output)")
        #expect(try await user.run("plan", "after", "--detailed-exitcode").status == 2)
        let second = try await user.run("apply", "after", "--yes", "--flow", "order-lines")
        #expect(second.errors.contains("2 runs requested"), "\(second.errors)")
        try await simulator.stop()
        user.remove()
    }

    @Test("windows after a failed run keep waiting, and apply --wait ends")
    func failed() async throws {
        let (user, simulator) = try await Self.example("--failed", "1", "--speed", "10000")
        let flows = try user.read("after/flows.yaml")
        try user.write(flows.replacing("retryFailed: 2", with: "retryFailed: 0"), to: "after/flows.yaml")
        #expect(try await user.run("apply", "after", "--yes", "--wait").status == 1)
        #expect(try await simulator.statistics().runsTaken == 48)
        let plan = try await user.run("plan", "after")
        #expect(plan.output.contains("waits for orders, whose run has not succeeded"), "\(plan.output)")
        #expect(try await user.run("apply", "after", "--yes", "--wait").status == 0)
        #expect(try await simulator.statistics().runsTaken == 48)
        try await simulator.stop()
        user.remove()
    }
}
