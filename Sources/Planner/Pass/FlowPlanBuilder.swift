import FlowRuns
import Manifests

/// The results of a pass over a flow's windows so far. Whether the flow is held, and whether a request carries the
/// delta column, is known only at the end of the pass.
struct FlowPlanBuilder {
    var actions = PlannedActions()
    var held: [HeldWindow] = []
    /// The number of desired windows and reruns that need no request.
    var recordedCount = 0
    /// The number of these whose run failed with no retry left.
    var failedCount = 0
    private(set) var undeclared: [RecordedRun] = []
    /// The windows whose failed runs this plan retries or counts as failed, so that they are not undeclared.
    private var repeatedWindows: Set<Window> = []
    private let listsUndeclared: Bool
    var diagnostics = CappedDiagnostics()
    private var seriesOverlaps = SeriesOverlaps()
    /// Earlier attempts at windows that no run covers: requests that were not accepted, and failed runs.
    var attempts: [Window: Attempts] = [:]

    /// Earlier attempts at reruns of windows that no run covers.
    var rerunAttempts: [Window: [String: Attempts]] = [:]

    private var rerunsWithoutRun: [RerunWithoutRun] = []
    /// The IDs of ranges that touch a window that was run.
    var usedRanges: Set<String> = []
    /// The reruns of ranges that the pass decided on, of windows that no run covers.
    private var decidedReruns: Set<RunKey> = []
    /// The recorded or failed window that ends last, so far.
    private var lastEndingRun: Window?
    /// The IDs of acknowledged runs that count for nothing.
    let acknowledged: Set<RunID>
    private var unseenAcknowledged: Set<RunID>
    private let acknowledgements: [RunID: Acknowledgement]
    private var unacknowledged: [RecordedRun] = []
    private var summary = RunsInSummary()
    private let retries: Retries
    private let asOf: Timestamp
    private let predecessors: [Predecessor]
    /// The requests that wait for another flow.
    private var waiting: [PlannedAction] = []
    private let flow: FlowID
    /// Whether a series may request windows later that it does not request now.
    private let hasSeries: Bool
    /// The number of desired windows that a replaced flow has recorded.
    private var replacedCount = 0
    /// The pairs of runs that ingested the same time twice, at most `maxIngestedTwice`.
    private(set) var ingestedTwice: [OverlappingRuns] = []
    private static let maxIngestedTwice = 1000
    /// The failed runs of replaced flows, by window.
    private var replacedFailures: [Window: RecordedRun] = [:]

    init(_ demand: FlowDemand, _ predecessors: [Predecessor], asOf: Timestamp) {
        listsUndeclared = demand.listsUndeclared
        self.predecessors = predecessors
        let known = demand.rules.acknowledged
        acknowledged = known.foreignRunIDs
        unseenAcknowledged = Set(known.map(\.run))
        acknowledgements = Dictionary(known.map { ($0.run, $0) }) { first, _ in first }
        retries = demand.rules.retries
        flow = demand.id
        hasSeries = !demand.series.isEmpty
        self.asOf = asOf
    }

    mutating func record(_ run: RecordedRun) {
        summary.add(run)
        recordAcknowledged(run)
    }

    private mutating func recordAcknowledged(_ run: RecordedRun) {
        guard !acknowledgements.isEmpty, let id = run.id, let known = acknowledgements[id] else { return }
        unseenAcknowledged.remove(id)
        if let told = known.window, let window = run.window, told != window {
            diagnostics.add(.acknowledgedWindowContradicted) { .contradicted(known, by: window) }
        }
    }

    /// Whether the manifest acknowledges the run, with or without a window.
    func isAcknowledged(_ run: RecordedRun) -> Bool {
        !acknowledgements.isEmpty && run.id.map { acknowledgements[$0] != nil } ?? false
    }

    /// Reports two runs of overlapping windows.
    mutating func addIngestedTwice(_ first: RecordedRun, and second: RecordedRun, at place: Place) {
        guard let runs = OverlappingRuns(first, second) else { return }
        diagnostics.add(.windowsIngestedTwice) { .ingestedTwice(runs, at: place) }
        if ingestedTwice.count < Self.maxIngestedTwice { ingestedTwice.append(runs) }
    }

