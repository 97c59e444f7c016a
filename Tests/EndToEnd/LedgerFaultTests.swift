import Foundation
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
        #expect(try await world.run("ledger", "import", more: ["--from", "edited.jsonl"]).status == 65)
        try await world.end()
    }
}
