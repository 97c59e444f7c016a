import Foundation
import Testing

/// The whole protocol under virtual time, with faults, kills, rivals, lost ledgers, wrong clocks and manual changes,
/// over thousands of seeds.
///
/// `SLUICE_SEEDS=100000 swift test --filter DeterministicSimulation` runs 100,000 seeds; `SLUICE_SEED=4711` replays one
/// seed and prints its trace.
@Suite("Deterministic simulation")
struct DeterministicSimulationTests {
    @Test("no seed requests a window twice, loses a run or sends a delta column again")
    func everySeedHolds() {
        let environment = ProcessInfo.processInfo.environment
        let seeds: Range<UInt64>
        if let one = environment["SLUICE_SEED"].flatMap(UInt64.init) {
            seeds = one..<(one + 1)
        } else {
            let first = environment["SLUICE_FIRST_SEED"].flatMap(UInt64.init) ?? 0
            seeds = first..<(first + (environment["SLUICE_SEEDS"].flatMap(UInt64.init) ?? 500))
        }
        var failures: [(seed: UInt64, violations: [String])] = []
        for seed in seeds {
            let result = SimulatedScenario(seed: seed).run(tracing: seeds.count == 1)
            result.trace.forEach { print($0) }
            if !result.violations.isEmpty { failures.append((seed, result.violations)) }
        }
        for failure in failures.prefix(5) {
            Issue.record("SLUICE_SEED=\(failure.seed): \(failure.violations.joined(separator: "; "))")
        }
        let count = failures.count
        #expect(count == 0, "of \(seeds.count) seeds")
    }

    @Test("a seed replays exactly", arguments: [3, 77, 1234])
    func seedsReplay(seed: UInt64) {
        let first = SimulatedScenario(seed: seed).run(tracing: true)
        let second = SimulatedScenario(seed: seed).run(tracing: true)
        #expect(first == second)
        #expect(!first.trace.isEmpty)
    }
}
