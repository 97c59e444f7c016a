import Foundation
import TestSupport
import Testing

/// The messages of each command in one place, so that a reviewer sees their wording at once.
@Suite("Messages of all commands", .timeLimit(.minutes(5)))
struct MessageTests {
    @Test("validate and plan")
    func manifests() async throws {
        var transcript = try Transcript(Program(example: "quickstart"))
        defer { transcript.user.remove() }
        try await transcript.run("validate", "quickstart")
        try transcript.useQuickstartWithoutWarning()
        try await transcript.run("validate", "missing.yaml")
        try await transcript.run("validate", "quickstart/target.yaml")
        try transcript.user.write("apiVersion: sluice/v1\nkind: Targte\n", to: "kind.yaml")
        try await transcript.run("validate", "kind.yaml")
        try transcript.user.write(Fixture.manifest([]), to: "empty.yaml")
        try await transcript.run("validate", "empty.yaml")
        try transcript.user.write("", to: "folder/flows.yml.bak")
        try await transcript.run("validate", "folder")
        try await transcript.run("validat", "quickstart")
        try await transcript.run("plan", "quickstart", "--as-of", "soon")
        try await transcript.run("plan", "quickstart", "--flow", "contcts")
        try await transcript.run("plan", "quickstart", "--exclude", "*")
        try await transcript.run("plan", "quickstart", "--target", "prod")
        try await transcript.run("plan", "quickstart", "--format", "xml")
        try await transcript.run("plan", "quickstart", "--out", "quickstart")
        try await transcript.run("plan", "quickstart", "--out", "plan.json")
        try await transcript.run("plan", "plan.json")
        try transcript.user.write(Fixture.target(), to: "two/a.yaml")
        try transcript.user.write(
            Fixture.target().replacing("name: test", with: "name: other"), to: "two/b.yaml")
        try transcript.user.write(Fixture.manifest([Fixture.flow()]), to: "two/flows.yaml")
        try await transcript.run("plan", "two")
        try await transcript.run("schema", "SLU9999")
        try transcript.expect("messages-manifests.txt")
    }

    @Test("apply without a service")
    func apply() async throws {
        var transcript = try Transcript(Program(example: "quickstart"))
        defer { transcript.user.remove() }
        try transcript.useQuickstartWithoutWarning()
        try await transcript.run("apply", "quickstart")
        try await transcript.run("apply", "quickstart", "--yes", "--as-of", "2999-01-01")
        try await transcript.run("apply", "quickstart", "--yes", "--max-runs", "0")
        try await transcript.run("apply", "quickstart", "--yes", "--max-runs", "1")
        try await transcript.run("apply", "quickstart", "--yes", "--timeout", "PT1M")
        try await transcript.run("plan", "quickstart", "--flow", "exports", "--out", "plan.json")
        try await transcript.run("apply", "quickstart", "--yes", "--flow", "exports")
        try await transcript.run("apply", "quickstart", "--yes", "--flow", "exports")
        try await transcript.run("apply", "plan.json")
        try await transcript.run("apply", "plan.json", "--flow", "contacts")
        let plan = try transcript.user.read("plan.json")
        try transcript.user.write(plan.replacing("\"formatVersion\": ", with: "\"formatVersion\": 9"), to: "newer.json")
        try await transcript.run("apply", "newer.json")
        try transcript.user.write(plan.replacing("\"create\"", with: "\"craete\""), to: "word.json")
        try await transcript.run("apply", "word.json")
        try transcript.user.write(String(plan.prefix(100)), to: "cut.json")
        try await transcript.run("apply", "cut.json")
        try transcript.expect("messages-apply.txt")
    }

    /// Faults of the service, and the options of the simulator.
    static let faults = [
        "401", "403", "400", "500", "429-retry-after:9s", "reset-before", "reset-after", "no-id", "html-error",
        "get-runs/403", "get-runs/400", "get-flows/404", "get-flows/html-error",
    ]