    mutating func addRunOfUnknownWindow(_ run: RecordedRun) {
        record(run)
        guard !run.state.isVoid, !run.isForeign(acknowledged) else { return }
        unacknowledged.append(run)
        addUndeclared([run])
    }

    mutating func addUndeclared(_ runs: [RecordedRun]) {
        if listsUndeclared { undeclared += runs }
    }

    /// Sorts the undeclared runs by key and attempt. They are usually already in order.
    mutating func sortUndeclared() {
        func isBefore(_ left: RecordedRun, _ right: RecordedRun) -> Bool {
            left.identity.key == right.identity.key
                ? left.identity.attempt < right.identity.attempt : left.identity.key < right.identity.key
        }
        let pairs = zip(undeclared, undeclared.dropFirst())
        if pairs.contains(where: { isBefore($1, $0) }) { undeclared.sort(by: isBefore) }
    }

    /// Removes the runs of windows that turned out to be requested again, such as batches.
    mutating func discardRepeatedUndeclared() {
        guard !repeatedWindows.isEmpty else { return }
        undeclared.removeAll { run in
            run.identity.rerun == nil && run.window.map(repeatedWindows.contains) ?? false
        }
    }

    /// Adds a run of a replaced flow.
    mutating func recordReplaced(_ run: RecordedRun) {
        recordAcknowledged(run)
        if run.state == .failed, let window = run.window { replacedFailures[window] = run }
    }

    mutating func addReplacedRunOfUnknownWindow(_ run: RecordedRun) {
        recordReplaced(run)
        guard !run.state.isVoid, !run.isForeign(acknowledged) else { return }
        unacknowledged.append(run)
    }

    /// Counts a declared window or rerun that a replaced flow has recorded.
    mutating func countReplaced() {
        recordedCount += 1
        replacedCount += 1
    }

    /// Reports which runs from outside this ledger count as declared reruns, and which are surplus.
    mutating func count(_ history: WindowHistory, of window: Window, at place: Place) {
        for (rerun, run) in history.foreignRunsAsReruns.sorted(by: { $0.key < $1.key }) {
            let isAcknowledged = isAcknowledged(run)
            diagnostics.add(.runTakenForRerun) {
                .countedAsRerun(run, rerun: rerun, of: window, isAcknowledged: isAcknowledged, at: place)
            }
        }
        let surplus = history.surplus.filter { !isAcknowledged($0) }
        if !surplus.isEmpty {
            let others = history.runs.filter {
                $0.state.isAccepted && $0.state != .failed && !history.surplus.contains($0)
            }
            diagnostics.add(.windowRunTwice) { .runTwice(window, surplus, besides: others, at: place) }
        }
    }

    /// Requests a window, or counts it as failed if no attempt is left.
    mutating func create(_ desired: DesiredWindow) {
        if !create(desired.window, of: desired) { countExhausted(1) }
    }

    /// Requests pieces of a window, or counts the window as failed if no attempt is left at any of them.
    mutating func create(_ pieces: [Window], of desired: DesiredWindow) {
        var isRequested = false
        for piece in pieces {
            if create(piece, of: desired) { isRequested = true }
        }
        if !isRequested { countExhausted(1) }
    }

    /// The windows and batches that would be requested, but whose runs failed with no retry left.
    private(set) var exhausted: [DesiredWindow] = []

    /// The remaining action for a window that failed and that no run covers.
    enum Repeated {
        case retry(PlannedAction)
        /// Its run failed, and no retry is left.
        case exhausted
    }

