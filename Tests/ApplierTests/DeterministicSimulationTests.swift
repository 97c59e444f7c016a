import Foundation
import Testing

/// The whole protocol on the real code under virtual time: faults, kills, rivals, lost ledgers, wrong clocks and
/// people, thousands of seeds.
///
/// `SLUICE_SEEDS=100000 swift test --filter DeterministicSimulation` runs so many; `SLUICE_SEED=4711` replays one and
/// prints what happened. `SLUICE_WORLD=a,c` gives every seed exactly these features of `SimulatedWorld`, and
/// `SLUICE_FAILURES=100` reports more failing seeds.
@Suite("Deterministic simulation")
struct DeterministicSimulationTests {
    @Test("no seed takes a window twice, loses a run, or sends a delta column again")
    func everySeedHolds() {
        let environment = ProcessInfo.processInfo.environment
        let seeds: Range<UInt64>
        if let one = environment["SLUICE_SEED"].flatMap(UInt64.init) {
            seeds = one..<(one + 1)
        } else {
            let first = environment["SLUICE_FIRST_SEED"].flatMap(UInt64.init) ?? 0
            seeds = first..<(first + (environment["SLUICE_SEEDS"].flatMap(UInt64.init) ?? 500))
        }
        var failures: [String] = []
        for seed in seeds {
            let scenario = SimulatedScenario(seed: seed)
            let result = scenario.run(tracing: seeds.count == 1)
            result.trace.forEach { print($0) }
            guard !result.violations.isEmpty else { continue }
            failures.append(
                "SLUICE_SEED=\(seed) SLUICE_WORLD=\(scenario.world.description) (\(scenario.mode)): "
                    + result.violations.joined(separator: "; "))
        }
        let shown = environment["SLUICE_FAILURES"].flatMap { Int($0) } ?? 5
        for failure in failures.prefix(shown) { Issue.record("\(failure)") }
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
