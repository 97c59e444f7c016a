import FlowRuns
import FlowServiceSimulator
import Manifests
import Synchronization

/// What the manifests of a simulation say of runs whose window cannot be read.
final class Acknowledgements: Sendable {
    private let known = Mutex<[FlowID: [Acknowledgement]]>([:])
    private let foreignRunIDs = Mutex<Set<String>>([])

    func of(_ flow: FlowID) -> [Acknowledgement] { known.withLock { $0[flow] ?? [] } }

    /// Such a run counts for nothing; an apply that is at work may have read an earlier manifest.
    func isForeign(_ run: SimulatedRun) -> Bool { foreignRunIDs.withLock { $0.contains(run.id) } }

    func isWrong(_ run: SimulatedRun) -> Bool {
        of(run.flow).contains { $0.run.description == run.id && $0.window != nil && $0.window != run.window }
    }

    /// In place of an earlier one of the same run.
    func add(_ acknowledgement: Acknowledgement, of flow: FlowID) {
        if acknowledgement.window == nil {
            foreignRunIDs.withLock { _ = $0.insert(acknowledgement.run.description) }
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
        declarations(at: time.elapsed)
    }

    /// The declarations in the manifests that were in force at this time.
    func declarations(at elapsed: Duration) -> [FlowDeclaration] {
        manifest.flows.filter { $0.isDeclared(at: elapsed) }.map { flow in
            flow.version(at: elapsed).declaration(
                at: elapsed, acknowledged: flow.counted.flatMap(acknowledgements.of))
        }
    }

    /// Adds an acknowledgement of a run whose window cannot be read to the manifest.
    ///
    /// - Parameter mayBeMistaken: whether this run, which an applier requested, may be acknowledged as a foreign run.
    func acknowledge(mayBeMistaken: (SimulatedRun) -> Bool) {
        let now = now
        guard let run = runs.filter({ $0.listedAt <= now && now < $0.windowListedAt }).randomElement(random) else {
            return
        }
        let isOwn = ownRuns.contains(run.id)
        acknowledge(run, withWindow: random.happens(0.5) || (isOwn && !mayBeMistaken(run)))
    }

    /// Acknowledges a foreign run with a wrong window. Only successful runs qualify, because a re-trigger would repeat
    /// the real window. The wrong window was never claimed and has no rerun: an open claim of it would adopt the run.
    func acknowledgeWrongly() {
        let now = now
        let own = ownRuns
        let candidates = runs.filter {
            $0.listedAt <= now && now < $0.windowListedAt && !own.contains($0.id) && $0.outcome == .success
                && $0.lateEnd == nil
        }
        guard let run = candidates.randomElement(random), let flow = manifest.flow(run.flow, at: time.elapsed) else {
            return
        }
        let reruns = Set(flow.reruns.map(\.window))
        let windows = flow.allWindows.filter { $0 != run.window && !reruns.contains($0) && !wasClaimed($0) }
        guard let window = windows.randomElement(random) else { return }
        acknowledge(run, as: window, "WRONGLY")
    }

    /// Corrects a wrong acknowledgement.
    func correctAcknowledgement() {
        guard let run = runs.filter({ acknowledgements.isWrong($0) }).randomElement(random) else { return }
        acknowledge(run, withWindow: true)
    }

    /// Acknowledges every run whose window is still unreadable. Other acknowledgements may stay wrong.
    func acknowledgeAll() {
        let now = now
        for run in runs where now < run.windowListedAt { acknowledge(run, withWindow: true) }
    }

    private func acknowledge(_ run: SimulatedRun, withWindow: Bool) {
        acknowledge(run, as: withWindow ? run.window : nil)
    }

    private func acknowledge(_ run: SimulatedRun, as window: Window?, _ how: String = "") {
        let known = Acknowledgement(
            run: RunID(run.id)!, reason: "asked", window: window, place: SimulatedFlowDeclaration.place)
        trace.add(time, "somebody ACKNOWLEDGES \(how) \(run.id.prefix(8)) \(known.window.map { "\($0)" } ?? "")")
        acknowledgements.add(known, of: run.flow)
    }
}
