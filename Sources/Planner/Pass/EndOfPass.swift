import FlowRuns
import Manifests

/// The last step of a pass over a flow's windows: decides whether the flow is held, which requests form batches, and
/// which request carries the delta column.
extension FlowPlanBuilder {
    /// Returns the plan of the flow at the end of the pass.
    ///
    /// - Parameter ranges: the declared reruns of ranges, in the order declared.
    consuming func plan(
        of declaration: FlowDeclaration, _ ranges: [Rerun], record: FlowRecord, _ replaced: [ReplacedFlow]
    ) -> FlowPlan {
        let isVerified = record.contactedAt != nil && replaced.allSatisfy { $0.record.contactedAt != nil }
        // Before batches are joined: windows that wait must not be in a batch with windows that do not.
        holdWaiting()
        joinBatches()
        discardRepeatedUndeclared()
        resolveRerunsWithoutRun(isVerified: isVerified)
        resolve(ranges, isVerified: isVerified)
        holdWaiting()
        actions.sort(by: declaration.order.isSentBefore)
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
            undeclared: undeclared, ingestedTwice: ingestedTwice,
            diagnostics: diagnostics.all(flowPlace: declaration.place))
    }

    private mutating func joinBatches() {
        guard let batch else { return }
        let failed = attempts.filter { _, attempts in
            switch attempts.verdict(retries) {
            case .retry, .failed: true
            case .missing, .recorded, .replaced, .doubtful: false
            }
        }
        var batching = Batching(batch, series, failed: failed.map(\.key))
        let created = actions.filter { $0.kind == .create }.sorted { $0.window < $1.window }
        let rerunWindows = rerunWindows
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
                markUsed(range)
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
            let isPending = !series.isEmpty && rerun.window.end > asOf
            diagnostics.add(.rerunOfNothing) { .neverRun(rerun, touching: touched, isPending: isPending) }
        } else {
            let reason = "rerun \(rerun.id): no run of it is known; the next apply or refresh asks the service"
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
            actions = actions.replacingFirst(by: first.opening(with: column))
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

    /// Holds the requests that wait for another flow. A paused flow counts as paused, not as waiting.
    private mutating func holdWaiting() {
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

    private mutating func holdIfNeeded() {
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
        return PlannedAction(
            kind: kind, window: window, rerun: rerun, attempt: attempt, deltaColumn: column,
            reason: reason == Self.neverRun ? carries : "\(carries); \(reason)", refusal: refusal, place: place,
            timeZone: timeZone, members: members, isOfSeries: isOfSeries)
    }
}

extension Pause {
    /// `paused until 2026-04-10T00:00:00Z: source is migrated`
    package var inWords: String { "paused\(until.map { " until \($0)" } ?? ""): \(reason.inShort)" }
}