    @Test("apply, refresh and status with faults of the service")
    func service() async throws {
        var sections: [String] = []
        for fault in Self.faults {
            let world = try await World(
                flows: 1, windows: 1, limits: "{requestsPerSecond: 1000, requestTimeout: PT0.4S, settle: PT1.2S}",
                "--fault", fault)
            var transcript = Transcript(world.user)
            transcript.note("simulate --fault \(fault)")
            try await transcript.run(World.apply)
            sections.append(transcript.text)
            try await world.end()
        }
        let world = try await World(flows: 1, windows: 1)
        var transcript = Transcript(world.user)
        transcript.note("simulate, and then no service")
        try await transcript.run("apply", "flows.yaml", "target.yaml", "--yes", "--wait", "--timeout", "1m")
        try await transcript.run("ledger", "recheck", "flows.yaml", "target.yaml")
        try await transcript.run("refresh", "flows.yaml", "target.yaml")
        try await world.simulator.stop()
        try await transcript.run("refresh", "flows.yaml", "target.yaml")
        try await transcript.run("status", "flows.yaml", "target.yaml", "--refresh")
        try await transcript.run("flows", "target.yaml")
        transcript.user.environment["SLUICE_API_KEY"] = nil
        try await transcript.run("refresh", "flows.yaml", "target.yaml")
        transcript.user.environment["SLUICE_API_KEY"] = "kéy"
        try await transcript.run("refresh", "flows.yaml", "target.yaml")
        transcript.user.environment = [:]
        try await transcript.run("refresh", "flows.yaml", "target.yaml")
        transcript.user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        try transcript.user.write(Fixture.target(service: "http://192.0.2.1"), to: "target.yaml")
        try await transcript.run("refresh", "flows.yaml", "target.yaml")
        transcript.user.environment["https_proxy"] = "ftp://proxy"
        try transcript.user.write(Fixture.target(service: "https://192.0.2.1"), to: "target.yaml")
        try await transcript.run("refresh", "flows.yaml", "target.yaml")
        sections.append(transcript.text)
        world.user.remove()
        try Transcript.expect(sections.joined(), "messages-service.txt")
    }

    @Test("ledger")
    func ledger() async throws {
        var transcript = try Transcript(Program(example: "quickstart"))
        defer { transcript.user.remove() }
        try transcript.useQuickstartWithoutWarning()
        try await transcript.run("ledger", "verify", "quickstart")
        try await transcript.run("history", "quickstart")
        try await transcript.run("apply", "quickstart", "--yes", "--flow", "contacts")
        try await transcript.run("ledger", "verify", "quickstart")
        try await transcript.run("ledger", "export", "quickstart", "--out", "export.jsonl")
        try await transcript.run("ledger", "import", "quickstart", "--from", "export.jsonl")
        try await transcript.run("ledger", "import", "quickstart", "--from", "missing.jsonl")
        let export = try transcript.user.read("export.jsonl")
        try transcript.user.write(export.replacing("\"accepted\"", with: "\"acepted\""), to: "bad.jsonl")
        try await transcript.run("ledger", "import", "quickstart", "--from", "bad.jsonl")
        try transcript.user.write(export.split(separator: "\n").dropLast().joined(separator: "\n"), to: "cut.jsonl")
        try await transcript.run("ledger", "import", "quickstart", "--from", "cut.jsonl")
        try transcript.user.write("hello\n", to: "text.jsonl")
        try await transcript.run("ledger", "import", "quickstart", "--from", "text.jsonl")
        try await transcript.run("ledger", "copy", "quickstart", "--to", "oracle:x")
        try await transcript.run("ledger", "copy", "quickstart", "--to", "sqlite:copy.sqlite")
        try await transcript.run("ledger", "copy", "quickstart", "--to", "sqlite:copy.sqlite")
        try await transcript.run("ledger", "recheck", "quickstart")

        try transcript.user.write(Fixture.manifest([Fixture.flow()]), to: "mine/flows.yaml")
        try transcript.user.write(Fixture.target(ledger: "sqlite:mine.sqlite"), to: "mine/target.yaml")
        try transcript.user.write(
            "not a database, but long enough for a header of one hundred bytes\n", to: "mine/mine.sqlite")
        try await transcript.run("apply", "mine", "--yes")
        try FileManager.default.removeItem(at: transcript.user.path("mine/mine.sqlite"))
        try transcript.user.write("", to: "mine/mine.sqlite/file")
        try await transcript.run("apply", "mine", "--yes")
        _ = try await transcript.user.shell(
            "python3 -c 'import sqlite3; sqlite3.connect(\"mine/other.sqlite\").execute(\"create table a (b)\")'")
        try transcript.user.write(Fixture.target(ledger: "sqlite:other.sqlite"), to: "mine/target.yaml")
        try await transcript.run("apply", "mine", "--yes")
        try transcript.user.write(Fixture.target(ledger: "\"git:\""), to: "mine/target.yaml")
        try await transcript.run("plan", "mine")
        try transcript.user.write(Fixture.target(ledger: "git:missing.git"), to: "mine/target.yaml")
        try await transcript.run("plan", "mine")
        try transcript.expect("messages-ledger.txt")
    }

