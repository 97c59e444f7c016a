import FlowRuns
import Manifests

/// What a pass over a flow's windows has found so far. What holds the flow, and whether a request carries the delta
/// column, is known only at the end of the pass.
struct FlowFindings {
    private var actions: [PlannedAction] = []
    private var held: [HeldWindow] = []
    /// Desired windows and reruns that need nothing.
    var recordedCount = 0
    /// Of those, the ones whose run failed and may not be retried any more.
    var failedCount = 0
    var undeclared: [RecordedRun] = []
    var diagnostics = CappedDiagnostics()
    private var seriesOverlaps = SeriesOverlaps()
    /// Earlier attempts at windows that no run covers, all of them void.
    var attempts: [Window: Attempts] = [:]

    /// Earlier attempts at reruns of windows that no run covers.
    var rerunAttempts: [Window: [String: Attempts]] = [:]

    private var rerunsWithoutRun: [RerunWithoutRun] = []
    /// The ids of ranges that touch a window that was run.
    private var usedRanges: Set<String> = []
    /// Of the recorded windows so far, the one that ends last.
    private var lastEndingCovered: Window?
    /// Runs that the manifest calls somebody else's: they count for nothing.
    let acknowledged: Set<RunID>
    private var unseenAcknowledged: Set<RunID>
    private var unacknowledged: [RecordedRun] = []
    private var summary = RunsInSummary()
    private let retries: Retries
    private let pause: Pause?
    private let predecessors: [Predecessor]
    /// Those that wait for another flow.
    private var waiting: [PlannedAction] = []
    private let flow: FlowID
    private let batch: SeriesBatch?
    private let series: [Series]
    /// Windows that an exact rerun names: its first run is to be of exactly that window.
    private let rerunWindows: Set<Window>
    /// Desired windows that a replaced flow has recorded.
    private var replacedCount = 0
    /// Failed runs on replaced flows, by their window.
    private var replacedFailures: [Window: RecordedRun] = [:]

    init(_ declaration: FlowDeclaration, _ predecessors: [Predecessor], asOf: Timestamp) {
        self.predecessors = predecessors
        acknowledged = declaration.acknowledged.somebodyElses
        unseenAcknowledged = Set(declaration.acknowledged.map(\.run))
        retries = declaration.retries
        flow = declaration.id
        batch = declaration.batch
        series = declaration.series
        rerunWindows =
            declaration.batch == nil ? [] : Set(declaration.reruns.lazy.filter { !$0.isRange }.map(\.window))
        pause = declaration.pause(at: asOf)
    }

    mutating func note(_ run: RecordedRun) {
        summary.add(run)
        if !unseenAcknowledged.isEmpty, let id = run.id { unseenAcknowledged.remove(id) }
    }

    mutating func addRunOfUnknownWindow(_ run: RecordedRun) {
        note(run)
        guard !run.state.isVoid, !run.isSomebodyElses(acknowledged) else { return }
        unacknowledged.append(run)
        undeclared.append(run)
    }

    /// A run of a flow that this one replaces.
    mutating func noteReplaced(_ run: RecordedRun) {
        if !unseenAcknowledged.isEmpty, let id = run.id { unseenAcknowledged.remove(id) }
        if run.state == .failed, let window = run.window { replacedFailures[window] = run }
    }

    mutating func addReplacedRunOfUnknownWindow(_ run: RecordedRun) {
        noteReplaced(run)
        guard !run.state.isVoid, !run.isSomebodyElses(acknowledged) else { return }
        unacknowledged.append(run)
    }

    /// A declared window that a replaced flow has recorded.
    mutating func countReplaced() {
        recordedCount += 1
        replacedCount += 1
    }

    /// Tells which runs that nobody recorded count as which rerun, and which count for none.
    mutating func count(_ history: WindowHistory, of window: Window, at place: Place) {
        for (rerun, run) in history.taken.sorted(by: { $0.key < $1.key }) {
            diagnostics.add(.runTakenForRerun) { .taken(run, for: rerun, of: window, at: place) }
        }
        if !history.surplus.isEmpty {
            let others = history.runs.filter {
                $0.state.isAccepted && $0.state != .failed && !history.surplus.contains($0)
            }
            diagnostics.add(.windowRunTwice) { .runTwice(window, history.surplus, besides: others, at: place) }
        }
    }

