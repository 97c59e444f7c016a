import FlowRuns
import Manifests

/// A recorded run covers every window of a series inside its own. The record thus shows which windows a batch was for,
/// even if the manifest's batches change later. Only `overlap: allow` requests such windows again.
extension FlowPass {
    /// Returns a recorded run of another window that covers all of this one.
    mutating func longerRun(over window: Window) -> RecordedRun? {
        guard declaration.overlap != .allow else { return nil }
        if let lastEndingRun, let other = lastEndingRun.window, other != window, other.contains(window) {
            return lastEndingRun
        }
        // Longer runs with the same start come later in the order.
        func covers(_ run: RecordedRun) -> Bool {
            run.window.map { $0 != window && $0.contains(window) } ?? false
                && run.coversWindow
        }
        return recorded.first(startingAt: window.start, where: covers)
            ?? replaced.first(startingAt: window.start, where: covers)
    }

    /// Counts a declared window that was never run by itself, but is covered by a longer run.
    mutating func cover(_ desired: DesiredWindow, by longer: RecordedRun) {
        if longer.flow == declaration.id {
            builder.recordedCount += 1
        } else if longer.state.isDoubtful {
            return builder.hold(longer, window: desired.window, of: desired)
        } else {
            builder.countReplaced()
        }
        lastCovered = desired
        for runs in deferred where runs.window.contains(desired.window) {
            decide(runs.window, by: runs.history, of: desired, isDeclared: false, longerRun(over: runs.window))
            builder.addUndeclared(runs.undeclared.filter { $0.identity.rerun != nil })
        }
        deferred.removeAll { $0.window.contains(desired.window) }
    }

    /// Lists the undeclared runs of a window, or defers them while they may cover a declared window that follows.
    mutating func deferUndeclaredRuns(
        at window: Window, hasContainer: Bool, unless isDeclared: (RecordedRun) -> Bool
    ) {
        if !deferred.isEmpty {
            for runs in deferred where runs.window.end <= window.start { builder.addUndeclared(runs.undeclared) }
            deferred.removeAll { $0.window.end <= window.start }
        }
        guard !history.runs.isEmpty else { return }
        let undeclared = history.runs.filter { !$0.state.isVoid && !isDeclared($0) }
        if hasContainer || declaration.overlap == .allow || history.covering == nil {
            builder.addUndeclared(undeclared)
        } else {
            deferred.append(DeferredRuns(window: window, history: history, undeclared: undeclared))
        }
    }

    mutating func endDeferredRuns() {
        for runs in deferred { builder.addUndeclared(runs.undeclared) }
        builder.sortUndeclared()
    }
}

/// The recorded runs of an undeclared window.
struct DeferredRuns {
    let window: Window
    let history: WindowHistory
    let undeclared: [RecordedRun]
}
