import FlowRuns
import Manifests

/// The results of a pass over a flow's windows so far. Whether the flow is held, and whether a request carries the
/// delta column, is known only at the end of the pass.
struct FlowFindings {
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
    var seriesOverlaps = SeriesOverlaps()
    /// Earlier attempts at windows that no run covers: requests that were not accepted, and failed runs.
    var attempts: [Window: Attempts] = [:]

    /// Earlier attempts at reruns of windows that no run covers.
    var rerunAttempts: [Window: [String: Attempts]] = [:]

    var rerunsWithoutRun: [RerunWithoutRun] = []
    /// The IDs of ranges that touch a window that was run.
    var usedRanges: Set<String> = []
    /// The reruns of ranges that the pass decided on, of windows that no run covers.
    private var decidedReruns: Set<RunKey> = []
    /// The recorded or failed window that ends last, so far.
    private var lastEndingRun: Window?
    /// The IDs of acknowledged runs that count for nothing.
    let acknowledged: Set<RunID>
    var unseenAcknowledged: Set<RunID>
    private let acknowledgements: [RunID: Acknowledgement]
    var unacknowledged: [RecordedRun] = []
    var summary = RunsInSummary()
    let retries: Retries
    let asOf: Timestamp
    let pause: Pause?
    let predecessors: [Predecessor]
    /// The requests that wait for another flow.
    var waiting: [PlannedAction] = []
    private let flow: FlowID
    let batch: SeriesBatch?
    let series: [Series]
    /// The windows of exact reruns. They are not batched, because the first run must be of exactly that window.
    let rerunWindows: Set<Window>
    /// The number of desired windows that a replaced flow has recorded.
    var replacedCount = 0
    /// The pairs of runs that ingested the same time twice, at most `maxIngestedTwice`.
    private(set) var ingestedTwice: [OverlappingRuns] = []
    private static let maxIngestedTwice = 1000
    /// The failed runs of replaced flows, by window.
    private var replacedFailures: [Window: RecordedRun] = [:]

    init(
        _ declaration: FlowDeclaration, _ predecessors: [Predecessor], asOf: Timestamp, listsUndeclared: Bool
    ) {
        self.listsUndeclared = listsUndeclared
        self.predecessors = predecessors
        acknowledged = declaration.acknowledged.somebodyElses
        unseenAcknowledged = Set(declaration.acknowledged.map(\.run))
        acknowledgements = Dictionary(declaration.acknowledged.map { ($0.run, $0) }) { first, _ in first }
        retries = declaration.retries
        flow = declaration.id
        batch = declaration.batch
        series = declaration.series
        rerunWindows =
            declaration.batch == nil ? [] : Set(declaration.reruns.lazy.filter { !$0.isRange }.map(\.window))
        self.asOf = asOf
        pause = declaration.pause(at: asOf)
    }

    mutating func note(_ run: RecordedRun) {
        summary.add(run)
        noteAcknowledged(run)
    }

    private mutating func noteAcknowledged(_ run: RecordedRun) {
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
    mutating func addIngestedTwice(_ first: RecordedRun, _ second: RecordedRun, at place: Place) {
        guard let runs = OverlappingRuns(first, second) else { return }
        diagnostics.add(.windowsIngestedTwice) { .ingestedTwice(runs, at: place) }
        if ingestedTwice.count < Self.maxIngestedTwice { ingestedTwice.append(runs) }
    }

    mutating func addRunOfUnknownWindow(_ run: RecordedRun) {
        note(run)
        guard !run.state.isVoid, !run.isSomebodyElses(acknowledged) else { return }
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
    mutating func noteReplaced(_ run: RecordedRun) {
        noteAcknowledged(run)
        if run.state == .failed, let window = run.window { replacedFailures[window] = run }
    }

    mutating func addReplacedRunOfUnknownWindow(_ run: RecordedRun) {
        noteReplaced(run)
        guard !run.state.isVoid, !run.isSomebodyElses(acknowledged) else { return }
        unacknowledged.append(run)
    }

    /// Counts a declared window or rerun that a replaced flow has recorded.
    mutating func countReplaced() {
        recordedCount += 1
        replacedCount += 1
    }

    /// Reports which runs from outside this ledger count as declared reruns, and which are surplus.
    mutating func count(_ history: WindowHistory, of window: Window, at place: Place) {
        for (rerun, run) in history.taken.sorted(by: { $0.key < $1.key }) {
            let isAcknowledged = isAcknowledged(run)
            diagnostics.add(.runTakenForRerun) {
                .taken(run, for: rerun, of: window, isAcknowledged: isAcknowledged, at: place)
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
    mutating func repeated(_ window: Window, _ attempts: Attempts, of desired: DesiredWindow) -> Repeated? {
        switch attempts.verdict(retries) {
        case .retry(let run, let failed, let ordinal):
            repeatedWindows.insert(window)
            return retryAction(run, failed, ordinal, attempts: attempts, rerun: nil, of: desired).map { .retry($0) }
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
        switch repeated(window, attempts, of: desired) {
        case .retry(let retry):
            actions.append(retry)
            return true
        case .exhausted: return false
        case nil: break
        }
        var reason = attempts.isLost ? "sent before, but the service never had it" : PlannedAction.neverRun
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
    mutating func refuse(_ new: DesiredWindow, _ other: Overlapped) {
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

    /// Marks a range as touching a window that was run.
    mutating func noteUsed(_ range: Rerun) { usedRanges.insert(range.id) }

    /// Marks a rerun as decided, so that the end of the pass does not request it again.
    mutating func noteDecided(_ rerun: Rerun) {
        decidedReruns.insert(RunKey(flow: flow, window: rerun.window, rerun: rerun.id))
    }

    func isDecided(_ rerun: Rerun) -> Bool {
        decidedReruns.contains(RunKey(flow: flow, window: rerun.window, rerun: rerun.id))
    }

    /// Marks a window as run, or as failed: a rerun may overlap the window without being equal to it.
    mutating func noteRun(of window: Window) {
        if window.end > lastEndingRun?.end ?? .min { lastEndingRun = window }
        for index in rerunsWithoutRun.indices where rerunsWithoutRun[index].touched == nil {
            if rerunsWithoutRun[index].rerun.window.overlaps(window) { rerunsWithoutRun[index].touched = window }
        }
    }

    mutating func retry(
        _ run: RunID, _ failed: RecordedRun, _ ordinal: Int, attempts: Attempts, rerun: String?,
        of desired: DesiredWindow
    ) {
        let action = retryAction(run, failed, ordinal, attempts: attempts, rerun: rerun, of: desired)
        if let action { actions.append(action) }
    }

    private func retryAction(
        _ run: RunID, _ failed: RecordedRun, _ ordinal: Int, attempts: Attempts, rerun: String?,
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
    mutating func hold(_ doubt: RecordedRun, _ other: Window? = nil, of desired: DesiredWindow) {
        guard let window = other ?? doubt.window else { return }
        let time = doubt.recordedAt
        let isReplaced = doubt.flow != flow
        let reason =
            doubt.state == .intended
            ? "claimed at \(time), and possibly sent" : "requested at \(time); the service's answer never arrived"
        held.append(
            HeldWindow(
                window: window, cause: isReplaced ? .replaced : .doubt,
                reason: isReplaced ? "on the flow that it replaces, \(doubt.flow): \(reason)" : reason,
                place: desired.place, timeZone: desired.timeZone))
    }
}

/// A declared rerun of a window that no recorded run covers.
struct RerunWithoutRun {
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
