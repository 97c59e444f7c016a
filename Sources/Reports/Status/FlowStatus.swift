import FlowRuns
import Manifests
import Planner

/// Where a flow stands at one instant: what is due, what became of it, and how far behind it is.
package struct FlowStatus: Hashable, Sendable {
    package let id: FlowID
    package let name: String?
    /// Windows and reruns that the manifest declares; of series, those that have ended.
    package let due: Int
    /// Of those, the ones that need nothing.
    package let recorded: Int
    /// Requests that a plan made now would make.
    package let pending: Int
    /// Windows that wait until a run in doubt is settled or acknowledged.
    package let held: Int
    /// Windows that are missing and, as declared, not asked for now: paused, or over a limit.
    package let postponed: Int
    /// Windows that wait until another flow has succeeded.
    package let waiting: Int
    /// What they wait for, and how many of them; in the order of their windows.
    let waits: [Wait]
    /// Of each window and rerun only the latest run counts, so a failure that was retried well is none.
    package let running: Int
    package let succeeded: Int
    package let partial: Int
    package let failed: Int
    /// Of those that ended well, the ones with fewer records than expected.
    package let tooFewRecords: Int
    /// How many records are expected of each run.
    let expectation: Expectation?
    /// Of the failed runs, then of those with too few records, then of the partial ones, those of the latest windows, at
    /// most ``mostProblems``.
    package let problems: [RecordedRun]
    /// How many there are in all.
    let problemCount: Int
    /// Of the windows whose runs the service took and that have not failed, the one that ends last; also of the flows that
    /// it replaces.
    package let lastWindow: Window?
    /// Of the due windows, those that were never requested.
    package let missing: Int
    /// How long they are together.
    package let missingTime: Duration
    /// When the flow was last compared with the service, by this machine's clock; `nil` when it never was.
    package let refreshedAt: Timestamp?
    /// Windows that were ingested more often than declared.
    package let repeated: [RepeatedWindow]
    package let isVerified: Bool
    package let errors: Int
    /// For a rerun to be declared: one that no recorded or declared rerun of the flow has.
    let unusedRerunID: String
    /// Where the flow is declared.
    let place: Place

    static let mostProblems = 20

    /// Why windows wait for another flow.
    struct Wait: Hashable, Sendable {
        /// `waits for orders, whose run has not ended`
        let reason: String
        fileprivate(set) var windows: Int
    }

    /// - Parameters:
    ///   - plan: of the same flow, made at `asOf` from the same runs.
    ///   - replacedRuns: of the flows that it replaces.
    ///   - refreshedAt: when the flow was last compared with the service.
    package init(
        _ declaration: FlowDeclaration, plan: FlowPlan, runs: [RecordedRun], replacedRuns: [RecordedRun] = [],
        refreshedAt: Timestamp?, asOf: Timestamp
    ) {
        id = declaration.id
        name = declaration.name
        let declared = declaration.windows.count + declaration.rerunCount(among: runs + replacedRuns, plan)
        due = declaration.series.reduce(declared) { due, series in
            series.windows(dueAt: asOf).reduce(due) { $0 + $1.count }
        }
        recorded = plan.recordedCount
        pending = plan.actions.count
        waits = plan.held.lazy.filter { $0.cause == .waiting }.reduce(into: []) { waits, held in
            if let index = waits.firstIndex(where: { $0.reason == held.reason }) {
                waits[index].windows += 1
            } else {
                waits.append(Wait(reason: held.reason, windows: 1))
            }
        }
        waiting = waits.reduce(0) { $0 + $1.windows }
        postponed = plan.held.count(where: \.cause.isPostponed) - waiting
        held = plan.held.count - postponed - waiting
        isVerified = plan.isVerified
        errors = plan.diagnostics.count { $0.severity == .error }
        place = declaration.place
        let reruns = Set(declaration.reruns.map(\.id) + runs.compactMap(\.identity.rerun))
        unusedRerunID = (1...).lazy.map { "again-\($0)" }.first { !reruns.contains($0) } ?? ""
        self.refreshedAt = refreshedAt
        let neverRun = plan.actions.filter { $0.kind == .create }
        missing = neverRun.reduce(plan.held.count) { $0 + $1.windowCount }
        missingTime = (neverRun.map(\.window) + plan.held.map(\.window)).reduce(.zero) { $0 + $1.length }

        let latest = declaration.counted(runs).latestAttempts
        running = latest.count { $0.state == .accepted }
        succeeded = latest.count { $0.state == .succeeded }
        partial = latest.count { $0.state == .partial }
        failed = latest.count { $0.state == .failed }
        let tooFew = Set(declaration.runsWithTooFewRecords(in: latest))
        tooFewRecords = tooFew.count
        expectation = declaration.expectation
        let all =
            latest.filter { $0.state == .failed }.latestFirst + Array(tooFew).latestFirst
            + latest.filter { $0.state == .partial && !tooFew.contains($0) }.latestFirst
        problems = Array(all.prefix(Self.mostProblems))
        problemCount = all.count
        repeated = declaration.repeatedWindows(in: runs)
        lastWindow = [runs, replacedRuns].lazy.joined().filter { $0.state.isAccepted && $0.state != .failed }
            .compactMap(\.window).max { ($0.end, $0.start) < ($1.end, $1.start) }
    }
}

extension FlowDeclaration {
    /// How many reruns it asks for: of a range, one for each window that was run or is to be.
    fileprivate func rerunCount(among runs: [RecordedRun], _ plan: FlowPlan) -> Int {
        let ranges = reruns.filter(\.isRange)
        guard !ranges.isEmpty else { return reruns.count }
        let recorded = runs.lazy.filter { !$0.state.isVoid }.compactMap(\.window)
        let windows = Set(recorded).union(plan.actions.lazy.filter { $0.kind == .create }.map(\.window))
        return reruns.count - ranges.count
            + windows.reduce(0) { sum, window in
                sum + ranges.count { $0.touches(window) }
            }
    }
}

extension [RecordedRun] {
    /// Of each window and rerun the latest attempt that has not failed, or else the latest that has: a window that once
    /// succeeded is covered, whoever ran it again. Runs of unknown window each count.
    fileprivate var latestAttempts: [RecordedRun] {
        var latest: [RunKey: RecordedRun] = [:]
        var others: [RecordedRun] = []
        for run in self where !run.state.isVoid {
            guard run.window != nil else {
                others.append(run)
                continue
            }
            if let known = latest[run.identity.key], known.rank > run.rank { continue }
            latest[run.identity.key] = run
        }
        return Array(latest.values) + others
    }

    /// By window, the latest first; those of unknown window last.
    fileprivate var latestFirst: [RecordedRun] {
        sorted { left, right in
            let (leftWindow, rightWindow) = (left.window, right.window)
            guard leftWindow != rightWindow else { return left.identity.rerun ?? "" < right.identity.rerun ?? "" }
            guard let leftWindow, let rightWindow else { return leftWindow != nil }
            return rightWindow < leftWindow
        }
    }
}

extension RecordedRun {
    fileprivate var rank: (Int, Int) { (state == .failed ? 0 : 1, identity.attempt) }
}
