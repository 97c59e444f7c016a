import FlowRuns
import Manifests

/// The recorded runs of one window and their roles: the window's own run, or one of its reruns.
///
/// Runs from outside this ledger (found on the service) get a role before anything is requested, because their purpose
/// is unknown. Among those that have not failed, the oldest is the window's own run; the next are its declared reruns
/// that are not recorded, in the order declared. A failed run uses up one of the window's 1 + `retryFailed` attempts,
/// and so does a run whose state is retried. Runs of replaced flows are included.
struct WindowHistory {
    /// All runs of the window, in the order of the ledger.
    let runs: [RecordedRun]
    /// The attempts at the window's own run.
    private(set) var own = Attempts()
    /// The attempts at each rerun, by its ID.
    private(set) var reruns: [String: Attempts] = [:]
    /// Runs from outside this ledger that have no declared role: the window was ingested too often.
    private(set) var surplus: [RecordedRun] = []
    /// Runs from outside this ledger that have not failed and count as a rerun, by the ID of that rerun.
    private(set) var foreignRunsAsReruns: [String: RecordedRun] = [:]
    /// The reruns as which runs from outside this ledger count, including failed runs.
    private(set) var rerunsOfUnrecorded: [RunIdentity: String] = [:]

    /// The runs from outside this ledger.
    private let unrecorded: [RecordedRun]
    /// Runs of replaced flows that were accepted, or possibly accepted, and have not failed.
    private let replaced: [RecordedRun]
    /// Whether an acknowledged run covers the window. Such a run takes no declared run's place, but it always counts.
    private let isCoveredByAcknowledged: Bool
    /// The roles of replaced flows' runs from outside this ledger: a rerun ID, or `nil` for the window's own run.
    private var rolesOfReplaced: Set<String?> = []

    /// Assigns each run its role.
    ///
    /// - Parameters:
    ///   - runs: the window's runs, in the order of the ledger.
    ///   - replacedRuns: the runs of replaced flows.
    ///   - declared: the IDs of the window's reruns, in the order declared.
    ///   - retries: the retry policy of the flow.
    ///   - acknowledged: runs that the manifest acknowledges without a window. They cover the window, but get no role.
    init(
        _ runs: [RecordedRun], replaced replacedRuns: [RecordedRun] = [], reruns declared: [String], _ retries: Retries,
        acknowledged: Set<RunID>
    ) {
        self.runs = runs
        unrecorded = runs.filter { $0.origin == .service }
        replaced = replacedRuns.filter(\.coversWindow)
        isCoveredByAcknowledged = unrecorded.contains { $0.coversWindow && $0.isForeign(acknowledged) }
        // 1. Requests of this ledger have the roles under which they were claimed. All rows of the window are numbered
        //    together.
        for run in runs {
            switch (run.origin, run.identity.rerun) {
            case (.request, let rerun): self[rerun].add(run)
            case (.service, _): own.reserve(run.identity.attempt)
            }
        }
        let roles = [nil] + declared.map(Optional.some)
        if !unrecorded.isEmpty || !replaced.isEmpty { assign(roles, retries, acknowledged) }
        // 5. A rerun that is declared later takes the place of a retry that the service refuses.
        for rerun in roles.dropLast() where self[rerun].isRetryRefused { self[rerun].isSuperseded = true }
    }

    /// Assigns roles to the runs from outside this ledger, role by role in the order declared.
    private mutating func assign(_ roles: [String?], _ retries: Retries, _ acknowledged: Set<RunID>) {
        let counting = unrecorded.filter { !$0.isForeign(acknowledged) }.sorted(by: Self.isOlder)
        let failedOrRetried = counting.filter { $0.state == .failed || retries.includes($0) }
        let others = replaced.filter { $0.origin == .service && !$0.isForeign(acknowledged) }
        var living = (counting.filter { !failedOrRetried.contains($0) } + others).sorted(by: Self.isOlder)[...]
        var failed = failedOrRetried[...]
        for rerun in roles {
            // 2. A run that did not fail satisfies the role.
            if self[rerun].acceptsFailedRun(retries) { assignOldest(of: &living, to: rerun, ofReplaced: others) }
            if rolesOfReplaced.contains(rerun) { continue }
            // 3. Otherwise failed runs use up its attempts, so that the window is not retried more often than declared.
            var attempts = self[rerun]
            while attempts.acceptsFailedRun(retries), let run = failed.popFirst() {
                attempts.add(run, isNumbered: rerun == nil)
                rerunsOfUnrecorded[run.identity] = rerun
            }
            self[rerun] = attempts
        }
        // 4. A run that did not fail counts even after the last attempt, unless a declared rerun needs it. What is left is
        //    surplus.
        for rerun in roles where self[rerun].needsRun(retries) {
            assignOldest(of: &living, to: rerun, ofReplaced: others)
        }
        surplus = living.filter { !others.contains($0) }
    }

