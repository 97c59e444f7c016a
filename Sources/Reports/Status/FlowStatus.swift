import FlowRuns
import Manifests
import Planner

/// The state of a flow at one instant: how much of its due time is there, and why the rest is not.
package struct FlowStatus: Hashable, Sendable {
    package let id: FlowID
    package let name: String?
    let counts: Tally<StatusFigure>
    /// The number of requests that are neither retries nor repeat a refused request.
    let toRequest: Int
    /// The minimum number of records of each run; `nil` if the manifest declares none.
    let minimumRecords: Int64?
    /// The reasons why due time is missing or ingested twice, most severe first.
    package let troubles: [Trouble]
    /// The reruns that bring the data of failed runs and of runs with too few records in again.
    let reruns: [ProposedRerun]
    /// The window that ends last among the accepted runs that have not failed, including runs of replaced flows.
    package let lastWindow: Window?
    /// The number of due windows that were never requested.
    package let missing: Int
    /// The total length of the missing windows.
    package let missingTime: Duration
    /// The length of the due time.
    let dueTime: Duration
    /// The length of the due time that runs have succeeded for.
    let thereTime: Duration
    /// The time from the end of the latest data to the end of the due time; zero if the latest due data is there.
    package let behind: Duration
    /// The end of the latest due data that is there; `nil` if none is.
    let thereUntil: Timestamp?
    /// The time of the last comparison with the service, by this machine's clock; `nil` if there was none.
    package let refreshedAt: Timestamp?
    /// Windows that were ingested more often than declared, then times that different windows share.
    package let repeated: [RepeatedWindow]
    package let isVerified: Bool
    /// The position of the flow's declaration.
    let place: Place

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
        let series = declaration.series.flatMap { $0.windows(dueAt: asOf) }
        var counts = Tally<StatusFigure>()
        counts[.due] =
            declaration.windows.count + declaration.rerunCount(among: runs + replacedRuns, plan)
            + series.reduce(0) { $0 + $1.count }
        counts[.recorded] = plan.recordedCount
        counts[.pending] = plan.actions.count
        toRequest = plan.actions.count { $0.kind.retried == nil && $0.refusal == nil }
        for held in plan.held { counts[StatusFigure(held.cause)] += 1 }
        isVerified = plan.isVerified
        counts[.errors] = plan.diagnostics.count { $0.severity == .error }
        place = declaration.place
        self.refreshedAt = refreshedAt
        let neverRun = plan.actions.filter { $0.kind == .create }
        missing = neverRun.reduce(plan.held.count) { $0 + $1.windowCount }
        missingTime = (neverRun.map(\.window) + plan.held.map(\.window)).reduce(.zero) { $0 + $1.length }

        let search = TroubleSearch(declaration, plan: plan, runs: runs)
        repeated = search.repeated
        var remedies = Remedies(search)
        troubles = search.troubles(&remedies)
        reruns = remedies.reruns
        for run in search.latest { if let figure = StatusFigure(run.state) { counts[figure] += 1 } }
        counts[.failed] = search.unresolvedFailures.count
        counts[.tooFewRecords] = search.tooFew.count
        self.counts = counts
        minimumRecords = declaration.expectation?.minimumRecords

        let due = CoveredIntervals(
            declaration.windows.map(\.window) + series.compactMap { Window(start: $0.start, end: $0.end) })
        let ended = declaration.acknowledged.foreignRunIDs
        // The same runs let flows after this one continue.
        let there = due.intersection(
            CoveredIntervals(
                (runs + replacedRuns).lazy.filter { run in
                    run.state == .succeeded && !search.tooFew.contains(run)
                        || run.state == .accepted && run.id.map(ended.contains) ?? false
                }.compactMap(\.window)))
        dueTime = due.length
        thereTime = there.length
        thereUntil = there.intervals.last?.end
        let latestThere = thereUntil ?? due.intervals.first?.start
        behind = latestThere.flatMap { start in due.intervals.last.map { $0.end - start } } ?? .zero
        lastWindow = [runs, replacedRuns].lazy.joined().filter { $0.state.isAccepted && $0.state != .failed }
            .compactMap(\.window).max { ($0.end, $0.start) < ($1.end, $1.start) }
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
    var latestAttempts: [RecordedRun] {
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
}

extension RecordedRun {
    fileprivate var rank: (Int, Int) { (state == .failed ? 0 : 1, identity.attempt) }
}