    /// - Returns: `nil` when no run of the window has ended.
    mutating func repeated(_ window: Window, attempts: Attempts, of desired: DesiredWindow) -> Repeated? {
        switch attempts.verdict(retries) {
        case .retry(let run, let failed, let ordinal):
            repeatedWindows.insert(window)
            return retryAction(run, failed: failed, ordinal: ordinal, attempts: attempts, rerun: nil, of: desired).map {
                .retry($0)
            }
        case .failed:
            repeatedWindows.insert(window)
            var failed = desired
            failed.window = window
            exhausted.append(failed)
            return .exhausted
        case .missing, .recorded, .replaced, .doubtful: return nil
        }
    }

    /// Counts windows whose run failed and may not be retried any more.
    mutating func countExhausted(_ count: Int) {
        recordedCount += count
        failedCount += count
    }

    /// Requests a window, or a piece of one, for the first time or as a retry.
    ///
    /// - Returns: whether an attempt was left.
    private mutating func create(_ window: Window, of desired: DesiredWindow) -> Bool {
        let attempts = attempts[window] ?? Attempts()
        switch repeated(window, attempts: attempts, of: desired) {
        case .retry(let retry):
            actions.append(retry)
            return true
        case .exhausted: return false
        case nil: break
        }
        var reason = attempts.wasReleased ? "sent before, but the service never had it" : PlannedAction.neverRun
        if let failed = replacedFailures[window] { reason = "\(failed.inWords) of the flow that it replaces failed" }
        if let refusal = attempts.refusal { reason = "refused before: \(refusal.inShort)" }
        if window != desired.window { reason += "; what is left of \(desired.window.inWords)" }
        actions.append(
            PlannedAction(
                kind: .create, window: window, attempt: attempts.next, reason: reason, refusal: attempts.refusal,
                place: desired.place, timeZone: desired.timeZone, isOfSeries: desired.isOfSeries))
        return true
    }

    /// Reports that a window is not requested, because it partly overlaps another.
    mutating func refuse(_ new: DesiredWindow, overlapping other: OverlapSource) {
        guard !new.isOfSeries else { return seriesOverlaps.add(new, with: other) }
        diagnostics.add(other.code) { .overlap(of: new, with: other) }
    }

    mutating func rerun(_ rerun: Rerun, attempts: Attempts, isOfSeries: Bool) {
        actions.append(
            PlannedAction(
                kind: .rerun, window: rerun.window, rerun: rerun.id, attempt: attempts.next,
                reason: "rerun \(rerun.id): \(rerun.reason)", refusal: attempts.refusal, place: rerun.place,
                isOfSeries: isOfSeries))
    }

    /// Defers a rerun that is valid only if this plan requests a run of exactly its window.
    mutating func rerunIfCreated(_ rerun: Rerun, attempts: Attempts) {
        let touched = lastEndingRun.flatMap { $0.overlaps(rerun.window) ? $0 : nil }
        rerunsWithoutRun.append(RerunWithoutRun(rerun: rerun, attempts: attempts, touched: touched))
    }

    /// Marks a rerun as decided, so that the end of the pass does not request it again.
    mutating func markDecided(_ rerun: Rerun) {
        decidedReruns.insert(RunKey(flow: flow, window: rerun.window, rerun: rerun.id))
    }

    func isDecided(_ rerun: Rerun) -> Bool {
        decidedReruns.contains(RunKey(flow: flow, window: rerun.window, rerun: rerun.id))
    }

    /// Marks a window as run, or as failed: a rerun may overlap the window without being equal to it.
    mutating func markRun(of window: Window) {
        if window.end > lastEndingRun?.end ?? .min { lastEndingRun = window }
        for index in rerunsWithoutRun.indices where rerunsWithoutRun[index].touched == nil {
            if rerunsWithoutRun[index].rerun.window.overlaps(window) { rerunsWithoutRun[index].touched = window }
        }
    }

    mutating func retry(
        _ run: RunID, failed: RecordedRun, ordinal: Int, attempts: Attempts, rerun: String?,
        of desired: DesiredWindow
    ) {
        let action = retryAction(run, failed: failed, ordinal: ordinal, attempts: attempts, rerun: rerun, of: desired)
        if let action { actions.append(action) }
    }

