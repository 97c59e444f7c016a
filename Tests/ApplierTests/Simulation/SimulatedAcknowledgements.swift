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

    func isWrong(_ run: SimulatedRun) -> Bool {
        of(run.flow).contains { $0.run.description == run.id && $0.window != nil && $0.window != run.window }
    }

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
        declarations(at: time.elapsed)
    }

    /// As manifests declare it that were read at this time.
    func declarations(at elapsed: Duration) -> [FlowDeclaration] {
        manifest.flows.filter { $0.isDeclared(at: elapsed) }.map { flow in
            flow.version(at: elapsed).declaration(
                at: elapsed, acknowledged: flow.counted.flatMap(acknowledgements.of))
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

    /// Somebody writes into the manifest a wrong window of another's run that succeeds: a retry of it would be of its real
    /// window. The wrong one is one that nobody has requested or asks for once more: a request whose answer was lost would
    /// be taken for that run, and no later word could tell.
    func acknowledgeWrongly() {
        let now = now
        let own = ownRuns
        let candidates = runs.filter {
            $0.listedAt <= now && now < $0.tellsWindowAt && !own.contains($0.id) && $0.outcome == .success
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

    /// Somebody corrects what the manifest says of such a run.
    func correctAcknowledgement() {
        guard let run = runs.filter({ acknowledgements.isWrong($0) }).randomElement(random) else { return }
        acknowledge(run, withWindow: true)
    }

    /// In the end it is known of every run. Where the service has told the window, the manifest may be wrong still.
    func acknowledgeAll() {
        let now = now
        for run in runs where now < run.tellsWindowAt { acknowledge(run, withWindow: true) }
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
