import FlowRuns
import Foundation
import Manifests
import Planner
import SQLiteLedger
import Synchronization
import YAML

extension Benchmark {
    /// All benchmarks, in the order of their output.
    static func all(_ samples: Samples) -> [Benchmark] {
        plans(samples) + ledgers(samples) + service(samples) + years(samples) + starts(samples)
    }

    /// Benchmarks of reading manifests and planning.
    private static func plans(_ samples: Samples) -> [Benchmark] {
        let scan = Work { try Floor.scan(samples.explicit.bytes) }
        func rows() async throws -> Work {
            let ledger = try await samples.ledger()
            return Work { try Floor.read(ledger, Floor.plannedRuns(of: "run")) }
        }
        func recorded(_ file: @escaping () -> SourceFile) async throws -> Work {
            let ledger = try await samples.ledger()
            return Work { try await plan(file(), ledger: ledger) }
        }
        return [
            Benchmark("YAML nodes", floor: "libyaml's events") {
                Measurement(Work { _ = YAMLReader().read(samples.explicit.bytes) }, floor: scan)
            },
            Benchmark("manifest, windows", floor: "libyaml's events") {
                Measurement(Work { _ = try load(samples.explicit) }, floor: scan)
            },
            Benchmark("series, windows", floor: "a sum of as many times") {
                let series = try load(samples.series).series
                let count = samples.count
                return Measurement(Work { try expand(series) }, floor: Work { try Floor.sum(count) })
            },
            Benchmark("plan, windows, all new", floor: "libyaml's events") {
                Measurement(Work { try await plan(samples.explicit, ledger: nil) }, floor: scan)
            },
            Benchmark("plan, windows, all recorded", floor: "libyaml's events, SQLite's rows") {
                let rows = try await rows()
                let floor = Work {
                    try await scan.run()
                    try await rows.run()
                }
                return Measurement(try await recorded { samples.explicit }, floor: floor)
            },
            Benchmark("plan, series, all new", floor: "SQLite's rows of as many runs") {
                Measurement(Work { try await plan(samples.series, ledger: nil) }, floor: try await rows())
            },
            Benchmark("plan, series, all recorded", floor: "SQLite's rows") {
                Measurement(try await recorded { samples.series }, floor: try await rows())
            },
        ]
    }

    private static func load(_ file: SourceFile) throws -> FlowDeclaration {
        let (manifests, diagnostics) = ManifestLoader().load([file])
        guard let flow = manifests.flows.first, diagnostics.isEmpty else { throw Floor.Failure() }
        return flow
    }

    private static func expand(_ series: [Series]) throws {
        var sum: Int64 = 0
        for series in series {
            for windows in series.windows(dueAt: Samples.now) { for window in windows { sum &+= window.end.seconds } }
        }
        guard sum != 0 else { throw Floor.Failure() }
    }

    private static func plan(_ file: SourceFile, ledger path: String?) async throws {
        let flow = try load(file)
        let planning = Mutex(FlowPass(flow, asOf: Samples.now))
        if let path {
            let store = try SQLiteLedger.open(path: path, targets: [Samples.target], mode: .readOnly)
            try await store.scanRuns(flow.id) { part in
                planning.withLock { $0.consume(part.runs) }
                return true
            }
            await store.close()
        }
        let plan = planning.withLock { $0.plan(record: FlowRecord(id: flow.id)) }
        guard plan.actions.isEmpty == (path != nil) else { throw Floor.Failure() }
    }
}