    /// Assigns the oldest run to a rerun or, for `nil`, to the window's own run.
    private mutating func assignOldest(
        of living: inout ArraySlice<RecordedRun>, to rerun: String?, ofReplaced others: [RecordedRun]
    ) {
        let isRoleAssigned =
            rolesOfReplaced.contains(rerun)
            || replaced.contains { $0.origin == .request && $0.identity.rerun == rerun }
        guard !isRoleAssigned, let run = living.popFirst() else { return }
        if others.contains(run) {
            rolesOfReplaced.insert(rerun)
            return
        }
        self[rerun].add(run, isNumbered: rerun == nil)
        rerunsOfUnrecorded[run.identity] = rerun
        if let rerun { foreignRunsAsReruns[rerun] = run }
    }

    private static func isOlder(_ left: RecordedRun, _ right: RecordedRun) -> Bool {
        left.recordedAt == right.recordedAt
            ? left.identity.attempt < right.identity.attempt : left.recordedAt < right.recordedAt
    }

    /// The attempts at a rerun or, for `nil`, at the window's own run.
    private subscript(rerun: String?) -> Attempts {
        get { rerun.map { reruns[$0] ?? Attempts() } ?? own }
        set { if let rerun { reruns[rerun] = newValue } else { own = newValue } }
    }

    /// A run that covers the window, of the flow or of one that it replaces. A request in doubt comes last.
    var covering: RecordedRun? {
        runs.first { $0.coversWindow && !$0.state.isDoubtful } ?? replaced.first { !$0.state.isDoubtful }
            ?? runs.first(where: \.coversWindow) ?? replaced.first
    }

    /// A run that ingested the window, or is ingesting it, and that satisfies the predicate.
    func ingesting(where predicate: (RecordedRun) -> Bool) -> RecordedRun? {
        func ingests(_ run: RecordedRun) -> Bool {
            run.coversWindow && !run.state.isDoubtful && predicate(run)
        }
        return runs.first(where: ingests) ?? replaced.first(where: ingests)
    }

    /// Whether the service accepted, or may have accepted, a run of the window. The run may have failed.
    var wasRun: Bool { runs.contains { !$0.state.isVoid } || !replaced.isEmpty }

    /// Returns the verdict on the window's own run. An accepted rerun covers the window too.
    func verdict(_ retries: Retries) -> Attempts.Verdict {
        let verdict = own.verdict(retries)
        switch verdict {
        case .missing where runs.contains { $0.origin == .request && $0.identity.rerun != nil && $0.coversWindow }:
            return .recorded
        case .missing where unrecorded.contains(where: \.coversWindow): return .recorded
        case .retry where isCoveredByAcknowledged, .failed where isCoveredByAcknowledged: return .recorded
        case .retry where reruns.values.contains(where: { $0.isSatisfied(retries) }),
            .failed where reruns.values.contains(where: { $0.isSatisfied(retries) }):
            return .recorded
        case .missing, .retry, .failed:
            return verdictOfReplaced(as: nil) ?? replaced.first.map { run in
                // A rerun also covers the window.
                replaced.contains { !$0.state.isDoubtful } ? .replaced : .doubtful(run)
            } ?? verdict
        case .recorded, .replaced, .doubtful: return verdict
        }
    }

    /// Returns the verdict on a rerun.
    func verdict(of rerun: String, _ attempts: Attempts, _ retries: Retries) -> Attempts.Verdict {
        let verdict = attempts.verdict(retries)
        switch verdict {
        case .missing, .retry, .failed:
            return verdictOfReplaced(as: rerun) ?? verdict
        case .recorded, .replaced, .doubtful: return verdict
        }
    }

    /// Returns the verdict from the replaced flows' runs in the role of `rerun`; `nil` if there are none.
    private func verdictOfReplaced(as rerun: String?) -> Attempts.Verdict? {
        if rolesOfReplaced.contains(rerun) { return .replaced }
        let requests = replaced.filter { $0.origin == .request && $0.identity.rerun == rerun }
        guard let doubt = requests.first else { return nil }
        return requests.contains { !$0.state.isDoubtful } ? .replaced : .doubtful(doubt)
    }
}

/// The attempts at one run: a window's own, or one of its reruns.
struct Attempts {
    /// The action that a run needs.
    enum Verdict {
        /// The run was never accepted and must be requested.
        case missing
        /// The latest run failed, or ended in another state that is retried, and a retry is left.
        case retry(of: RunID, failed: RecordedRun, ordinal: Int)
        case recorded
        /// A replaced flow has recorded the run.
        case replaced
        /// The latest run failed, and no retry is left.
        case failed
        case doubtful(RecordedRun)
    }

