import FlowRuns
import Manifests
import Planner

/// The states of an interval of a flow's time, in ascending severity: the most severe of several is shown.
enum CoverageState: Int, CaseIterable, Comparable {
    case succeeded, running, partial, planned, paused, gap, held, tooFewRecords, failed

    static func < (left: CoverageState, right: CoverageState) -> Bool { left.rawValue < right.rawValue }

    /// The CSS class of the state's marks on the page.
    var name: String { "\(self)" }

    var inWords: String {
        switch self {
        case .succeeded: "succeeded"
        case .running: "running at the last refresh"
        case .partial: "partly succeeded"
        case .planned: "to request"
        case .paused: "paused, waiting or over a limit"
        case .gap: "gap: not declared"
        case .held: "in doubt or held"
        case .tooFewRecords: "too few records"
        case .failed: "failed"
        }
    }
}

/// The time that a flow has covered: all windows with their states, and the gaps between them.
package struct FlowCoverage: Hashable, Sendable {
    struct Stretch: Hashable, Sendable {
        let start: Timestamp
        var end: Timestamp
        let state: CoverageState
        /// The number of windows in the interval.
        var count = 1
        /// The reason for a failure, or for holding the window.
        var why: String?
        /// The run that determines the state.
        var run: RunID?
        /// The line that declares the window; of several windows, the first one's. `nil` if no manifest declares it.
        var line: Int?
    }

    package let id: FlowID
    /// The name, or the ID if the flow has no name.
    package let title: String
    package let place: Place
    /// The name of the manifest.
    let manifest: String
    let owner: String?
    package let isVerified: Bool
    /// The time of the last comparison with the service; `nil` if there was none.
    let refreshedAt: Timestamp?
    /// The windows sorted by start, then the gaps sorted by start.
    let stretches: [Stretch]
    let counts: Tally<CoverageState>
    /// The total length of the gaps.
    let gapLength: Duration
    /// Windows that were ingested more often than declared, then times that different windows share.
    let repeated: [RepeatedWindow]
    /// All runs of each window, oldest first.
    let runs: [Window: [RecordedRun]]
    /// The time zone of the flow's series; `nil` if it is UTC.
    let timeZone: String?

    /// Computes the coverage of a flow.
    ///
    /// - Parameters:
    ///   - plan: The plan of the flow; its requests and held windows are included.
    ///   - runs: All recorded runs of the flow. If a window has several runs, the newest one counts.
    ///   - repeated: The windows that were ingested more often than declared.
    ///   - declaration: The declaration of the flow, which contains the expected number of records.
    ///   - refreshedAt: The time of the last comparison with the service; `nil` if there was none.
    package init(
        _ plan: FlowPlan, runs: [RecordedRun], repeated: [RepeatedWindow] = [], declaration: FlowDeclaration? = nil,
        refreshedAt: Timestamp? = nil
    ) {
        self.repeated = repeated + plan.repeatedTimes
        self.refreshedAt = refreshedAt
        id = plan.id
        title = plan.title
        place = plan.place
        manifest = plan.manifest
        owner = plan.owner
        isVerified = plan.isVerified

        timeZone = declaration?.series.lazy.map(\.timeZone).first { $0 != "UTC" }
        var runsOf: [Window: [RecordedRun]] = [:]
        for run in runs { if let window = run.window { runsOf[window, default: []].append(run) } }
        self.runs = runsOf.mapValues { $0.sorted { $0.recordedAt < $1.recordedAt } }
        let newest = runs.newestByWindow
        var states = newest.compactMapValues(CoverageState.init)
        var reasons = newest.compactMapValues { $0.state == .succeeded ? nil : $0.failure }
        for run in declaration?.runsWithTooFewRecords(in: newest.values) ?? [] {
            guard let window = run.window, let records = run.records else { continue }
            states[window] = .tooFewRecords
            reasons[window] = declaration?.expectation?.shortfall(of: records)
        }
        func add(_ window: Window, as state: CoverageState) { states[window] = max(states[window] ?? state, state) }
        for action in plan.actions { add(action.window, as: .planned) }
        for held in plan.held {
            add(held.window, as: held.cause.isPostponed ? .paused : .held)
            reasons[held.window] = reasons[held.window] ?? held.reason
        }

        let windows = states.keys.sorted()
        let places = declaration?.places(of: Set(windows), undeclared: plan.undeclared) ?? [:]
        var stretches = windows.map {
            Stretch(
                start: $0.start, end: $0.end, state: states[$0] ?? .succeeded, why: reasons[$0], run: newest[$0]?.id,
                line: places[$0]?.first?.place.line)
        }
        var counts = Tally<CoverageState>()
        for stretch in stretches { counts[stretch.state] += 1 }
        var gapLength = Duration.zero
        var covered = windows.first?.start ?? .min
        for window in windows {
            if window.start > covered {
                stretches.append(Stretch(start: covered, end: window.start, state: .gap))
                counts[.gap] += 1
                gapLength += window.start - covered
            }
            covered = max(covered, window.end)
        }
        self.stretches = stretches
        self.counts = counts
        self.gapLength = gapLength
    }

    /// The window that ends last; `nil` if there is no window.
    var last: Stretch? { stretches.lazy.filter { $0.state != .gap }.max { ($0.end, $0.start) < ($1.end, $1.start) } }

    /// The intervals sorted by time, with adjacent intervals of one state and length merged.
    var joinedStretches: [Stretch] {
        Array(folding: stretches.sorted { ($0.start, $0.end) < ($1.start, $1.end) }) { last, next in
            guard last.state == next.state, last.end == next.start,
                last.end - last.start == (next.end - next.start) * last.count
            else { return false }
            last.end = next.end
            last.count += next.count
            return true
        }
    }

    /// The counts in words, such as `340 succeeded, 1 failed`.
    var inWords: String {
        let words = CoverageState.allCases.reversed().filter { counts[$0] > 0 }.map { state in
            state == .gap ? counted(counts[.gap], "gap") : "\(grouped(counts[state])) \(state.inWords)"
        }
        return words.isEmpty ? "nothing yet" : words.joined(separator: ", ")
    }
}

extension CoverageState {
    /// Returns `nil` if the service did not accept the run.
    fileprivate init?(_ run: RecordedRun) {
        switch run.state {
        case .succeeded: self = .succeeded
        case .accepted: self = .running
        case .partial: self = .partial
        case .failed: self = .failed
        case .intended, .inDoubt: self = .held
        case .rejected, .released: return nil
        }
    }
}

extension [RecordedRun] {
    fileprivate var newestByWindow: [Window: RecordedRun] {
        var newest: [Window: RecordedRun] = [:]
        for run in self where !run.state.isVoid {
            guard let window = run.window else { continue }
            if let known = newest[window],
                (known.recordedAt, known.identity.attempt) > (run.recordedAt, run.identity.attempt)
            {
                continue
            }
            newest[window] = run
        }
        return newest
    }
}
