import FlowRuns
import Manifests

/// A recorded run covers every window of a series that lies inside of its own: that is how the record says which windows a
/// batch was for, whatever the manifest says of batches later. Only `overlap: allow` asks for such windows again.
extension FlowPass {
    /// A recorded run of another window that covers all of this one.
    mutating func longerRun(over window: Window) -> RecordedRun? {
        guard declaration.overlap != .allow else { return nil }
        if let lastEndingRun, let other = lastEndingRun.window, other != window, other.contains(window) {
            return lastEndingRun
        }
        // Longer runs that start with it are yet to come.
        func covers(_ run: RecordedRun) -> Bool {
            run.window.map { $0 != window && $0.contains(window) } ?? false
                && run.coversWindow
        }
        return recorded.first(startingAt: window.start, where: covers)
            ?? replaced.first(startingAt: window.start) { covers($0) && !$0.isSomebodyElses(found.acknowledged) }
    }

    /// The declared window was never run by itself, but by a run that covers it.
    mutating func cover(_ desired: DesiredWindow, by longer: RecordedRun) {
        if longer.flow == declaration.id {
            found.recordedCount += 1
        } else if longer.state.isDoubtful {
            return found.hold(longer, desired.window, of: desired)
        } else {
            found.countReplaced()
        }
        lastCovered = desired
        for runs in unclaimed where runs.window.contains(desired.window) {
            decide(runs.window, by: runs.history, of: desired, isDeclared: false)
            found.addUndeclared(runs.undeclared.filter { $0.identity.rerun != nil })
        }
        unclaimed.removeAll { $0.window.contains(desired.window) }
    }

    /// Lists the runs of the window that nothing declares, unless a declared window follows that they cover.
    mutating func leaveUnclaimed(
        at window: Window, hasContainer: Bool, unless isDeclared: (RecordedRun) -> Bool
    ) {
        if !unclaimed.isEmpty {
            for runs in unclaimed where runs.window.end <= window.start { found.addUndeclared(runs.undeclared) }
            unclaimed.removeAll { $0.window.end <= window.start }
        }
        guard !history.runs.isEmpty else { return }
        let undeclared = history.runs.filter { !$0.state.isVoid && !isDeclared($0) }
        if hasContainer || declaration.overlap == .allow || history.covering == nil {
            found.addUndeclared(undeclared)
        } else {
            unclaimed.append(UnclaimedRuns(window: window, history: history, undeclared: undeclared))
        }
    }

    mutating func endUnclaimed() {
        for runs in unclaimed { found.addUndeclared(runs.undeclared) }
        found.sortUndeclared()
    }
}

/// Recorded runs of a window that is not declared.
struct UnclaimedRuns {
    let window: Window
    let history: WindowHistory
    let undeclared: [RecordedRun]
}