    @Test("init, simulate, status, history and report")
    func others() async throws {
        var transcript = try Transcript(Program(example: "quickstart"))
        defer { transcript.user.remove() }
        try transcript.useQuickstartWithoutWarning()
        try await transcript.run("init", "first")
        try await transcript.run("init", "first", "--service", "ftp://a", "--sandbox", "a b", "--ledger", "oracle:x")
        try await transcript.run("init", "first", "--service", "embedded")
        try await transcript.run("init", "first", "--service", "embedded")
        try await transcript.run("status", "quickstart")
        try await transcript.run("history", "quickstart", "--limit", "0")
        try await transcript.run("history", "quickstart", "--state", "done")
        try await transcript.run("history", "quickstart", "--since", "soon")
        try await transcript.run("report", "quickstart", "--out", "first")
        try await transcript.run("simulate", "quickstart", "--fault", "teapot")
        try await transcript.run("simulate", "quickstart", "--fault", "slow")
        try await transcript.run("simulate", "quickstart", "--failed", "2")
        try await transcript.run("simulate", "quickstart", "--state", "missing/state")
        try await transcript.run("simulate", "quickstart", "--flows", "missing.json")
        let first = try await SimulatorProcess(transcript.user, ["quickstart"])
        let port = first.address.split(separator: ":").last.map(String.init) ?? ""
        try await transcript.run("simulate", "quickstart", "--port", port)
        transcript.hide(port, as: "PORT")
        try await first.stop()
        try transcript.expect("messages-others.txt")
    }
}

/// Commands with their exit codes and what they print on standard error.
private struct Transcript {
    var user: Program
    private(set) var text = ""

    init(_ user: Program) { self.user = user }

    mutating func note(_ words: String) { text += "# \(words)\n" }

    /// Gives the window of the tutorial, which ends in the far future, an ordinary end.
    func useQuickstartWithoutWarning() throws {
        let flows = try user.read("quickstart/flows.yaml")
        try user.write(flows.replacing("16515859567", with: "1651588591"), to: "quickstart/flows.yaml")
    }

    mutating func run(_ arguments: String...) async throws { try await run(arguments) }

    mutating func run(_ arguments: [String]) async throws {
        let result = try await user.run(arguments)
        let command = (["sluice"] + arguments).joined(separator: " ")
        text += "$ \(command)\n\(steady(result.errors))[exit \(result.status)]\n\n"
    }

    mutating func hide(_ word: String, as placeholder: String) { text = text.replacing(word, with: placeholder) }

    /// Replaces what differs between runs: folders, ports, times, digests and IDs of runs.
    private func steady(_ errors: String) -> String {
        errors.replacing(user.folder.path, with: "FOLDER")
            .replacing(/127\.0\.0\.1:\d+/, with: "127.0.0.1:PORT")
            .replacing(/[0-9a-f]{64}/, with: "DIGEST")
            .replacing(/run [0-9a-f]{8}-[0-9a-f-]{27}/, with: "run RUN")
            .replacing(/\b\d+ s\b/, with: "N s")
            // A reset connection is reported in either way.
            .replacing("the connection was closed before the answer was complete", with: "connection reset")
            .replacing(/by [\w.-]+ \(process \d+\)/, with: "by OWNER")
            .replacing(/20[0-9-]{8}T[0-9:]{8}Z/, with: { $0.output < "2026-04" ? String($0.output) : "TIME" })
            .split(separator: "\n", omittingEmptySubsequences: false)
            .reduce(into: [Substring]()) { lines, line in if lines.last != line || line.isEmpty { lines.append(line) } }
            .joined(separator: "\n")
    }

    func expect(_ name: String) throws { try Self.expect(text, name) }

    static func expect(_ text: String, _ name: String) throws {
        #expect(try GoldenFile("Golden/\(name)").text(updatingTo: text) == text, "differs from Golden/\(name)")
    }
}