    private var lastAttempt = 0
    private var latest: RecordedRun?
    /// The latest run that failed, ended partially, or had no records.
    private var latestIncomplete: RecordedRun?
    /// The attempts that failed, ended partially, or had no records.
    private var ended = Tally<Retries.State>()
    private var doubt: RecordedRun?
    /// Whether no retry is requested any more, because a declared rerun takes its place.
    var isSuperseded = false
    /// Whether an attempt is running, or succeeded with records.
    private var isRunningOrComplete = false

    /// - Parameter isNumbered: whether the run's number is one of these attempts'. A run from outside this ledger is
    ///   numbered among the window's own attempts, even if it counts as a rerun.
    mutating func add(_ run: RecordedRun, isNumbered: Bool = true) {
        if isNumbered { reserve(run.identity.attempt) }
        if run.identity.attempt >= latest?.identity.attempt ?? 0 { latest = run }
        switch run.state {
        case .intended, .inDoubt: doubt = run
        // The service has run the failed run again under its old id: that uses up an attempt.
        case .rejected where run.isAnsweredWithKnownRun: ended[.failed] += 1
        case .rejected, .released: break
        case .accepted, .succeeded, .partial, .failed:
            guard let end = run.incompleteEnd else { return isRunningOrComplete = true }
            ended[end] += 1
            if run.identity.attempt >= latestIncomplete?.identity.attempt ?? 0 { latestIncomplete = run }
        }
    }

    /// Reserves the attempt number of another row of the window.
    mutating func reserve(_ attempt: Int) { lastAttempt = max(lastAttempt, attempt) }

    /// The number of the next attempt, starting at 1.
    var next: Int { lastAttempt + 1 }

    /// The service's answer if it refused the latest attempt.
    var refusal: String? { latest?.state == .rejected ? latest?.failure ?? "no reason given" : nil }

    /// Whether the service refused to retry the latest run that ended.
    var isRetryRefused: Bool {
        latestIncomplete != nil && latest.map { $0.state == .rejected && !$0.isAnsweredWithKnownRun } ?? false
    }

    /// Whether the latest attempt was sent and proved absent from the service.
    var wasReleased: Bool { latest?.state == .released }

    /// Whether an attempt is running, or ended without failure in a state that is not retried.
    func isSatisfied(_ retries: Retries) -> Bool {
        isRunningOrComplete || [.partial, .empty].contains { ended[$0] > 0 && !retries.states.contains($0) }
    }

    /// Whether no attempt is in doubt, running, or ended in a state that is not retried.
    func needsRun(_ retries: Retries) -> Bool { doubt == nil && !isSatisfied(retries) }

    /// Whether a failed run from outside this ledger can count as one of these attempts.
    func acceptsFailedRun(_ retries: Retries) -> Bool { needsRun(retries) && ended.total <= retries.times }

    func verdict(_ retries: Retries) -> Verdict {
        if let doubt { return .doubtful(doubt) }
        if isSatisfied(retries) { return .recorded }
        guard let latestIncomplete else { return .missing }
        guard !isSuperseded, retries.includes(latestIncomplete), ended.total <= retries.times,
            let run = latestIncomplete.id
        else {
            return ended.total > ended[.failed] ? .recorded : .failed
        }
        return .retry(of: run, failed: latestIncomplete, ordinal: ended.total)
    }
}

extension RecordedRun {
    /// Whether the service took the run, or may have taken it, and has not reported it as failed. A failed run covers
    /// nothing.
    package var coversWindow: Bool { !state.isVoid && state != .failed }

    /// Whether the manifest acknowledges the run without a window. Such a run gets no declared run's place. A request
    /// whose window the ledger contains is never foreign.
    package func isForeign(_ acknowledged: Set<RunID>) -> Bool {
        (origin == .service || window == nil) && id.map(acknowledged.contains) ?? false
    }
}

extension FlowDeclaration {
    /// Returns the recorded runs, each under the rerun for which a plan counts it. Runs from outside this ledger, as
    /// after a ledger was lost, may be declared reruns.
    ///
    /// - Parameter runs: all runs of the flow, sorted by window.
    package func counted(_ runs: [RecordedRun]) -> [RecordedRun] {
        guard !reruns.isEmpty, runs.contains(where: { $0.origin == .service }) else { return runs }
        let acknowledged = acknowledged.foreignRunIDs
        let reruns = reruns.sorted { $0.place < $1.place }
        var counted: [RecordedRun] = []
        var rest = runs[...]
        while let first = rest.first {
            let group = rest.prefix { $0.window == first.window }
            rest = rest.dropFirst(group.count)
            guard let window = first.window else {
                counted += group
                continue
            }
            let history = WindowHistory(
                Array(group), reruns: reruns.filter { $0.touches(window) }.map(\.id), retries,
                acknowledged: acknowledged)
            counted += group.map { run in
                guard let rerun = history.rerunsOfUnrecorded[run.identity] else { return run }
                return run.identified(
                    as: RunIdentity(flow: run.flow, window: run.window, rerun: rerun, attempt: run.identity.attempt))
            }
        }
        return counted
    }
}
