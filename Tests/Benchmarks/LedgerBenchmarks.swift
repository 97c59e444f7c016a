import FlowRuns
import Foundation
import GitLedger
import Ledger
import PostgresLedger
import SQLiteLedger
import TestSupport

extension Benchmark {
    /// Benchmarks of reading and writing ledgers.
    static func ledgers(_ samples: Samples) -> [Benchmark] {
        [
            Benchmark("ledger, runs, SQLite", floor: "SQLite's rows") {
                let path = try await samples.ledger()
                return Measurement(
                    Work {
                        try await scanRuns(
                            try SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readOnly))
                    }, floor: Work { try Floor.read(path, Floor.plannedRuns(of: "run")) })
            },
            Benchmark("ledger, runs, PostgreSQL", floor: "psql copies the rows") {
                guard PostgresServer.isInstalled else { return nil }
                let server = try await PostgresServer.shared()
                let address = try await server.makeDatabaseURL()
                try await samples.importExport(
                    into: try await PostgresLedger.open(address, targets: [Samples.target], mode: .readWrite))
                return Measurement(
                    Work {
                        try await scanRuns(
                            try await PostgresLedger.open(address, targets: [Samples.target], mode: .readOnly))
                    },
                    floor: Work {
                        try Program(
                            "psql", "-X", "-q", "-d", address, "-c",
                            "COPY (\(Floor.plannedRuns(of: "sluice.run"))) TO STDOUT"
                        )
                        .run()
                    })
            },
            Benchmark("ledger, runs, Git", floor: "git prints the files") {
                guard let repository = try? GitRepository() else { return nil }
                func open() -> GitLedger {
                    GitLedger(
                        GitLocation(place: .address(repository.address, folder: repository.home)),
                        target: Samples.target, sandbox: "prod", mode: .readWrite,
                        cacheFolder: repository.home + "/cache", stateFolder: repository.home + "/state",
                        environment: repository.environment)
                }
                try await samples.importExport(into: open())
                let print = "git rev-list --objects --all | git cat-file --batch"
                return Measurement(
                    Work { try await scanRuns(open()) },
                    floor: Work { try Program("sh", "-c", "cd '\(repository.path)' && \(print)").run() })
            },
            Benchmark("ledger, export", floor: "SQLite's rows") {
                let path = try await samples.ledger()
                return Measurement(
                    Work { try await export(path) },
                    floor: Work { try Floor.read(path, "SELECT * FROM run ORDER BY window_start") })
            },
            Benchmark("ledger, import", floor: "SQLite copies the tables") {
                let path = try await samples.ledger()
                return Measurement(
                    Work { try await samples.importExport(into: try samples.newLedger(samples.newFile())) },
                    floor: Work {
                        let copy = samples.newFile()
                        try await samples.newLedger(copy).close()
                        try Floor.copy(path, to: copy)
                    })
            },
            Benchmark("ledger, commits", floor: "SQLite's transactions") {
                let count = max(1, samples.count / 1000)
                return Measurement(
                    Work { try await commit(count, to: try samples.newLedger(samples.newFile())) },
                    floor: Work { try Floor.commit(count, to: samples.newFile()) })
            },
        ]
    }

    private static func scanRuns(_ store: some LedgerStore) async throws {
        try await store.scanRuns(Samples.flow) { _ in true }
        await store.close()
    }

    private static func export(_ path: String) async throws {
        let store = try SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readOnly)
        try await store.export(target: Samples.target) { _ in }
        await store.close()
    }

    /// Commits claims of one flow, each before the next.
    private static func commit(_ count: Int, to store: some LedgerStore) async throws {
        let flow = Samples.flow
        var ledger = FlowLedger(try await store.snapshot(of: flow))
        for number in 0..<count {
            let start = Int64(number) * 600
            let now = Timestamp(milliseconds: 1)
            let claim = Claim(
                identity: RunIdentity(flow: flow, window: Window(startSeconds: start, endSeconds: start + 600)),
                deltaColumn: nil, request: "POST /runs",
                claim: RunClaim(id: ClaimID(random: UInt64(number)), owner: "host:1", time: nil), claimedAt: now,
                provenance: Provenance())
            try ledger.claim(claim)
            let commit = ledger.commit(nonce: "\(number)")
            guard try await store.commit(commit) == .done else { throw Floor.Failure() }
            ledger.committed(commit)
            // The outcome is part of the next claim's commit, as in an apply.
            try ledger.record(.rejected(reason: "no", response: nil), of: claim, at: now)
        }
        await store.close()
    }
}
