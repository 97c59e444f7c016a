import FlowRuns
import FlowServiceSimulator
import Foundation

/// The behaviour of the environment in one simulation: caches, clocks, ledgers, people. Each feature is drawn
/// independently, so most seeds have one or two.
///
/// `SLUICE_WORLD=a,c` gives every seed exactly these features, and `SLUICE_WORLD=` none.
///
/// Not drawn, because no applier could detect it:
/// - A cached answer without an `Age` whose `Date` is not at least three seconds older than every fresh answer of the
///   process shows. On first contact there is none to compare with.
/// - A large step of `Date` forward after one back. Runs from between the two have an early `createdAt` and stand below
///   older ones in a listing by time, and `Date` no longer shows it. For the same reason nodes whose clocks differ step
///   by 20 seconds at most, and a service without `Date` by a minute. Steps and differences of up to 300 seconds need
///   an allowance of five minutes when listings are read back.
/// - A new machine that uses an empty shared ledger before the requests of another machine's file are listed.
/// - A return to the old file on a machine that has never completed an apply with the other ledger.
/// - A reset of a shared ledger that several machines use.
/// - With hints: runs listed out of order, or a request still on its way when the other machine begins.
/// - A wrong acknowledgement of a run that fails, of an applier's own run, or of a window that was claimed.
/// - An answer with the id of a run that is not in the applier's ledger.
/// - A saved plan applied after one of its flows was replaced, or to the old ledger while another machine uses the new
///   one.
/// - An acknowledgement without a window of an applier's own run, if the ledger has neither recorded the run nor an open
///   claim of its window: such a false word is believed.
struct SimulatedWorld: Sendable {
    enum Feature: String, CaseIterable, Comparable, Sendable {
        /// Caches in front of the service answer GETs.
        case caches = "a"
        /// Clocks of nodes differ, and `Date` steps.
        case clocks = "b"
        /// The ledger's address changes, or a shared ledger is reset.
        case addresses = "c"
        /// Two machines with separate ledgers, and a `lastRunDetails` that names runs before they are listed.
        case hints = "d"
        /// Ends of runs change after they were first reported.
        case ends = "e"
        /// Foreign runs cover several declared windows, or cut them.
        case cuts = "f"
        /// Acknowledgements name wrong windows.
        case mistakes = "g"
        /// Accepted requests are answered with the id of a known run.
        case echoes = "h"
        /// Manifests are edited between applies.
        case edits = "i"
        /// Plans are saved and applied later.
        case plans = "j"

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    let features: Set<Feature>
    let cache: CacheHabits?
    let nodes: NodeClocks
    /// When the clocks of all nodes step, and by how much.
    let clockSteps: [(at: Duration, by: Duration)]
    private let addressMode: SimulatedScenario.Mode

    /// - Parameter features: if `nil`, those of the environment, or else drawn.
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

    /// No large step forward follows a large step back; nodes whose clocks differ have small steps only. See above.
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

    /// The mode that a feature needs; `nil` if any mode fits.
    var mode: SimulatedScenario.Mode? {
        if has(.addresses) { return addressMode }
        return has(.hints) ? .separate : nil
    }

    /// The value of `SLUICE_WORLD` that selects these features.
    var description: String { features.sorted().map(\.rawValue).joined(separator: ",") }

    private static let requested: Set<Feature>? = ProcessInfo.processInfo.environment["SLUICE_WORLD"].map { names in
        Set(names.split(separator: ",").compactMap { Feature(rawValue: String($0)) })
    }
}

/// The clocks of the nodes that answer requests.
struct NodeClocks: Sendable {
    /// How far each node is ahead of the service's own time.
    var offsets = [Duration.zero]
    /// Whether the path selects the node; otherwise a node is drawn for each answer.
    var isByPath = false

    init() {}

    init(_ random: SimulationRandom) {
        guard random.happens(0.6) else { return }
        offsets += (0..<random.pick([1, 1, 2])).map { _ in random.seconds(-150, -90, -30, -5, 5, 30, 90, 150) }
        isByPath = random.happens(0.5)
    }
}
