import FlowRuns
import Ledger
import Manifests

/// A pass over a flow's windows in order, which merges declared windows, reruns and recorded runs, and decides on each
/// window. Recorded runs arrive in chunks, so that only one chunk is in memory.
package struct FlowPass {
    private let demand: FlowDemand
    private var desired: Lookahead<DesiredWindows>
    private var reruns: Lookahead<IndexingIterator<[Rerun]>>
    /// The reruns of ranges, in the order declared.
    private let ranges: [Rerun]
    private var recorded: RunsByWindow
    private var replaced: RunsByWindow
    private let isReplacedVerified: Bool
    private var overlap: any OverlapPolicy
    /// The declared window that ends last, so far.
    private var lastEnding: DesiredWindow?
    /// The recorded run that ends last among those that cover their window, so far.
    private var lastEndingRun: RecordedRun?
    /// The run that ends last among those that ingested a window of which no run is acknowledged, so far.
    private var lastIngested: RecordedRun?
    /// The last declared window that a longer run covers.
    private var lastCovered: DesiredWindow?
    /// Recorded runs of undeclared windows. They may cover declared windows, as the run of a batch does.
    private var deferred: [DeferredRuns] = []
    private var builder: FlowPlanBuilder

    /// - Parameters: see ``Planner/plan(_:record:runs:replaced:predecessors:)``.
    package init(
        _ declaration: FlowDeclaration, replaced: [FlowSnapshot] = [], predecessors: [Predecessor] = [],
        asOf: Timestamp
    ) {
        self.init(
            FlowDemand(declaration, asOf: asOf), replaced: replaced, predecessors: predecessors, asOf: asOf)
    }

    init(_ demand: FlowDemand, replaced: [FlowSnapshot], predecessors: [Predecessor] = [], asOf: Timestamp) {
        self.demand = demand
        builder = FlowPlanBuilder(demand, predecessors, asOf: asOf)
        var walkable: [Series] = []
        for series in demand.series {
            if let excess = series.excess(dueAt: asOf) {
                builder.diagnostics.add(excess.code) { excess }
            } else {
                walkable.append(series)
            }
        }
        desired = Lookahead(DesiredWindows(demand, walkable, asOf: asOf))
        // Within a window, keep the order of declaration: runs from outside this ledger are matched to reruns in that
        // order.
        ranges = demand.rules.reruns.filter(\.isRange)
        let sorted = demand.rules.reruns.filter { !$0.isRange }.sorted {
            $0.window == $1.window ? $0.place < $1.place : $0.window < $1.window
        }
        reruns = Lookahead(sorted.makeIterator())
        let windows = demand.rules.acknowledged.declaredWindows
        recorded = RunsByWindow(windows: windows)
        self.replaced = RunsByWindow(replaced.runsByWindow, windows: windows)
        isReplacedVerified = replaced.allSatisfy { $0.record.contactedAt != nil }
        overlap = demand.rules.overlap.makePolicy()
    }

    /// Consumes the next recorded runs, sorted by window, and decides on every window whose runs are all present. Runs of
    /// unknown window come first.
    package mutating func consume(_ runs: [RecordedRun]) {
        recorded.append(runs)
        advance()
    }

    /// Ends the pass after the last recorded run.
    package mutating func plan(record: FlowRecord) -> FlowPlan {
        recorded.end()
        advance()
        endDeferredRuns()
        overlap.finish(into: &builder)
        return builder.plan(
            of: demand, ranges, record: record, isVerified: record.contactedAt != nil && isReplacedVerified)
    }

    private mutating func advance() {
        while let window = nextWindow(), recorded.reaches(window.start) {
            if consumeOrdinary(window) { continue }
            // 1. The reruns of the window, which give its runs their roles.
            let reruns = consumeReruns(of: window)
            // 2. The recorded runs. They come before the declared window, because they decide whether it is missing.
            let history = consumeRuns(of: window, reruns)
            // 3. The declared window, or the one that a recorded piece or batch belongs to.
            let declared = consumeDeclared(window)
            let container = declared ?? container(of: window, with: history)
            // If a longer run covers an explicit window, the overlap policy decides.
            let isExplicit = declared?.isOfSeries == false && demand.rules.overlap != .trim
            let longer = isExplicit ? nil : longerRun(over: window)
            // 4. The window's own run, then its reruns, which need a first run.
            if let container { decide(window, by: history, of: container, isDeclared: declared != nil, longer) }
            for rerun in reruns { decide(rerun, by: history, of: longer == nil ? declared : nil) }
            // 5. The runs that have no role.
            builder.count(history, of: window, at: declared?.place ?? reruns.first?.place ?? demand.place)
            let rerunIDs = Set(reruns.map(\.id))
            let isWanted = container != nil || !rerunIDs.isEmpty
            deferUndeclaredRuns(history, at: window, hasContainer: container != nil) {
                $0.identity.rerun.map(rerunIDs.contains) ?? isWanted
            }
        }
    }

    /// Fast path for most windows of a large plan: declared once, and never run or run once as requested. The result is
    /// the same as on the general path.
    ///
    /// - Returns: whether the fast path applies; if not, nothing was consumed.
    private mutating func consumeOrdinary(_ window: Window) -> Bool {
        guard reruns.head == nil, ranges.isEmpty, replaced.isAtEnd, deferred.isEmpty, builder.acknowledged.isEmpty,
            desired.head?.window == window, desired.second?.window != window
        else { return false }
        let isRecorded = recorded.headWindow == window
        if isRecorded {
            guard recorded.isHeadSatisfiedRequest(demand.rules.retries), recorded.secondWindow != window else {
                return false
            }
        } else if desired.head?.isOfSeries == true {
            // A longer run may cover the window.
            guard lastEndingRun?.window?.end ?? .min <= window.start, recorded.headWindow?.start != window.start else {
                return false
            }
        }
        guard let declared = desired.next() else { return false }
        if window.end > lastEnding?.window.end ?? .min { lastEnding = declared }
        if isRecorded, let run = recorded.next() {
            builder.record(run)
            if !builder.isAcknowledged(run) { recordIngested(run) }
            overlap.record(window, by: run, into: &builder)
            builder.markRun(of: window)
            if window.end > lastEndingRun?.window?.end ?? .min { lastEndingRun = run }
            builder.recordedCount += 1
        } else {
            overlap.declare(declared, into: &builder)
        }
        return true
    }

    private mutating func nextWindow() -> Window? {
        while recorded.headWindow == nil, let run = recorded.next() { builder.addRunOfUnknownWindow(run) }
        while replaced.headWindow == nil, let run = replaced.next() { builder.addReplacedRunOfUnknownWindow(run) }
        let run = earlier(recorded.headWindow, replaced.headWindow)
        return earlier(run, earlier(desired.head?.window, reruns.head?.window))
    }

    private mutating func consumeRuns(of window: Window, _ reruns: [Rerun]) -> WindowHistory {
        var runs: [RecordedRun] = []
        while recorded.headWindow == window, let run = recorded.next() {
            builder.record(run)
            runs.append(run)
        }
        var replacedRuns: [RecordedRun] = []
        while replaced.headWindow == window, let run = replaced.next() {
            builder.recordReplaced(run)
            replacedRuns.append(run)
        }
        let history = WindowHistory(
            runs, replaced: replacedRuns, reruns: reruns.map(\.id), demand.rules.retries,
            acknowledged: builder.acknowledged)
        // An acknowledgement of one of the window's runs is enough: a rerun of the window shares the same time.
        if history.ingesting(where: builder.isAcknowledged) == nil, let run = history.ingesting(where: { _ in true }) {
            recordIngested(run)
        }
        if let run = history.covering {
            overlap.record(window, by: run, into: &builder)
            builder.markRun(of: window)
            if window.end > lastEndingRun?.window?.end ?? .min { lastEndingRun = run }
        } else if !history.runs.isEmpty {
            builder.attempts[window] = history.own
            if !history.reruns.isEmpty { builder.rerunAttempts[window] = history.reruns }
        }
        return history
    }

    /// Reports a run whose window overlaps that of an earlier run. Called once per window, in window order, so that one
    /// comparison suffices.
    private mutating func recordIngested(_ run: RecordedRun) {
        guard demand.rules.overlap != .allow, let window = run.window else { return }
        if let lastIngested, let other = lastIngested.window {
            if window.start < other.end { builder.addIngestedTwice(lastIngested, and: run, at: demand.place) }
            if window.end <= other.end { return }
        }
        lastIngested = run
    }

    private mutating func consumeDeclared(_ window: Window) -> DesiredWindow? {
        guard desired.head?.window == window, let first = desired.next() else { return nil }
        while desired.head?.window == window, let again = desired.next() {
            builder.diagnostics.add(.windowDeclaredTwice) { .declaredTwice(again, first: first) }
        }
        if window.end > lastEnding?.window.end ?? .min { lastEnding = first }
        return first
    }

    /// Returns the declared window that a recorded window belongs to: it is a trimmed piece of that window, or covers it.
    private func container(of window: Window, with history: WindowHistory) -> DesiredWindow? {
        guard demand.rules.overlap != .allow, history.covering != nil else { return nil }
        let whole =
            demand.rules.overlap == .trim
            ? [lastEnding, desired.head].lazy.compactMap(\.self).first { $0.window.contains(window) } : nil
        return whole ?? lastCovered.flatMap { window.contains($0.window) ? $0 : nil }
    }

    /// - Parameter longer: a run of another window that covers all of this one.
    private mutating func decide(
        _ window: Window, by history: WindowHistory, of desired: DesiredWindow, isDeclared: Bool,
        _ longer: RecordedRun? = nil
    ) {
        switch history.verdict(demand.rules.retries) {
        case .missing where longer != nil && desired.isOfSeries, .retry where longer != nil,
            .failed where longer != nil:
            if let longer, isDeclared { cover(desired, by: longer) }
        case .missing:
            var piece = desired
            piece.window = window
            overlap.declare(piece, into: &builder)
        // Other runs may cover a part of the window by now, so the overlap policy decides; see `FlowPlanBuilder.create`.
        case .retry where isDeclared && history.covering == nil: overlap.declare(desired, into: &builder)
        case .retry(let run, let failed, let ordinal):
            builder.retry(run, failed: failed, ordinal: ordinal, attempts: history.own, rerun: nil, of: desired)
        case .doubtful(let run): builder.hold(run, of: desired)
        case .replaced: if isDeclared { builder.countReplaced() }
        // The declared window of a piece is counted already.
        case .recorded: if isDeclared { builder.recordedCount += 1 }
        case .failed:
            if isDeclared {
                builder.recordedCount += 1
                builder.markRun(of: window)
            }
            builder.failedCount += 1
        }
    }

    /// Consumes the reruns declared for the window. Their IDs are unique, because loading refuses duplicates.
    private mutating func consumeReruns(of window: Window) -> [Rerun] {
        var consumed: [Rerun] = []
        while reruns.head?.window == window, let rerun = reruns.next() { consumed.append(rerun) }
        // Ranges over windows that were never run are resolved at the end, when the requested windows are final.
        guard !ranges.isEmpty, recorded.headWindow == window || replaced.headWindow == window else { return consumed }
        consumed += ranges.filter { $0.touches(window) }.map { $0.applied(to: window) }
        return consumed.sorted { $0.place < $1.place }
    }

    /// Decides on a rerun, which needs a first run of exactly its window: a recorded one, or one that this plan
    /// requests. The pieces that `trim` leaves of a declared window are known only at the end.
    private mutating func decide(_ rerun: Rerun, by history: WindowHistory, of declared: DesiredWindow?) {
        let attempts = history.reruns[rerun.id] ?? Attempts()
        // An undeclared window may belong to a series and not be due yet.
        let isNotDue = !demand.series.isEmpty
        let desired = DesiredWindow(
            window: rerun.window, place: rerun.place, isOfSeries: declared?.isOfSeries ?? isNotDue)
        let wasRun = history.wasRun
        let isWanted = declared != nil || demand.approvedReruns.contains(rerun.window)
        if rerun.isRange, wasRun { builder.usedRanges.insert(rerun.id) }
        switch history.verdict(of: rerun.id, attempts, demand.rules.retries) {
        // A failed run of an undeclared window covers nothing that could be run again, unless it is requested at the end.
        case .missing where rerun.isRange && !(wasRun && isWanted) && history.covering == nil: return
        case .missing
        where wasRun
            || declared != nil && demand.rules.overlap != .trim:
            builder.rerun(rerun, attempts: attempts, isOfSeries: desired.isOfSeries)
        case .missing: builder.rerunIfCreated(rerun, attempts: attempts)
        case .retry(let run, let failed, let ordinal):
            builder.retry(run, failed: failed, ordinal: ordinal, attempts: attempts, rerun: rerun.id, of: desired)
        case .doubtful(let run): builder.hold(run, of: desired)
        case .replaced: builder.countReplaced()
        case .recorded: builder.recordedCount += 1
        case .failed:
            builder.recordedCount += 1
            builder.failedCount += 1
        }
        if rerun.isRange, history.covering == nil { builder.markDecided(rerun) }
    }
}

