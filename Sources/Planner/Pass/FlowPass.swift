import FlowRuns
import Manifests

/// A pass over a flow's windows in order, which merges declared windows, reruns and recorded runs, and decides on each
/// window.
struct FlowPass {
    let declaration: FlowDeclaration
    private var desired: Lookahead<DesiredWindows>
    private var reruns: Lookahead<IndexingIterator<[Rerun]>>
    /// The reruns of ranges, in the order declared.
    private let ranges: [Rerun]
    var recorded: RunsByWindow
    private let replacedFlows: [ReplacedFlow]
    var replaced: RunsByWindow
    private(set) var history = WindowHistory()
    private var overlap: any OverlapPolicy
    /// The windows of approved reruns, of which a plan for approval has decided that they are run once more.
    private let approvedReruns: Set<Window>
    /// The declared window that ends last, so far.
    private var lastEnding: DesiredWindow?
    /// The recorded run that ends last among those that cover their window, so far.
    private(set) var lastEndingRun: RecordedRun?
    /// The run that ends last among those that ingested a window of which no run is acknowledged, so far.
    private var lastIngested: RecordedRun?
    /// The last declared window that a longer run covers.
    var lastCovered: DesiredWindow?
    /// Recorded runs of undeclared windows. They may cover declared windows, as the run of a batch does.
    var deferred: [DeferredRuns] = []
    var builder: FlowPlanBuilder

    init(
        _ declaration: FlowDeclaration, replaced: [ReplacedFlow], predecessors: [Predecessor], asOf: Timestamp,
        listsUndeclared: Bool
    ) {
        self.declaration = declaration
        builder = FlowPlanBuilder(declaration, predecessors, asOf: asOf, listsUndeclared: listsUndeclared)
        var walkable: [Series] = []
        for series in declaration.series {
            if let excess = series.excess(dueAt: asOf) {
                builder.diagnostics.add(excess.code) { excess }
            } else {
                walkable.append(series)
            }
        }
        desired = Lookahead(DesiredWindows(declaration, walkable, asOf: asOf))
        // Within a window, keep the order of declaration: runs from outside this ledger are matched to reruns in that
        // order.
        ranges = declaration.reruns.filter(\.isRange).sorted { $0.place < $1.place }
        let sorted = declaration.reruns.filter { !$0.isRange }.sorted {
            $0.window == $1.window ? $0.place < $1.place : $0.window < $1.window
        }
        reruns = Lookahead(sorted.makeIterator())
        let windows = declaration.acknowledged.declaredWindows
        recorded = RunsByWindow(windows: windows)
        replacedFlows = replaced
        self.replaced = RunsByWindow(replaced.runsByWindow, windows: windows)
        overlap = declaration.overlap.makePolicy()
        approvedReruns = if case .exactly(_, _, let reruns) = declaration.batch { reruns } else { [] }
    }

    /// Consumes the next recorded runs, and decides on every window whose runs are all present.
    mutating func consume(_ runs: [RecordedRun]) {
        recorded.append(runs)
        advance()
    }

    /// Ends the pass after the last recorded run.
    mutating func finish(record: FlowRecord) -> FlowPlan {
        recorded.end()
        advance()
        endDeferredRuns()
        overlap.finish(into: &builder)
        return builder.plan(of: declaration, ranges, record: record, replacedFlows)
    }

    private mutating func advance() {
        while let window = nextWindow(), recorded.reaches(window.start) {
            if consumeOrdinary(window) { continue }
            let reruns = consumeReruns(of: window)
            consumeRuns(of: window, reruns)
            let declared = consumeDeclared(window)
            let container = declared ?? container(of: window)
            // If a longer run covers an explicit window, the overlap policy decides.
            let isExplicit = declared?.isOfSeries == false && declaration.overlap != .trim
            let longer = isExplicit ? nil : longerRun(over: window)
            if let container { decide(window, by: history, of: container, isDeclared: declared != nil, longer) }
            for rerun in reruns { decide(rerun, of: longer == nil ? declared : nil) }
            builder.count(history, of: window, at: declared?.place ?? reruns.first?.place ?? declaration.place)
            let rerunIDs = Set(reruns.map(\.id))
            let isWanted = container != nil || !rerunIDs.isEmpty
            deferUndeclaredRuns(at: window, hasContainer: container != nil) {
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
            guard recorded.isHeadSatisfiedRequest(declaration.retries), recorded.secondWindow != window else {
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

    private mutating func consumeRuns(of window: Window, _ reruns: [Rerun]) {
        history.clear()
        while recorded.headWindow == window, let run = recorded.next() {
            builder.record(run)
            history.add(run)
        }
        while replaced.headWindow == window, let run = replaced.next() {
            builder.recordReplaced(run)
            history.addReplaced(run)
        }
        history.count(
            for: reruns.map(\.id), declaration.retries, acknowledged: builder.acknowledged)
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
    }

    /// Reports a run whose window overlaps that of an earlier run. Called once per window, in window order, so that one
    /// comparison suffices.
    private mutating func recordIngested(_ run: RecordedRun) {
        guard declaration.overlap != .allow, let window = run.window else { return }
        if let lastIngested, let other = lastIngested.window {
            if window.start < other.end { builder.addIngestedTwice(lastIngested, and: run, at: declaration.place) }
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
    private func container(of window: Window) -> DesiredWindow? {
        guard declaration.overlap != .allow, history.covering != nil else { return nil }
        let whole =
            declaration.overlap == .trim
            ? [lastEnding, desired.head].lazy.compactMap(\.self).first { $0.window.contains(window) } : nil
        return whole ?? lastCovered.flatMap { window.contains($0.window) ? $0 : nil }
    }

    /// - Parameter longer: a run of another window that covers all of this one.
    mutating func decide(
        _ window: Window, by history: WindowHistory, of desired: DesiredWindow, isDeclared: Bool,
        _ longer: RecordedRun? = nil
    ) {
        switch history.verdict(declaration.retries) {
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
    private mutating func decide(_ rerun: Rerun, of declared: DesiredWindow?) {
        let attempts = history.reruns[rerun.id] ?? Attempts()
        // An undeclared window may belong to a series and not be due yet.
        let isNotDue = !declaration.series.isEmpty
        let desired = DesiredWindow(
            window: rerun.window, place: rerun.place, isOfSeries: declared?.isOfSeries ?? isNotDue)
        let wasRun = history.wasRun
        let isWanted = declared != nil || approvedReruns.contains(rerun.window)
        if rerun.isRange, wasRun { builder.markUsed(rerun) }
        switch history.verdict(of: rerun.id, attempts, declaration.retries) {
        // A failed run of an undeclared window covers nothing that could be run again, unless it is requested at the end.
        case .missing where rerun.isRange && !(wasRun && isWanted) && history.covering == nil: return
        case .missing
        where wasRun
            || declared != nil && declaration.overlap != .trim:
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

private func earlier(_ left: Window?, _ right: Window?) -> Window? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
}
