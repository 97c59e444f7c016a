import FlowRuns
import Manifests

/// A queue of recorded runs, sorted by window; runs of unknown window come first. A run whose window the manifest
/// acknowledges is sorted by that window, even if the ledger does not contain the window yet.
///
/// Runs arrive in chunks and are examined in place, because there may be a million, and each is large.
struct RunsByWindow {
    private var runs: [RecordedRun] = []
    private var position = 0
    private let windows: [RunID: Window]
    /// Runs that are kept until all have arrived, because acknowledged windows change the order.
    private var waiting: [RecordedRun] = []
    private var isComplete = false

    /// - Parameter windows: the windows that the manifest acknowledges, by run ID.
    init(windows: [RunID: Window]) { self.windows = windows }

    init(_ runs: [RecordedRun], windows: [RunID: Window]) {
        self.init(windows: windows)
        append(runs)
        end()
    }

    /// Appends the next runs, and discards those that were read.
    mutating func append(_ more: [RecordedRun]) {
        guard windows.isEmpty else { return waiting += more }
        if isAtEnd {
            runs = more
        } else {
            runs.removeSubrange(..<position)
            runs += more
        }
        position = 0
    }

    /// Marks the end of the runs.
    mutating func end() {
        isComplete = true
        guard !windows.isEmpty else { return }
        runs = waiting.identified(by: windows)
        waiting = []
    }

    /// Whether all runs that start at or before this time have arrived.
    func reaches(_ start: Timestamp) -> Bool {
        if isComplete { return true }
        guard let last = runs.last?.window else { return false }
        return last.start > start
    }

    var isAtEnd: Bool { position == runs.count }
    var head: RecordedRun? { isAtEnd ? nil : runs[position] }
    /// The window of the head; `nil` also at the end.
    var headWindow: Window? { isAtEnd ? nil : runs[position].window }
    /// The window of the run after the head.
    var secondWindow: Window? { position + 1 < runs.count ? runs[position + 1].window : nil }
    /// Whether the head is an accepted request for the window itself that is not retried.
    func isHeadSatisfiedRequest(_ retries: Retries) -> Bool {
        guard !isAtEnd, runs[position].origin == .request, runs[position].identity.rerun == nil else { return false }
        return switch runs[position].state {
        case .accepted: true
        case .succeeded: !(runs[position].records == 0 && retries.states.contains(.empty))
        case .partial: !retries.states.contains(.partial)
        case .intended, .rejected, .inDoubt, .released, .failed: false
        }
    }

    mutating func next() -> RecordedRun? {
        guard !isAtEnd else { return nil }
        defer { position += 1 }
        return runs[position]
    }

    /// Returns the first run from the head on that starts at `start` and satisfies the predicate.
    func first(startingAt start: Timestamp, where predicate: (RecordedRun) -> Bool) -> RecordedRun? {
        runs[position...].prefix { $0.window?.start == start }.first(where: predicate)
    }
}

extension FlowDeclaration {
    /// Returns the runs in window order, with the windows that the manifest acknowledges for runs of unknown window.
    ///
    /// - Parameter runs: sorted by window; runs of unknown window come first.
    package func withAcknowledgedWindows(_ runs: [RecordedRun]) -> [RecordedRun] {
        let windows = acknowledged.declaredWindows
        return windows.isEmpty ? runs : runs.identified(by: windows)
    }
}

extension [RecordedRun] {
    /// Returns the runs in window order, with the windows of runs whose window is otherwise unknown.
    fileprivate func identified(by windows: [RunID: Window]) -> [RecordedRun] {
        let unknown = prefix { $0.window == nil }
        var identified = unknown.filter { run in run.id.map { windows[$0] == nil } ?? true }
        var recorded = dropFirst(unknown.count)
        let acknowledged = unknown.compactMap { run in
            // The ledger renumbers the attempts of the window when it adopts the run.
            run.id.flatMap { windows[$0] }.map { window in
                (window, run.identified(as: RunIdentity(flow: run.flow, window: window, attempt: run.identity.attempt)))
            }
        }
        for (window, run) in acknowledged.sorted(by: { ($0.0, $0.1.recordedAt) < ($1.0, $1.1.recordedAt) }) {
            let earlier = recorded.prefix { $0.window.map { $0 <= window } ?? false }
            recorded = recorded.dropFirst(earlier.count)
            identified += earlier
            identified.append(run)
        }
        return identified + recorded
    }
}
