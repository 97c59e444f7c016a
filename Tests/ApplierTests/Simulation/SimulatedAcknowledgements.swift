import FlowRuns
import FlowServiceSimulator
import Manifests
import Synchronization

/// What the manifests of a simulation say of runs whose window cannot be read.
final class Acknowledgements: Sendable {
    private let known = Mutex<[FlowID: [Acknowledgement]]>([:])
    private let somebodyElses = Mutex<Set<String>>([])

    func of(_ flow: FlowID) -> [Acknowledgement] { known.withLock { $0[flow] ?? [] } }

    /// Such a run counts for nothing; an apply that is at work may have read an earlier manifest.
    func wasSomebodyElses(_ run: SimulatedRun) -> Bool { somebodyElses.withLock { $0.contains(run.id) } }

    /// In place of an earlier one of the same run.
    func add(_ acknowledgement: Acknowledgement, of flow: FlowID) {
        if acknowledgement.window == nil {
            somebodyElses.withLock { _ = $0.insert(acknowledgement.run.description) }
        }
        known.withLock { known in
            known[flow, default: []].removeAll { $0.run == acknowledgement.run }
            known[flow, default: []].append(acknowledgement)
        }
    }
}

extension SimulatedService {
    /// What the manifests declare by now, and what they acknowledge.
    var declarations: [FlowDeclaration] {
        manifest.flows.filter { $0.isDeclared(at: time.elapsed) }.map { flow in
            flow.declaration(
                at: time.elapsed,
                acknowledged: flow.counted.flatMap(acknowledgements.of))
        }
    }

    /// Somebody writes into the manifest what a run was whose window cannot be read.
    ///
    /// - Parameter mayMistake: whether a request of an applier may be called somebody else's.
    func acknowledge(mayMistake: Bool) {
        let now = now
        guard let run = runs.filter({ $0.listedAt <= now && now < $0.tellsWindowAt }).randomElement(random) else {
            return
        }
        let isOwn = ownRuns.contains(run.id)
        acknowledge(run, withWindow: random.happens(0.5) || (isOwn && !mayMistake))
    }

    /// In the end it is known of every run.
    func acknowledgeAll() {
        let now = now
        for run in runs where now < run.tellsWindowAt { acknowledge(run, withWindow: true) }
    }

    private func acknowledge(_ run: SimulatedRun, withWindow: Bool) {
        let known = Acknowledgement(
            run: RunID(run.id)!, reason: "asked", window: withWindow ? run.window : nil,
            place: SimulatedFlowDeclaration.place)
        trace.add(time, "somebody ACKNOWLEDGES \(run.id.prefix(8)) \(known.window.map { "\($0)" } ?? "")")
        acknowledgements.add(known, of: run.flow)
    }
}