    /// Asks for a window.
    mutating func create(_ desired: DesiredWindow) { create(desired.window, of: desired) }

    /// Asks for a window, or for a piece of it.
    mutating func create(_ window: Window, of desired: DesiredWindow) {
        let attempts = attempts[window] ?? Attempts()
        var reason = attempts.isLost ? "sent before, but the service never had it" : PlannedAction.neverRun
        if let failed = replacedFailures[window] { reason = "\(failed.inWords) of the flow that it replaces failed" }
        if let refusal = attempts.refusal { reason = "refused before: \(refusal.inShort)" }
        if window != desired.window { reason += "; what is left of \(desired.window.inWords)" }
        actions.append(
            PlannedAction(
                kind: .create, window: window, attempt: attempts.next, reason: reason, refusal: attempts.refusal,
                place: desired.place, timeZone: desired.timeZone, isOfSeries: desired.isOfSeries))
    }

    /// Does not ask for a window, since it partly overlaps another.
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

    /// Asks for a rerun if this plan asks for a run of exactly its window.
    mutating func rerunIfCreated(_ rerun: Rerun, attempts: Attempts) {
        let touched = lastEndingCovered.flatMap { $0.overlaps(rerun.window) ? $0 : nil }
        rerunsWithoutRun.append(RerunWithoutRun(rerun: rerun, attempts: attempts, touched: touched))
    }

    /// The range touches a window that was run.
    mutating func noteUsed(_ range: Rerun) { usedRanges.insert(range.id) }

    /// A recorded window: reruns may name a piece of it.
    mutating func noteCovered(_ window: Window) {
        if window.end > lastEndingCovered?.end ?? .min { lastEndingCovered = window }
        for index in rerunsWithoutRun.indices where rerunsWithoutRun[index].touched == nil {
            if rerunsWithoutRun[index].rerun.window.overlaps(window) { rerunsWithoutRun[index].touched = window }
        }
    }

    mutating func retry(
        _ run: RunID, _ failed: RecordedRun, _ ordinal: Int, attempts: Attempts, rerun: String?,
        of desired: DesiredWindow
    ) {
        guard let window = failed.window else { return }
        let whose = rerun.map { "rerun \($0)" } ?? "its run"
        let failure = failed.failure.map { ": \($0.inShort)" } ?? ""
        let end = failed.state == .failed ? "failed" : failed.isEmpty ? "brought no records" : "is partial"
        actions.append(
            PlannedAction(
                kind: .retry(of: run, asNewRun: failed.state == .partial), window: window, rerun: rerun,
                attempt: attempts.next,
                reason: "\(whose) \(run) \(end)\(failure); retry \(ordinal) of \(retries.times)",
                refusal: attempts.refusal, place: desired.place, timeZone: desired.timeZone,
                isOfSeries: desired.isOfSeries))
    }

    /// Holds the window of a doubtful run, or another one that waits for it.
    mutating func hold(_ doubt: RecordedRun, _ other: Window? = nil, of desired: DesiredWindow) {
        guard let window = other ?? doubt.window else { return }
        let time = doubt.recordedAt
        let isReplaced = doubt.flow != flow
        let reason =
            doubt.state == .intended
            ? "claimed at \(time), and perhaps sent" : "asked for at \(time), and the answer is unknown"
        held.append(
            HeldWindow(
                window: window, cause: isReplaced ? .replaced : .doubt,
                reason: isReplaced ? "on the flow that it replaces, \(doubt.flow): \(reason)" : reason,
                place: desired.place, timeZone: desired.timeZone))
    }

