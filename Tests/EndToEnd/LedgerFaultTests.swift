import Foundation
import TestSupport
import Testing

/// Ledgers that cannot be trusted or written: every apply must exit with 74 and send nothing.
@Suite("Unusable ledgers")
struct LedgerFaultTests {
    private func expectNothingSent(_ damage: (Program) throws -> Void) async throws {
        let world = try await World(flows: 2, windows: 2)
        #expect(try await world.apply("--max-runs", "4").status == 0)
        try damage(world.user)
        try world.user.write(
            Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 4), Fixture.flow(Fixture.id(1), windows: 4)]),
            to: "flows.yaml")
        let result = try await world.apply()
        #expect(result.status == 74, "\(result.errors)")
        #expect(result.errors.contains("ledger"))
        #expect(try await world.simulator.statistics().postRequests == 4)
        try await world.end()
    }

    private func removeLog(_ user: Program) {
        for file in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
            try? FileManager.default.removeItem(at: user.path(file))
        }
    }

    @Test("a ledger file of random bytes prevents requests")
    func garbage() async throws {
        try await expectNothingSent { user in
            removeLog(user)
            try Data((0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(to: user.path("ledger.sqlite"))
        }
    }

    @Test("a folder instead of the ledger file prevents requests")
    func folder() async throws {
        try await expectNothingSent { user in
            removeLog(user)
            try FileManager.default.removeItem(at: user.path("ledger.sqlite"))
            try FileManager.default.createDirectory(at: user.path("ledger.sqlite"), withIntermediateDirectories: true)
        }
    }

    @Test("a ledger of a newer version prevents requests")
    func newer() async throws {
        try await expectNothingSent { user in
            let file = try FileHandle(forUpdating: user.path("ledger.sqlite"))
            // The header's user version, big-endian at byte 60 (SQLite file format, section 1.3).
            try file.seek(toOffset: 60)
            try file.write(contentsOf: Data([0, 0, 0x7F, 0]))
            try file.close()
        }
    }

    /// Applies two windows, then four more while another connection keeps the log; everything may only be read then.
    private static let leftOverLog = """
        apply() { "$0" apply flows.yaml target.yaml --yes > out 2>&1 || { cat out >&2; exit 9; }; }
        mkdir data; apply
        python3 -c 'import sqlite3, time; c = sqlite3.connect("data/ledger.sqlite"); c.execute("begin")
        c.execute("select count(*) from run").fetchone(); print(flush=True); time.sleep(600)' > ready & holder=$!
        until [ -s ready ]; do sleep 0.05; done
        cp more.yaml flows.yaml; apply
        kill -9 $holder; wait $holder 2> /dev/null; [ -s data/ledger.sqlite-wal ] || exit 8
        rm -f data/ledger.sqlite-shm; chmod 444 data/*; chmod 555 data

        """

    @Test(
        "a ledger that may only be read, with changes in its log, is refused under each of its names",
        arguments: [
            "data/ledger.sqlite", "links/file.sqlite", "links/folder/ledger.sqlite", "links/chain", "hard/ledger",
        ])
    func olderState(name: String) async throws {
        let user = try Program()
        try user.write(Fixture.manifest([Fixture.flow(windows: 2)]), to: "flows.yaml")
        try user.write(Fixture.manifest([Fixture.flow(windows: 6)]), to: "more.yaml")
        try user.write(Fixture.target(ledger: "sqlite:data/ledger.sqlite"), to: "target.yaml")
        try user.write(Fixture.target(ledger: "sqlite:\(name)"), to: "other.yaml")
        let script =
            Self.leftOverLog + """
                mkdir links hard; ln -s ../data/ledger.sqlite links/file.sqlite; ln -s ../data links/folder
                ln -s file.sqlite links/chain; ln data/ledger.sqlite hard/ledger; chmod 555 links hard
                "$0" status flows.yaml other.yaml; status=$?; chmod 755 data links hard; exit $status
                """
        let result = try await user.shell(script, asOther: true)
        #expect(result.status == 74, "\(result.output) \(result.errors)")
        #expect(result.errors.contains("cannot be read on its own"), "\(result.errors)")
        user.remove()
    }

    @Test("a ledger that may only be read, without a log, is read through a link", arguments: ["data/ledger", "link"])
    func cleanState(name: String) async throws {
        let user = try Program()
        try user.write(Fixture.manifest([Fixture.flow(windows: 2)]), to: "flows.yaml")
        try user.write(Fixture.target(ledger: "sqlite:data/ledger"), to: "target.yaml")
        try user.write(Fixture.target(ledger: "sqlite:\(name)"), to: "other.yaml")
        let script = """
            "$0" apply flows.yaml target.yaml --yes > out 2>&1; ln -s data/ledger link; chmod 444 data/*; chmod 555 data .
            "$0" plan flows.yaml other.yaml --detailed-exitcode; status=$?; chmod 755 data .; exit $status
            """
        let result = try await user.shell(script, asOther: true)
        #expect(result.status == 0, "\(result.output) \(result.errors)")
        user.remove()
    }

    @Test("a header version that does not match the tables is an error", arguments: ["0", "1", "-1"])
    func otherVersion(version: String) async throws {
        try await expectNothingSent { user in
            try runProgram(
                "python3",
                [
                    "-c",
                    "import sqlite3; sqlite3.connect('ledger.sqlite').execute('PRAGMA user_version = \(version)')",
                ], ["PATH": "/usr/bin:/bin"], in: user.folder.path)
        }
    }

    @Test("an unreadable journal is an error with its reason")
    func foreignJournal() async throws {
        guard getuid() == 0 else { return }
        let user = try Program()
        try user.write(Fixture.manifest([Fixture.flow(windows: 1)]), to: "flows.yaml")
        try user.write(Fixture.target(), to: "target.yaml")
        #expect(try await user.run("apply", "flows.yaml", "target.yaml", "--yes").status == 0)
        try user.write(Fixture.manifest([Fixture.flow(windows: 2)]), to: "flows.yaml")
        let prepared = try await user.shell("true", asOther: true)
        #expect(prepared.status == 0)
        try runProgram("chown", ["-R", "0:0", user.path(".local").path], ["PATH": "/usr/bin:/bin"])
        for mode in ["700", "755"] {
            try runProgram("chmod", ["-R", mode, user.path(".local").path], ["PATH": "/usr/bin:/bin"])
            let result = try await RunningProgram(
                URL(filePath: "/usr/bin/env"),
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.binary.path] + World.apply,
                in: user.folder, environment: [:], input: nil
            ).end()
            #expect(result.status == 74, "\(result.errors)")
            #expect(result.errors.contains("journal of claims") && result.errors.contains("Permission denied"))
        }
        user.remove()
    }

    @Test("an imported export leaves nothing to do, and new windows are compared with the service first")
    func exportAndImport() async throws {
        let world = try await World(flows: 2, windows: 3, limits: World.patientLimits)
        #expect(try await world.apply().status == 0)
        let export = try await world.run("ledger", "export")
        try world.user.write(export.output, to: "ledger.jsonl")
        try world.loseLedger()
        #expect(try await world.run("ledger", "import", more: ["--from", "ledger.jsonl"]).status == 0)
        #expect(try await world.run("ledger", "import", more: ["--from", "ledger.jsonl"]).status == 0)
        try await world.expectOnceEach()
        try world.loseLedger()
        try world.user.write(
            Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 4), Fixture.flow(Fixture.id(1), windows: 3)]),
            to: "flows.yaml")
        #expect(try await world.run("ledger", "import", more: ["--from", "ledger.jsonl"]).status == 0)
        #expect(try await world.apply().status == 0)
        #expect(try await world.simulator.statistics().requests["GET /runs"] == 3)
        #expect(try await world.simulator.statistics().windowsTakenTwice.isEmpty)
        try world.user.write(export.output.replacing("\"accepted\"", with: "\"rejected\""), to: "edited.jsonl")
        let refused = try await world.run("ledger", "import", more: ["--from", "edited.jsonl"])
        #expect(refused.status == 65)
        #expect(refused.errors.contains("\n  edited.jsonl:3: the run is impossible: rejected"), "\(refused.errors)")
        try await world.end()
    }
}