    private func retryAction(
        _ run: RunID, failed: RecordedRun, ordinal: Int, attempts: Attempts, rerun: String?,
        of desired: DesiredWindow
    ) -> PlannedAction? {
        guard let window = failed.window else { return nil }
        let whose = rerun.map { "rerun \($0)" } ?? "its run"
        let failure = failed.failure.map { ": \($0.inShort)" } ?? ""
        let end = failed.state == .failed ? "failed" : failed.isEmpty ? "brought no records" : "is partial"
        // The service repeats the run's true window, which may be another one than the manifest acknowledges.
        let isWindowAcknowledged = acknowledgements[run]?.window != nil
        return PlannedAction(
            kind: .retry(of: run, asNewRun: failed.state == .partial || isWindowAcknowledged), window: window,
            rerun: rerun,
            attempt: attempts.next,
            reason: "\(whose) \(run) \(end)\(failure); retry \(ordinal) of \(retries.times)",
            refusal: attempts.refusal, place: desired.place, timeZone: desired.timeZone,
            isOfSeries: desired.isOfSeries)
    }

    /// Holds the window of a run in doubt, or another window that depends on that run.
    mutating func hold(_ doubt: RecordedRun, window other: Window? = nil, of desired: DesiredWindow) {
        guard let window = other ?? doubt.window else { return }
        let time = doubt.recordedAt
        let isReplaced = doubt.flow != flow
        let reason =
            doubt.state == .intended
            ? "claimed at \(time) and possibly sent" : "requested at \(time); the service's answer never arrived"
        held.append(
            HeldWindow(
                window: window, cause: isReplaced ? .replaced : .doubt,
                reason: isReplaced ? "on the flow that it replaces, \(doubt.flow): \(reason)" : reason,
                place: desired.place, timeZone: desired.timeZone))
    }
}

// MARK: The end of the pass

extension FlowPlanBuilder {
    /// Returns the plan of the flow at the end of the pass, in steps whose order matters.
    ///
    /// - Parameters:
    ///   - demand: the demand that the pass has planned.
    ///   - ranges: the declared reruns of ranges, in the order declared.
    ///   - record: the ledger's record of the flow.
    ///   - isVerified: whether the flow and those that it replaces were ever compared with the service.
    consuming func plan(
        of demand: FlowDemand, _ ranges: [Rerun], record: FlowRecord, isVerified: Bool
    ) -> FlowPlan {
        // 1. A batch must not join windows that wait with windows that do not.
        holdWaiting(demand.pause)
        // 2. From here on, the requested windows are final.
        joinBatches(demand)
        // 3. Batches may have been run before; such runs are retried, not undeclared.
        discardRepeatedUndeclared()
        // 4. A rerun may need the run of a window that this plan requests.
        resolveRerunsWithoutRun(isVerified: isVerified)
        resolve(ranges, isVerified: isVerified)
        // 5. Reruns wait as their windows do.
        holdWaiting(demand.pause)
        // 6. The first request of all, in the order of sending, carries the delta column.
        actions.sort(by: demand.rules.order.isSentBefore)
        applyDeltaColumnRule(demand, record)
        diagnoseAcknowledgements(demand, isVerified: isVerified)
        for diagnostic in seriesOverlaps.diagnostics { diagnostics.add(diagnostic.code) { diagnostic } }
        // 7. Last, because the rules apply to held requests, too.
        holdIfNeeded(demand.pause)
        held.sort { $0.window == $1.window ? $0.place < $1.place : $0.window < $1.window }
        return FlowPlan(
            id: demand.id, name: demand.name, manifest: demand.manifest, owner: demand.owner, source: demand.source,
            rules: demand.rules, place: demand.place, revision: record.revision.number, isVerified: isVerified,
            actions: actions, held: held, recordedCount: recordedCount, failedCount: failedCount,
            replacedCount: replacedCount, undeclared: undeclared, ingestedTwice: ingestedTwice,
            diagnostics: diagnostics.all(flowPlace: demand.place))
    }

