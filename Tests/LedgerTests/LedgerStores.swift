import FlowRuns
import Foundation
import Ledger
import SQLiteLedger
import Testing

/// The stores that the conformance suite is run against.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case sqlite

    var testDescription: String { rawValue }

    /// A new store without anything in it.
    func make() throws -> any LedgerStore {
        switch self {
        case .memory: MemoryStore()
        case .sqlite: try SQLiteStore()
        }
    }
}

/// A store that several appliers can open.
protocol LedgerStore: Sendable {
    func open() throws -> any Ledger
}

struct MemoryStore: LedgerStore {
    let store = InMemoryLedgerStore()

    func open() -> any Ledger { InMemoryLedger(store: store) }
}

/// A file in a folder of its own, removed at the end.
final class SQLiteStore: LedgerStore {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func open() throws -> any Ledger {
        try SQLiteLedger.open(
            path: folder.appendingPathComponent("ledger.sqlite").path, target: Sample.target,
            mode: .readWrite)
    }
}

/// Small values that read well in tests.
enum Sample {
    static let target = "https://platform.adobe.io/data/foundation/flowservice 1234@AdobeOrg prod"
    static let flow = flow(1)
    static let now = Timestamp(milliseconds: 1_700_000_000_000)

    static func flow(_ number: Int) -> FlowID {
        FlowID(
            "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - String(number).count)
                + String(number))!
    }

    static func window(_ number: Int64) -> Window {
        Window(startSeconds: number * 100, endSeconds: number * 100 + 100)!
    }

    static func run(_ name: String) -> RunID { RunID(name)! }

    static func identity(
        _ window: Int64, of flow: FlowID = flow, rerun: String? = nil, attempt: Int = 1
    ) -> RunIdentity {
        RunIdentity(flow: flow, window: Sample.window(window), rerun: rerun, attempt: attempt)
    }

    static func claim(
        _ identity: RunIdentity, column: DeltaColumn? = nil, at time: Timestamp = now
    ) -> Claim {
        Claim(
            identity: identity, deltaColumn: column, request: "POST /runs {}", claimedAt: time,
            provenance: Provenance(
                file: "crm.yaml", line: 7, commit: "c0ffee", author: "ada", ciRun: "https://ci/1"))
    }

    static func observed(
        _ name: String, _ window: Int64?, createdAt: Timestamp = now,
        status: String = "inProgress",
        end: RunEnd? = nil, counts: RunCounts = RunCounts()
    ) -> ObservedRun {
        ObservedRun(
            id: run(name), window: window.map(Sample.window), createdAt: createdAt, status: status,
            end: end,
            counts: counts)
    }

    static func observation(
        _ runs: [ObservedRun], of flow: FlowID = flow, column: DeltaColumn? = nil,
        at time: Timestamp = now
    ) -> Observation {
        Observation(flow: flow, deltaColumn: column, runs: runs, observedAt: time)
    }
}
