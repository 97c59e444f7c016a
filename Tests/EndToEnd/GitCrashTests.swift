import Foundation
import TestSupport
import Testing

/// Two machines that concurrently apply the same manifests with a Git ledger, while clients and the server are killed.
@Suite("Crashes with a Git ledger", .serialized)
struct GitCrashTests {
    @Test("kill -9 of clients and of the server's receive-pack neither repeats nor loses a window")
    func killed() async throws {
        let kills = ProcessInfo.processInfo.environment["SLUICE_KILLS"].flatMap(Int.init) ?? 8
        let (flows, windows) = (4, max(20, kills * 2))
        let limits =
            "{requestsPerSecond: 80, parallelFlows: 4, requestTimeout: PT2S, settle: PT6S, maxRunsPerApply: 5000}"
        let world = try await GitMachines([
            "flows.yaml": Fixture.manifest(
                (0..<flows).map { Fixture.flow(Fixture.id($0), windows: windows, column: $0 % 3 == 2 ? nil : "DOB") }),
            "target.yaml": Fixture.target(service: "SERVICE", limits: limits, ledger: "'git:'"),
        ])
        let machines = [try world.machine(), try world.machine()]
        // While the file exists, the server process is killed at random, either before or after the change of the ref.
        let (flag, log) = (world.repository.path + "/kill", world.repository.path + "/killed")
        for hook in ["pre-receive", "post-receive"] {
            try world.repository.setHook(
                hook,
                """
                [ -e '\(flag)' ] || exit 0
                [ $(($(od -An -N1 -tu1 /dev/urandom) % 8)) = 0 ] || exit 0
                echo \(hook) >> '\(log)'; kill -9 $PPID
                """)
        }
        try Data().write(to: URL(fileURLWithPath: flag))
        func serverKills() -> Int {
            ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").count { $0 == "\n" }
        }
        var clientKills = 0
        while clientKills < (kills + 1) / 2 || clientKills + serverKills() < kills {
            let programs = try machines.map { try $0.start(["apply", ".", "--yes"]) }
            try await Task.sleep(for: .milliseconds(Int.random(in: 300...2_500)))
            for program in programs {
                // A process that has already finished does not count as killed.
                if program.isRunning { clientKills += 1 }
                program.signal(SIGKILL)
                _ = try await program.end()
            }
            if try await world.simulator.statistics().runsTaken >= flows * windows { break }
        }
        try FileManager.default.removeItem(atPath: flag)

        var statuses: [Int32] = []
        for _ in 0..<10 where statuses.last != 0 {
            let result = try await machines[0].run(["apply", ".", "--yes"])
            statuses.append(result.status)
        }
        #expect(statuses.last == 0, "\(statuses)")
        let counts = try await world.simulator.statistics()
        print("killed \(clientKills) clients and \(serverKills()) receive-packs; \(counts.runsTaken) runs taken")
        #expect(counts.runsTaken == flows * windows)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(counts.deltaColumnViolations == 0)
        for machine in machines {
            #expect(try await machine.run(["plan", ".", "--detailed-exitcode"]).status == 0)
            let verified = try await machine.run(["ledger", "verify", "."])
            #expect(verified.status == 0, "\(verified.errors)")
        }
        try await world.end()
    }

    @Test("with SIGCHLD ignored by the parent, a failure of Git is still detected")
    func unnotedChildren() async throws {
        let user = try Program()
        defer { user.remove() }
        try user.write(Fixture.manifest([Fixture.flow(windows: 1)]), to: "flows.yaml")
        try user.write(Fixture.target(ledger: "'git:\(user.folder.path)/none.git'"), to: "target.yaml")
        let parent =
            "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
        let result = try await user.start(["plan", "flows.yaml", "target.yaml"], below: parent).end()
        #expect(result.status == 74, "\(result.output)")
        #expect(result.errors.contains("does not appear to be a git repository"))
    }

    @Test("a copy of a ledger to Git and the original have identical exports")
    func copied() async throws {
        let world = try await GitMachines([
            "flows.yaml": Fixture.manifest([Fixture.flow(windows: 5)]),
            "target.yaml": Fixture.target(service: "SERVICE", limits: World.quickLimits, ledger: "'sqlite:a.sqlite'"),
        ])
        let machine = try world.machine()
        #expect(try await machine.run(["apply", ".", "--yes"]).status == 0)
        let export = try await machine.run(["ledger", "export", "."]).output
        let copied = try await machine.run(["ledger", "copy", ".", "--to", "git:"])
        #expect(copied.status == 0, "\(copied.errors)")
        try machine.write(
            machine.read("target.yaml").replacingOccurrences(of: "'sqlite:a.sqlite'", with: "'git:'"), to: "target.yaml"
        )
        #expect(try await machine.run(["ledger", "export", "."]).output == export)
        #expect(try await machine.run(["plan", ".", "--detailed-exitcode"]).status == 0)
        try await world.end()
    }
}