    private mutating func joinBatches(_ demand: FlowDemand) {
        let failed = attempts.filter { _, attempts in
            switch attempts.verdict(retries) {
            case .retry, .failed: true
            case .missing, .recorded, .replaced, .doubtful: false
            }
        }
        guard var batching = Batching(demand, failed: failed.map(\.key)) else { return }
        // A rerun needs a first run of exactly its window.
        let rerunWindows = Set(demand.rules.reruns.lazy.filter { !$0.isRange }.map(\.window))
        let created = actions.filter { $0.kind == .create }.sorted { $0.window < $1.window }
        let others = actions.filter { $0.kind != .create }
        actions = PlannedActions(
            others + batching.joined(created, where: { !rerunWindows.contains($0.window) }) { join($0, into: $1) })
    }

    /// - Returns: `nil` when the run of the joined window failed before and may not be retried any more.
    private mutating func join(_ parts: ArraySlice<PlannedAction>, into window: Window) -> PlannedAction? {
        let attempts = attempts[window] ?? Attempts()
        let first = parts[parts.startIndex]
        let desired = DesiredWindow(window: window, place: first.place, timeZone: first.timeZone, isOfSeries: true)
        if let decided = repeated(window, attempts: attempts, of: desired) {
            if case .exhausted = decided { countExhausted(parts.count) }
            if case .retry(let retry) = decided { return retry }
            return nil
        }
        let refusal = attempts.refusal ?? parts.lazy.compactMap(\.refusal).first
        let count = "\(parts.count) windows in one run"
        return PlannedAction(
            kind: .create, window: window, attempt: attempts.next,
            reason: refusal.map { "\(count); refused before: \($0.inShort)" } ?? "\(PlannedAction.neverRun): \(count)",
            refusal: refusal, place: parts[parts.startIndex].place, timeZone: parts[parts.startIndex].timeZone,
            members: [WindowProgression](folding: parts.lazy.map(\.window)), isOfSeries: true)
    }

    /// The requests for windows that were never run, including those that wait.
    private var created: [PlannedAction] { (actions + waiting).filter { $0.kind == .create } }

    private mutating func resolveRerunsWithoutRun(isVerified: Bool) {
        guard !rerunsWithoutRun.isEmpty else { return }
        let created = Dictionary(created.map { ($0.window, $0.isOfSeries) }) { first, _ in first }
        let runOrCreated = (actions + waiting).filter { $0.kind != .rerun }.map(\.window) + exhausted.map(\.window)
        for pending in rerunsWithoutRun {
            if let isOfSeries = created[pending.rerun.window] {
                rerun(pending.rerun, attempts: pending.attempts, isOfSeries: isOfSeries)
            } else {
                let touched = pending.touched ?? runOrCreated.filter(pending.rerun.window.overlaps).min()
                refuse(pending.rerun, touching: touched, isVerified: isVerified)
            }
        }
    }

    /// Adds a rerun for each window that a range touches and that this plan requests, or does not request because its runs
    /// failed. The result thus does not depend on when the plan is made.
    private mutating func resolve(_ ranges: [Rerun], isVerified: Bool) {
        guard !ranges.isEmpty else { return }
        let touchable = created.map { ($0.window, $0.isOfSeries) } + exhausted.map { ($0.window, $0.isOfSeries) }
        for range in ranges {
            for (window, isOfSeries) in touchable where range.touches(window) {
                usedRanges.insert(range.id)
                let applied = range.applied(to: window)
                if isDecided(applied) { continue }
                rerun(applied, attempts: rerunAttempts[window]?[range.id] ?? Attempts(), isOfSeries: isOfSeries)
            }
            if !usedRanges.contains(range.id) { refuse(range, touching: nil, isVerified: isVerified) }
        }
    }

    /// - Parameter touched: a window that overlaps the rerun's window without being equal to it.
    private mutating func refuse(_ rerun: Rerun, touching touched: Window?, isVerified: Bool) {
        if isVerified {
            let isPending = hasSeries && rerun.window.end > asOf
            diagnostics.add(.rerunOfNothing) { .neverRun(rerun, touching: touched, isPending: isPending) }
        } else {
            let reason = "rerun \(rerun.id): no run of it is known; the next apply or refresh asks the service"
            held.append(HeldWindow(window: rerun.window, reason: reason, place: rerun.place))
        }
    }

