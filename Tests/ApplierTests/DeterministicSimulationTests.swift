import Foundation
import Testing

/// The whole protocol under virtual time, with faults, kills, rivals, lost ledgers, wrong clocks and manual changes,
/// over thousands of seeds.
///
/// `SLUICE_SEEDS=100000 swift test --filter DeterministicSimulation` runs 100,000 seeds; `SLUICE_SEED=4711` replays one
/// seed and prints its trace. `SLUICE_WORLD=a,c` gives every seed these features of `SimulatedWorld` and no others;
/// the run ends after `SLUICE_FAILURES` failing seeds, 5 unless it is set.
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
        let maxFailures = environment["SLUICE_FAILURES"].flatMap { Int($0) } ?? 5
        var failures: [String] = []
        var seedCount = 0
        for seed in seeds where failures.count < maxFailures {
            seedCount += 1
            let scenario = SimulatedScenario(seed: seed)
            let result = scenario.run(tracing: seeds.count == 1)
            result.trace.forEach { print($0) }
            guard !result.violations.isEmpty else { continue }
            failures.append(
                "SLUICE_SEED=\(seed) SLUICE_WORLD=\(scenario.world.description) (\(scenario.mode)): "
                    + result.violations.joined(separator: "; "))
        }
        for failure in failures { Issue.record("\(failure)") }
        let count = failures.count
        #expect(count == 0, "of \(seedCount) seeds")
    }

    @Test("a seed replays exactly", arguments: [3, 77, 1234])
    func seedsReplay(seed: UInt64) {
        let first = SimulatedScenario(seed: seed).run(tracing: true)
        let second = SimulatedScenario(seed: seed).run(tracing: true)
        #expect(first == second)
        #expect(!first.trace.isEmpty)
    }
}
