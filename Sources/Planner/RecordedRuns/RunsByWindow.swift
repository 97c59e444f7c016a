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
        runs = Array(IteratorSequence(RunsWithDeclaredWindows(waiting, windows: windows)))
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
        guard !windows.isEmpty else { return runs }
        return Array(IteratorSequence(RunsWithDeclaredWindows(runs, windows: windows)))
    }
}

/// Recorded runs, merged with the runs whose window the manifest acknowledges.
private struct RunsWithDeclaredWindows: IteratorProtocol {
    private var recorded: Lookahead<IndexingIterator<[RecordedRun]>>
    private var acknowledged: ArraySlice<RecordedRun> = []

    init(_ runs: [RecordedRun], windows: [RunID: Window]) {
        recorded = Lookahead(runs.makeIterator())
        var unknown: [RecordedRun] = []
        var known: [RecordedRun] = []
        while let run = recorded.head, run.window == nil {
            _ = recorded.next()
            if let window = run.id.flatMap({ windows[$0] }) {
                // The ledger renumbers the attempts of the window when it adopts the run.
                known.append(
                    run.identified(as: RunIdentity(flow: run.flow, window: window, attempt: run.identity.attempt)))
            } else {
                unknown.append(run)
            }
        }
        acknowledged = (unknown + known.sorted(by: Self.isEarlier))[...]
    }

    private static func isEarlier(_ left: RecordedRun, _ right: RecordedRun) -> Bool {
        guard let window = left.window, let other = right.window, window != other else {
            return left.recordedAt < right.recordedAt
        }
        return window < other
    }

    mutating func next() -> RecordedRun? {
        guard let first = acknowledged.first else { return recorded.next() }
        if let window = first.window, let other = recorded.head?.window, other <= window { return recorded.next() }
        return acknowledged.popFirst()
    }
}
