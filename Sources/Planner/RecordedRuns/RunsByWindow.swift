import FlowRuns
import Manifests

/// The recorded runs by window, those of unknown window first. A run whose window the manifest tells comes with that
/// window, whatever the ledger knows of it yet.
///
/// They are taken in a part at a time, and looked at where they lie: there may be a million, and each is large.
struct RunsByWindow {
    private var runs: [RecordedRun] = []
    private var position = 0
    private let windows: [RunID: Window]
    /// Runs that wait until all are here, because the manifest tells windows: those runs come in another order.
    private var waiting: [RecordedRun] = []
    private var isWhole = false

    /// - Parameter windows: that the manifest tells.
    init(windows: [RunID: Window]) { self.windows = windows }

    init(_ runs: [RecordedRun], windows: [RunID: Window]) {
        self.init(windows: windows)
        append(runs)
        end()
    }

    /// Takes the next ones in. Those that were read are let go.
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

    /// There are no more.
    mutating func end() {
        isWhole = true
        guard !windows.isEmpty else { return }
        runs = Array(IteratorSequence(RunsWithToldWindows(waiting, windows: windows)))
        waiting = []
    }

    /// Whether all that start at this time, or before, are here.
    func reaches(_ start: Timestamp) -> Bool {
        if isWhole { return true }
        guard let last = runs.last?.window else { return false }
        return last.start > start
    }

    var isAtEnd: Bool { position == runs.count }
    var head: RecordedRun? { isAtEnd ? nil : runs[position] }
    /// `nil` at the end, too.
    var headWindow: Window? { isAtEnd ? nil : runs[position].window }
    /// Of the run after the head.
    var secondWindow: Window? { position + 1 < runs.count ? runs[position + 1].window : nil }
    /// Whether the head is of a request of the window itself that was taken and is not retried.
    func headIsTakenRequest(_ retries: Retries) -> Bool {
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

    /// The first of those that start at an instant, from the head on, for which the predicate holds.
    func first(startingAt start: Timestamp, where isWanted: (RecordedRun) -> Bool) -> RecordedRun? {
        runs[position...].prefix { $0.window?.start == start }.first(where: isWanted)
    }
}

/// Recorded runs, and in their midst those whose window the manifest tells.
private struct RunsWithToldWindows: IteratorProtocol {
    private var recorded: Lookahead<IndexingIterator<[RecordedRun]>>
    private var told: ArraySlice<RecordedRun> = []

    init(_ runs: [RecordedRun], windows: [RunID: Window]) {
        recorded = Lookahead(runs.makeIterator())
        var unknown: [RecordedRun] = []
        var known: [RecordedRun] = []
        while let run = recorded.head, run.window == nil {
            _ = recorded.next()
            if let window = run.id.flatMap({ windows[$0] }) {
                // Attempts of that window are numbered by the ledger when it takes the run over.
                known.append(
                    run.identified(as: RunIdentity(flow: run.flow, window: window, attempt: run.identity.attempt)))
            } else {
                unknown.append(run)
            }
        }
        told = (unknown + known.sorted(by: Self.isEarlier))[...]
    }

    private static func isEarlier(_ left: RecordedRun, _ right: RecordedRun) -> Bool {
        guard let window = left.window, let other = right.window, window != other else {
            return left.recordedAt < right.recordedAt
        }
        return window < other
    }

    mutating func next() -> RecordedRun? {
        guard let first = told.first else { return recorded.next() }
        if let window = first.window, let other = recorded.head?.window, other <= window { return recorded.next() }
        return told.popFirst()
    }
}