    /// The end of the pass.
    ///
    /// - Parameter ranges: the declared reruns that name a range, in the order declared.
    consuming func plan(
        of declaration: FlowDeclaration, _ ranges: [Rerun], record: FlowRecord, _ replaced: [ReplacedFlow]
    ) -> FlowPlan {
        let isVerified = record.contactedAt != nil && replaced.allSatisfy { $0.record.contactedAt != nil }
        // Before batches are joined: what has to wait is not asked for together with what has not.
        holdWaiting()
        joinBatches()
        resolveRerunsWithoutRun(isVerified: isVerified)
        resolve(ranges, isVerified: isVerified)
        holdWaiting()
        // Mostly they are in order already.
        let isBefore = declaration.order.isSentBefore
        if actions.indices.dropFirst().contains(where: { isBefore(actions[$0], actions[$0 - 1]) }) {
            actions.sort(by: isBefore)
        }
        applyDeltaColumnRule(declaration, record)
        diagnoseAcknowledgements(declaration, isVerified: isVerified)
        for diagnostic in seriesOverlaps.diagnostics { diagnostics.add(diagnostic.code) { diagnostic } }
        holdIfNeeded()
        held.sort { $0.window == $1.window ? $0.place < $1.place : $0.window < $1.window }
        return FlowPlan(
            id: declaration.id, name: declaration.name, manifest: declaration.manifest, owner: declaration.owner,
            source: declaration.source, rules: FlowRules(declaration), place: declaration.place,
            revision: record.revision.number, isVerified: isVerified, actions: actions, held: held,
            recordedCount: recordedCount, failedCount: failedCount, replacedCount: replacedCount,
            undeclared: undeclared,
            diagnostics: diagnostics.all(flowPlace: declaration.place))
    }

    private mutating func joinBatches() {
        guard let batch else { return }
        var batching = Batching(batch, series)
        let created = actions.filter { $0.kind == .create }.sorted { $0.window < $1.window }
        actions =
            actions.filter { $0.kind != .create }
            + batching.joined(created, where: { !rerunWindows.contains($0.window) }, by: join)
    }

    private func join(_ parts: ArraySlice<PlannedAction>, into window: Window) -> PlannedAction {
        let attempts = attempts[window] ?? Attempts()
        let refusal = attempts.refusal ?? parts.lazy.compactMap(\.refusal).first
        let count = "\(parts.count) windows in one run"
        return PlannedAction(
            kind: .create, window: window, attempt: attempts.next,
            reason: refusal.map { "\(count); refused before: \($0.inShort)" } ?? "\(PlannedAction.neverRun): \(count)",
            refusal: refusal, place: parts[parts.startIndex].place, timeZone: parts[parts.startIndex].timeZone,
            members: [WindowProgression](folding: parts.lazy.map(\.window)), isOfSeries: true)
    }

    private mutating func resolveRerunsWithoutRun(isVerified: Bool) {
        guard !rerunsWithoutRun.isEmpty else { return }
        let created = Dictionary(
            (actions + waiting).lazy.filter { $0.kind == .create }.map { ($0.window, $0.isOfSeries) }
        ) { first, _ in first }
        for pending in rerunsWithoutRun {
            if let isOfSeries = created[pending.rerun.window] {
                rerun(pending.rerun, attempts: pending.attempts, isOfSeries: isOfSeries)
            } else {
                let touched = pending.touched ?? created.keys.filter(pending.rerun.window.overlaps).min()
                refuse(pending.rerun, touching: touched, isVerified: isVerified)
            }
        }
    }

    /// What this plan asks for and a range touches runs once more, too: so it does not matter when somebody looks.
    private mutating func resolve(_ ranges: [Rerun], isVerified: Bool) {
        guard !ranges.isEmpty else { return }
        let created = (actions + waiting).filter { $0.kind == .create }
        for range in ranges {
            for action in created where range.touches(action.window) {
                noteUsed(range)
                rerun(
                    range.applied(to: action.window),
                    attempts: rerunAttempts[action.window]?[range.id] ?? Attempts(), isOfSeries: action.isOfSeries)
            }
            if !usedRanges.contains(range.id) { refuse(range, touching: nil, isVerified: isVerified) }
        }
    }