    private mutating func applyDeltaColumnRule(_ demand: FlowDemand, _ record: FlowRecord) {
        let rule = DeltaColumnRule(source: demand.source, declared: demand.rules.deltaColumn)
        let outcome = rule.outcome(of: summary.past(of: record))
        let asksForRuns = !actions.isEmpty || !waiting.isEmpty
        if let broken = rule.diagnostic(for: outcome, flowPlace: demand.place, asksForRuns: asksForRuns) {
            diagnostics.add(broken.code) { broken }
        }
        if case .firstRequestCarries(let column) = outcome, let first = actions.first {
            actions = actions.replacingFirst(by: first.opening(with: column))
        }
    }

    private mutating func diagnoseAcknowledgements(_ demand: FlowDemand, isVerified: Bool) {
        if !unacknowledged.isEmpty {
            diagnostics.add(.runOfUnknownWindow) { .unknownWindow(of: unacknowledged, at: demand.place) }
        }
        guard isVerified else { return }
        for acknowledgement in demand.rules.acknowledged where unseenAcknowledged.contains(acknowledgement.run) {
            diagnostics.add(.acknowledgedRunUnknown) { .unknown(acknowledgement) }
        }
    }

    /// Holds the requests that wait for another flow. A paused flow counts as paused, not as waiting.
    private mutating func holdWaiting(_ pause: Pause?) {
        guard !predecessors.isEmpty, pause == nil else { return }
        var others = PlannedActions()
        for action in actions {
            if let blockingReason = predecessors.lazy.compactMap({ $0.blockingReason(to: action.window) }).first {
                waiting.append(action)
                held.append(HeldWindow(action, .waiting, because: blockingReason))
            } else {
                others.append(action)
            }
        }
        actions = others
    }

    private mutating func holdIfNeeded(_ pause: Pause?) {
        let reason: String
        var cause = HeldWindow.Cause.doubt
        if let doubt = summary.firstDoubt {
            let window = doubt.window.map(\.inWords) ?? "an unknown window"
            reason = "waits until it is known whether the service took \(window); the next apply or refresh finds out"
        } else if let run = unacknowledged.first {
            reason = "waits until \(run.inWords), whose window cannot be read, is acknowledged"
        } else if let pause {
            (cause, reason) = (.paused, pause.inWords)
        } else {
            return
        }
        held += actions.map { HeldWindow($0, cause, because: reason) }
        actions = []
    }
}

extension PlannedAction {
    static let neverRun = "never run"

    /// Returns the request as the flow's first, which carries the delta column.
    fileprivate func opening(with column: DeltaColumn) -> PlannedAction {
        let carries = "first run of the flow: carries the delta column \(column.name)"
        return carrying(column, because: reason == Self.neverRun ? carries : "\(carries); \(reason)")
    }
}

extension Pause {
    /// `paused until 2026-04-10T00:00:00Z: source is migrated`
    package var inWords: String { "paused\(until.map { " until \($0)" } ?? ""): \(reason.inShort)" }
}

/// A declared rerun of a window that no recorded run covers.
private struct RerunWithoutRun {
    let rerun: Rerun
    let attempts: Attempts
    /// A recorded window that overlaps the rerun's window without being equal to it.
    var touched: Window?
}

extension Rerun {
    /// Returns the rerun of one of the windows that a range touches.
    func applied(to window: Window) -> Rerun {
        Rerun(window: window, isRange: isRange, id: id, reason: reason, place: place)
    }
}

extension String {
    /// The first line without full stops at its end, at most 160 characters long, for use within a message.
    var inShort: String {
        var line = prefix { !$0.isNewline }
        while line.last == "." || line.last == " " { line.removeLast() }
        return line.count > 160 ? line.prefix(159) + "…" : String(line)
    }
}
