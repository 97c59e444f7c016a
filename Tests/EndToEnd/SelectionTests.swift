import Foundation
import Testing

/// The options `--flow` and `--exclude`, and the formats of times.
@Suite("Selecting flows and times")
struct SelectionTests {
    @Test("only the selected flows are planned, applied and shown, by name, ID or pattern")
    func chosen() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        let plan = try await user.run("plan", "quickstart", "--flow", "exp*")
        #expect(plan.output.contains("Plan: 1 to request."))
        #expect(plan.errors.contains("1 of 3 flows selected"))

        let apply = try await user.run("apply", "quickstart", "--yes", "--exclude", "orders", "--exclude", "exports")
        #expect(apply.status == 0)
        #expect(apply.errors.contains("1 run requested"))
        let id = "5D3A7C1E-0F2B-4C6D-9E8F-7A6B5C4D3E2F"
        #expect(try await user.run("apply", "quickstart", "--yes", "--flow", id).errors.contains("1 run requested"))

        let status = try await user.run("status", "quickstart", "--exclude", "[ce]*", "--format", "json")
        #expect(status.output.contains("orders"))
        #expect(!status.output.contains("contacts"))
        let history = try await user.run("history", "quickstart", "--flow", "contacts", "--flow", "exports")
        #expect(history.output.contains("2 runs"))
        let newest = try await user.run("history", "quickstart", "--limit", "1")
        #expect(newest.output.contains("1 older run not shown"))
    }

    @Test("flows are listed by name")
    func order() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        let output = try await user.run("status", "quickstart").output
        // After the target and the titles.
        let rows = output.split(separator: "\n").dropFirst(2).prefix(3)
        let names = rows.compactMap { $0.split(separator: " ").dropFirst().first }
        #expect(names == ["contacts", "exports", "orders"])
    }

    @Test(
        "an unknown flow is an error with the nearest name",
        arguments: [
            ["plan"], ["apply", "--yes"], ["refresh"], ["status"], ["history"], ["report", "--out", "a.html"],
        ])
    func unknown(command: [String]) async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        for option in ["--flow", "--exclude"] {
            let result = try await user.run(command + ["quickstart", option, "contcts"])
            #expect(result.status == 64)
            #expect(result.errors.contains("\(option) 'contcts'"))
            #expect(result.errors.contains("did you mean 'contacts'?"))
        }
    }

    @Test("a saved plan cannot be narrowed down")
    func savedPlan() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        _ = try await user.run("plan", "quickstart", "--out", "plan.json")
        #expect(try await user.run("apply", "plan.json", "--flow", "contacts").status == 64)
    }

    @Test("a time may be a date or a word", arguments: ["2024-04-01", "yesterday", "today", "tomorrow", "now"])
    func times(time: String) async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        #expect(try await user.run("plan", "quickstart", "--as-of", time).status == 0)
        #expect(try await user.run("history", "quickstart", "--since", time, "--until", time).status == 0)
    }

    @Test(
        "an invalid argument is an error with a suggestion",
        arguments: [
            (["plan", "--as-of", "tomorow"], "write Unix seconds (1651584991) or RFC 3339"),
            (["plan", "--as-of", "1651584991000"], "is in milliseconds; use seconds; write 1651584991"),
            (["plan", "--as-of", "2024-05-01T10:00:00"], "for UTC write 2024-05-01T10:00:00Z"),
            (["apply", "--wait", "--timeout", "30"], "for seconds write 30s"),
            (["apply", "--wait", "--timeout", "P1M"], "use days"),
            (["pln"], "did you mean 'plan'?"),
        ])
    func faults(arguments: [String], advice: String) async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        let result = try await user.run(arguments + ["quickstart"])
        #expect(result.status == 64)
        #expect(result.errors.contains(advice))
    }

    @Test("the metrics end with the OpenMetrics end marker")
    func metrics() async throws {
        let user = try Program(example: "quickstart")
        defer { user.remove() }
        let output = try await user.run("status", "quickstart", "--format", "openmetrics").output
        #expect(output.hasSuffix("# EOF\n"))
        #expect(output.contains("sluice_flow_missing_windows{target=\"quickstart\",flow=\"orders\","))
    }
}