    /// - Parameter touched: a window that the rerun names a piece of.
    private mutating func refuse(_ rerun: Rerun, touching touched: Window?, isVerified: Bool) {
        if isVerified {
            diagnostics.add(.rerunOfNothing) { .neverRun(rerun, touching: touched) }
        } else {
            let reason = "rerun \(rerun.id): no run of it is known, and the service was not asked yet"
            held.append(HeldWindow(window: rerun.window, reason: reason, place: rerun.place))
        }
    }

    private mutating func applyDeltaColumnRule(_ declaration: FlowDeclaration, _ record: FlowRecord) {
        let rule = DeltaColumnRule(source: declaration.source, declared: declaration.deltaColumn)
        let outcome = rule.outcome(of: summary.past(of: record))
        let asksForRuns = !actions.isEmpty || !waiting.isEmpty
        if let broken = rule.diagnostic(for: outcome, flowPlace: declaration.place, asksForRuns: asksForRuns) {
            diagnostics.add(broken.code) { broken }
        }
        if case .firstRequestCarries(let column) = outcome, let first = actions.first {
            actions[0] = first.opening(with: column)
        }
    }

    private mutating func diagnoseAcknowledgements(_ declaration: FlowDeclaration, isVerified: Bool) {
        if !unacknowledged.isEmpty {
            diagnostics.add(.runOfUnknownWindow) { .unknownWindow(of: unacknowledged, at: declaration.place) }
        }
        guard isVerified else { return }
        for acknowledgement in declaration.acknowledged where unseenAcknowledged.contains(acknowledgement.run) {
            diagnostics.add(.acknowledgedRunUnknown) { .unknown(acknowledgement) }
        }
    }

    /// Takes out what waits for another flow. A paused flow is paused, whatever it comes after.
    private mutating func holdWaiting() {
        guard !predecessors.isEmpty, pause == nil else { return }
        var others: [PlannedAction] = []
        for action in actions {
            if let obstacle = predecessors.lazy.compactMap({ $0.obstacle(to: action.window) }).first {
                waiting.append(action)
                held.append(HeldWindow(action, .waiting, because: obstacle))
            } else {
                others.append(action)
            }
        }
        actions = others
    }

    private mutating func holdIfNeeded() {
        let reason: String
        var cause = HeldWindow.Cause.doubt
        if let doubt = summary.firstDoubt {
            let window = doubt.window.map(\.inWords) ?? "an unknown window"
            reason = "waits until it is known whether the service took \(window)"
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

/// A declared rerun of a window that no recorded run covers.
private struct RerunWithoutRun {
    let rerun: Rerun
    let attempts: Attempts
    /// A recorded window that it names a piece of.
    var touched: Window?
}

extension Rerun {
    /// What a range means for one of the windows that it touches.
    func applied(to window: Window) -> Rerun {
        Rerun(window: window, isRange: isRange, id: id, reason: reason, place: place)
    }
}

extension PlannedAction {
    fileprivate static let neverRun = "never run"

    /// The flow's first request.
    fileprivate func opening(with column: DeltaColumn) -> PlannedAction {
        let carries = "first run of the flow: carries the delta column \(column.name)"
        return PlannedAction(
            kind: kind, window: window, rerun: rerun, attempt: attempt, deltaColumn: column,
            reason: reason == Self.neverRun ? carries : "\(carries); \(reason)", refusal: refusal, place: place,
            timeZone: timeZone, members: members, isOfSeries: isOfSeries)
    }
}

extension Pause {
    /// `paused until 2026-04-10T00:00:00Z: source is migrated`
    fileprivate var inWords: String { "paused\(until.map { " until \($0)" } ?? ""): \(reason.inShort)" }
}

extension String {
    /// The first line without a full stop, at most 160 characters of it: more words follow.
    fileprivate var inShort: String {
        var line = prefix { !$0.isNewline }
        while line.last == "." || line.last == " " { line.removeLast() }
        return line.count > 160 ? line.prefix(159) + "…" : String(line)
    }
}
