import FlowRuns
import FlowServiceSimulator
import Foundation

/// What the world does in one simulation, apart from the faults that every simulation draws.
///
/// Most seeds have one or two features, so that a failure can be explained. `SLUICE_WORLD=a,c` gives every seed exactly
/// these features, and `SLUICE_WORLD=` none.
struct SimulatedWorld: Sendable {
    enum Feature: String, CaseIterable, Comparable, Sendable {
        /// Caches answer GETs.
        case caches = "a"
        /// Nodes whose clocks differ, and a `Date` that steps.
        case clocks = "b"
        /// The ledger's address changes, or a shared ledger is reset.
        case addresses = "c"
        /// Two ledgers, and a `lastRunDetails` that names runs before they are listed.
        case hints = "d"
        /// Runs whose end changes after it was first told.
        case ends = "e"
        /// Runs by hand that cut the declared windows otherwise.
        case cuts = "f"
        /// Windows that the manifest tells wrongly.
        case mistakes = "g"
        /// Answers that name a run which is known already.
        case echoes = "h"
        /// Manifests that are edited between applies.
        case edits = "i"
        /// Saved plans that are applied later.
        case plans = "j"

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    let features: Set<Feature>
    let cache: CacheHabits?
    let nodes: NodeClocks
    /// When the clocks of all nodes are set, and by how much.
    let clockSteps: [(at: Duration, by: Duration)]
    private let addressMode: SimulatedScenario.Mode

    /// - Parameter features: `nil` draws them, unless the environment names them.
    init(seed: UInt64, features: Set<Feature>? = nil) {
        let random = SimulationRandom(seed: seed, choice: "world")
        let drawn = Set(Feature.allCases.filter { _ in random.happens(0.15) })
        self.features = features ?? Self.requested ?? drawn
        addressMode = random.pick([.addressed, .addressed, .reset])
        cache = self.features.contains(.caches) ? CacheHabits(random) : nil
        guard self.features.contains(.clocks) else {
            (nodes, clockSteps) = (NodeClocks(), [])
            return
        }
        nodes = NodeClocks(random)
        clockSteps = Self.drawnSteps(random, areNodesEqual: nodes.offsets.count == 1)
    }

    /// A run that was made while the clock was behind stands deep below newer ones in a list by time. Minutes can be allowed
    /// for, and as long as a `Date` is before the newest run, it shows a larger step. Once it is forward again, nothing
    /// does: so no large step forward comes after one back, and nodes that differ by minutes have small steps only.
    private static func drawnSteps(
        _ random: SimulationRandom, areNodesEqual: Bool
    ) -> [(at: Duration, by: Duration)] {
        let times = (0..<random.pick(areNodesEqual ? [1, 2, 3] : [0, 0, 1])).map { _ in
            random.duration(upTo: Span.disturbed)
        }
        var mayBeLarge = areNodesEqual
        return times.sorted().map { time in
            let isBack = random.happens(0.5)
            let step = mayBeLarge ? random.seconds(1, 10, 60, 150, 300, 3600, 3600) : random.seconds(1, 5, 10, 20)
            if isBack, step > .seconds(60) { mayBeLarge = false }
            return (time, isBack ? .zero - step : step)
        }
    }

    func has(_ feature: Feature) -> Bool { features.contains(feature) }

    /// A mode that a feature needs; `nil` where any will do.
    var mode: SimulatedScenario.Mode? {
        if has(.addresses) { return addressMode }
        return has(.hints) ? .separate : nil
    }

    /// The features as `SLUICE_WORLD` names them.
    var description: String { features.sorted().map(\.rawValue).joined(separator: ",") }

    private static let requested: Set<Feature>? = ProcessInfo.processInfo.environment["SLUICE_WORLD"].map { names in
        Set(names.split(separator: ",").compactMap { Feature(rawValue: String($0)) })
    }
}

/// The clocks of the service's nodes, of which one answers each request.
struct NodeClocks: Sendable {
    /// How far each node is ahead of the service's own time.
    var offsets = [Duration.zero]
    /// Each path has a node of its own; otherwise a node is drawn for each answer.
    var isByPath = false

    init() {}

    init(_ random: SimulationRandom) {
        guard random.happens(0.6) else { return }
        offsets += (0..<random.pick([1, 1, 2])).map { _ in random.seconds(-150, -90, -30, -5, 5, 30, 90, 150) }
        isByPath = random.happens(0.5)
    }
}
