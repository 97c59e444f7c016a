import FlowRuns
import Foundation
import Ledger
import Manifests
import Planner
import SQLiteLedger
import Synchronization
import YAML

extension Benchmark {
    /// In the order in which they are told.
    static func all(_ samples: Samples) throws -> [Benchmark] {
        let (windows, series) = (samples.explicit, samples.series)
        let scan = Work { try Floor.scan(windows.bytes) }
        let planned = Work {
            try Floor.scan(windows.bytes)
            try Floor.read(samples.ledger, runs)
        }
        return [
            Benchmark(
                name: "YAML nodes", body: Work { _ = YAMLReader().read(windows.bytes) },
                floorName: "libyaml's events", floor: scan),
            Benchmark(
                name: "manifest, windows", body: Work { _ = try load(windows) }, floorName: "libyaml's events",
                floor: scan),
            Benchmark(
                name: "plan, windows, all new", body: Work { try await plan(windows, ledger: nil) },
                floorName: "libyaml's events", floor: scan),
            Benchmark(
                name: "plan, series, all new", body: Work { try await plan(series, ledger: nil) },
                floorName: "libyaml's events of the windows", floor: scan),
            Benchmark(
                name: "plan, windows, all recorded", body: Work { try await plan(windows, ledger: samples.ledger) },
                floorName: "libyaml's events, SQLite's rows", floor: planned),
            Benchmark(
                name: "ledger, runs", body: Work { try await scanRuns(samples.ledger) }, floorName: "SQLite's rows",
                floor: Work { try Floor.read(samples.ledger, runs) }),
            Benchmark(
                name: "ledger, export", body: Work { try await export(samples.ledger) }, floorName: "SQLite's rows",
                floor: Work { try Floor.read(samples.ledger, "SELECT * FROM run ORDER BY window_start") }),
            Benchmark(
                name: "ledger, import", body: Work { try await samples.importExport(into: samples.newFile()) },
                floorName: "SQLite copies the tables",
                floor: Work {
                    let path = samples.newFile()
                    try await SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readWrite).close()
                    try Floor.copy(samples.ledger, to: path)
                }),
            Benchmark(
                name: "ledger, commits", body: Work { try await commit(samples.count / 1000, to: samples.newFile()) },
                floorName: "SQLite's transactions",
                floor: Work { try Floor.commit(samples.count / 1000, to: samples.newFile()) }),
            Benchmark(
                name: "sluice version", body: Work { try start(beside: "sluice", "version") }, floorName: "true",
                floor: Work { try start(URL(fileURLWithPath: "/bin/true")) }),
        ]
    }

    private static let runs = """
        SELECT window_start, window_end, rerun, attempt, state, origin, run, column_name, column_date_format,
            column_timezone, recorded_at, failure, claim, claim_owner, claimed_earliest, claimed_latest
        FROM run ORDER BY window_start, window_end, rerun, attempt
        """

    private static func load(_ file: SourceFile) throws -> FlowDeclaration {
        let (manifests, diagnostics) = ManifestLoader().load([file])
        guard let flow = manifests.flows.first, diagnostics.isEmpty else { throw Floor.Failure() }
        return flow
    }

    private static func plan(_ file: SourceFile, ledger path: String?) async throws {
        let flow = try load(file)
        let planning = Mutex(FlowPlanning(flow, asOf: Timestamp(seconds: 4_000_000_000)))
        if let path {
            let store = try SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readOnly)
            try await store.scanRuns(flow.id) { part in
                planning.withLock { $0.take(part.runs) }
                return true
            }
            await store.close()
        }
        let plan = planning.withLock { $0.plan(record: FlowRecord(id: flow.id)) }
        guard plan.actions.isEmpty == (path != nil) else { throw Floor.Failure() }
    }

    private static func scanRuns(_ path: String) async throws {
        guard let flow = Samples.flow else { return }
        let store = try SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readOnly)
        try await store.scanRuns(flow) { _ in true }
        await store.close()
    }

    private static func export(_ path: String) async throws {
        let store = try SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readOnly)
        try await store.export(target: Samples.target) { _ in }
        await store.close()
    }

    /// Claims of one flow, each recorded before the next.
    private static func commit(_ count: Int, to path: String) async throws {
        guard let flow = Samples.flow else { return }
        let store = try SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readWrite)
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
            // With the next claim's commit, as an apply does.
            try ledger.record(.rejected(reason: "no", response: nil), of: claim, at: now)
        }
        await store.close()
    }

    private static func start(beside name: String, _ arguments: String...) throws {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        try start(own.deletingLastPathComponent().appending(path: name), arguments)
    }

    private static func start(_ program: URL, _ arguments: [String] = []) throws {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Floor.Failure() }
    }
}
