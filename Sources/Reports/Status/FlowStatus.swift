import FlowRuns
import Manifests
import Planner

/// The state of a flow at one instant: which windows are due, how their runs ended, and which are missing.
package struct FlowStatus: Hashable, Sendable {
    package let id: FlowID
    package let name: String?
    let counts: Tally<StatusFigure>
    /// The reasons for waiting with their window counts, in window order.
    let waits: [Wait]
    /// The expected number of records in each run; `nil` if the manifest declares none.
    let expectation: Expectation?
    /// A limited number of runs with problems, of the latest windows.
    ///
    /// Failed runs come first, then runs with too few records, then partial runs.
    package let problems: [RecordedRun]
    /// The total number of runs with problems.
    let problemCount: Int
    /// The window that ends last among the accepted runs that have not failed, including runs of replaced flows.
    package let lastWindow: Window?
    /// The number of due windows that were never requested.
    package let missing: Int
    /// The total length of the missing windows.
    package let missingTime: Duration
    /// The time of the last comparison with the service, by this machine's clock; `nil` if there was none.
    package let refreshedAt: Timestamp?
    /// Windows that were ingested more often than declared, then times that different windows share.
    package let repeated: [RepeatedWindow]
    package let isVerified: Bool
    /// The window of the first of these runs that nothing but a declared rerun brings in again.
    let windowToRerun: Window?
    /// Whether the flow declares reruns, so that another one is added to the list.
    let hasReruns: Bool
    /// A free ID for declaring another rerun of the flow.
    let unusedRerunID: String
    /// The position of the flow's declaration.
    let place: Place

    static let maxProblems = 20

    /// A reason why windows wait for another flow.
    struct Wait: Hashable, Sendable {
        /// The reason in words, such as `waits for orders, whose run has not ended`.
        let reason: String
        fileprivate(set) var windows: Int
    }

    /// Computes the state of a flow.
    ///
    /// - Parameters:
    ///   - declaration: The declaration of the flow.
    ///   - plan: The plan of the flow, made at `asOf` from the same runs.
    ///   - runs: The recorded runs of the flow.
    ///   - replacedRuns: The runs of the flows that the flow replaces.
    ///   - refreshedAt: The time of the last comparison with the service; `nil` if there was none.
    ///   - asOf: The instant of the state.
    package init(
        _ declaration: FlowDeclaration, plan: FlowPlan, runs: [RecordedRun], replacedRuns: [RecordedRun] = [],
        refreshedAt: Timestamp?, asOf: Timestamp
    ) {
        id = declaration.id
        name = declaration.name
        let declared = declaration.windows.count + declaration.rerunCount(among: runs + replacedRuns, plan)
        var counts = Tally<StatusFigure>()
        counts[.due] = declaration.series.reduce(declared) { due, series in
            series.windows(dueAt: asOf).reduce(due) { $0 + $1.count }
        }
        counts[.recorded] = plan.recordedCount
        counts[.pending] = plan.actions.count
        waits = plan.held.lazy.filter { $0.cause == .waiting }.reduce(into: []) { waits, held in
            if let index = waits.firstIndex(where: { $0.reason == held.reason }) {
                waits[index].windows += 1
            } else {
                waits.append(Wait(reason: held.reason, windows: 1))
            }
        }
        counts[.waiting] = waits.reduce(0) { $0 + $1.windows }
        counts[.postponed] = plan.held.count(where: \.cause.isPostponed) - counts[.waiting]
        counts[.held] = plan.held.count - counts.sum(.postponed, .waiting)
        isVerified = plan.isVerified
        counts[.errors] = plan.diagnostics.count { $0.severity == .error }
        place = declaration.place
        let reruns = Set(declaration.reruns.map(\.id) + runs.compactMap(\.identity.rerun))
        unusedRerunID = (1...).lazy.map { "again-\($0)" }.first { !reruns.contains($0) } ?? ""
        self.refreshedAt = refreshedAt
        let neverRun = plan.actions.filter { $0.kind == .create }
        missing = neverRun.reduce(plan.held.count) { $0 + $1.windowCount }
        missingTime = (neverRun.map(\.window) + plan.held.map(\.window)).reduce(.zero) { $0 + $1.length }

        let latest = declaration.counted(runs).latestAttempts
        for run in latest { if let figure = StatusFigure(run.state) { counts[figure] += 1 } }
        let tooFew = Set(declaration.runsWithTooFewRecords(in: latest))
        counts[.tooFewRecords] = tooFew.count
        self.counts = counts
        expectation = declaration.expectation
        let all =
            latest.filter { $0.state == .failed }.latestFirst + Array(tooFew).latestFirst
            + latest.filter { $0.state == .partial && !tooFew.contains($0) }.latestFirst
        problems = Array(all.prefix(Self.maxProblems))
        problemCount = all.count
        hasReruns = !declaration.reruns.isEmpty
        windowToRerun =
            problems.lazy.filter { $0.state == .failed || tooFew.contains($0) }.first {
                plan.needsRerun(of: $0, runs: runs)
            }?.window
        repeated = declaration.repeatedWindows(in: runs) + plan.repeatedTimes
        lastWindow = [runs, replacedRuns].lazy.joined().filter { $0.state.isAccepted && $0.state != .failed }
            .compactMap(\.window).max { ($0.end, $0.start) < ($1.end, $1.start) }
    }
}

extension FlowPlan {
    /// Whether only a declared rerun brings the data of a run in again: the run is declared, neither requested nor held by
    /// this plan, and no other run covers its window. Otherwise a rerun would ingest the window twice.
    fileprivate func needsRerun(of run: RecordedRun, runs: [RecordedRun]) -> Bool {
        guard let window = run.window, !undeclared.contains(run) else { return false }
        return !actions.contains { $0.window.overlaps(window) } && !held.contains { $0.window.overlaps(window) }
            && !runs.contains { other in
                other.identity != run.identity && !other.state.isVoid && other.state != .failed
                    && other.window?.overlaps(window) ?? false
            }
    }
}

extension FlowDeclaration {
    /// Returns the number of declared reruns; a range counts once for each window that was run or will be requested.
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
    /// The latest attempt of each window and rerun.
    ///
    /// A failed attempt counts only if all attempts failed: a window that once succeeded is covered, even if a later
    /// run failed. Every run of an unknown window counts.
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

    /// The runs sorted by window, latest first; runs of unknown windows come last.
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