/// A recorded run covers every window of a series inside its own. The record thus shows which windows a batch was for,
/// even if the manifest's batches change later. Only `overlap: allow` requests such windows again.
extension FlowPass {
    /// Returns a recorded run of another window that covers all of this one.
    private mutating func longerRun(over window: Window) -> RecordedRun? {
        guard demand.rules.overlap != .allow else { return nil }
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
    private mutating func cover(_ desired: DesiredWindow, by longer: RecordedRun) {
        if longer.flow == demand.id {
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
    private mutating func deferUndeclaredRuns(
        _ history: WindowHistory, at window: Window, hasContainer: Bool, unless isDeclared: (RecordedRun) -> Bool
    ) {
        if !deferred.isEmpty {
            for runs in deferred where runs.window.end <= window.start { builder.addUndeclared(runs.undeclared) }
            deferred.removeAll { $0.window.end <= window.start }
        }
        guard !history.runs.isEmpty else { return }
        let undeclared = history.runs.filter { !$0.state.isVoid && !isDeclared($0) }
        if hasContainer || demand.rules.overlap == .allow || history.covering == nil {
            builder.addUndeclared(undeclared)
        } else {
            deferred.append(DeferredRuns(window: window, history: history, undeclared: undeclared))
        }
    }

    private mutating func endDeferredRuns() {
        for runs in deferred { builder.addUndeclared(runs.undeclared) }
        builder.sortUndeclared()
    }
}

/// The recorded runs of an undeclared window.
private struct DeferredRuns {
    let window: Window
    let history: WindowHistory
    let undeclared: [RecordedRun]
}

private func earlier(_ left: Window?, _ right: Window?) -> Window? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
}
