import FlowRuns
import Manifests
import Planner

/// What is known of a stretch of a flow's time. In this order: where several share a place, the worst is shown.
enum CoverageState: Int, CaseIterable, Comparable {
    case succeeded, running, partial, planned, postponed, gap, held, tooFewRecords, failed

    static func < (left: CoverageState, right: CoverageState) -> Bool { left.rawValue < right.rawValue }

    /// The class of its marks in the page.
    var name: String { "\(self)" }

    var inWords: String {
        switch self {
        case .succeeded: "succeeded"
        case .running: "running at the last refresh"
        case .partial: "partly succeeded"
        case .planned: "to request"
        case .postponed: "postponed"
        case .gap: "gap: not declared"
        case .held: "in doubt or held"
        case .tooFewRecords: "too few records"
        case .failed: "failed"
        }
    }
}

/// The time that one flow has covered: every window with what became of it, and the gaps between them.
package struct FlowCoverage: Hashable, Sendable {
    struct Stretch: Hashable, Sendable {
        let start: Timestamp
        var end: Timestamp
        let state: CoverageState
        /// Of how many windows.
        var count = 1
        /// Why it failed, or what it waits for.
        var why: String?
        /// The run that decides its state.
        var run: RunID?
    }

    package let id: FlowID
    /// The name, or the id where there is none.
    package let title: String
    package let place: Place
    package let isVerified: Bool
    /// When the flow was last compared with the service; `nil` when it never was.
    let refreshedAt: Timestamp?
    /// Windows, by start, then gaps, by start.
    let stretches: [Stretch]
    let counts: [CoverageState: Int]
    /// Of all gaps together.
    let gapLength: Duration
    /// Windows that were ingested more often than declared.
    let repeated: [RepeatedWindow]

    /// - Parameters:
    ///   - plan: of the flow; its requests and held windows are shown too.
    ///   - runs: every recorded run of the flow. Of a window run more than once, the newest run counts.
    ///   - declaration: tells how many records are expected.
    ///   - refreshedAt: when the flow was last compared with the service.
    package init(
        _ plan: FlowPlan, runs: [RecordedRun], repeated: [RepeatedWindow] = [], declaration: FlowDeclaration? = nil,
        refreshedAt: Timestamp? = nil
    ) {
        self.repeated = repeated
        self.refreshedAt = refreshedAt
        id = plan.id
        title = plan.title
        place = plan.place
        isVerified = plan.isVerified

        let newest = runs.newestByWindow
        var states = newest.compactMapValues(CoverageState.init)
        var reasons = newest.compactMapValues { $0.state == .succeeded ? nil : $0.failure }
        for run in declaration?.runsWithTooFewRecords(in: newest.values) ?? [] {
            guard let window = run.window, let records = run.records else { continue }
            states[window] = .tooFewRecords
            reasons[window] = declaration?.expectation?.shortfall(of: records)
        }
        func add(_ window: Window, _ state: CoverageState) { states[window] = max(states[window] ?? state, state) }
        for action in plan.actions { add(action.window, .planned) }
        for held in plan.held {
            add(held.window, held.cause.isPostponed ? .postponed : .held)
            reasons[held.window] = reasons[held.window] ?? held.reason
        }

        let windows = states.keys.sorted()
        var stretches = windows.map {
            Stretch(
                start: $0.start, end: $0.end, state: states[$0] ?? .succeeded, why: reasons[$0], run: newest[$0]?.id)
        }
        var counts = Dictionary(grouping: stretches, by: \.state).mapValues(\.count)
        var gapLength = Duration.zero
        var covered = windows.first?.start ?? .min
        for window in windows {
            if window.start > covered {
                stretches.append(Stretch(start: covered, end: window.start, state: .gap))
                counts[.gap, default: 0] += 1
                gapLength += window.start - covered
            }
            covered = max(covered, window.end)
        }
        self.stretches = stretches
        self.counts = counts
        self.gapLength = gapLength
    }

    /// Of the stretches that are windows, the one that ends last.
    var last: Stretch? { stretches.lazy.filter { $0.state != .gap }.max { ($0.end, $0.start) < ($1.end, $1.start) } }

    /// By time, those that follow each other in one state as one.
    var joinedStretches: [Stretch] {
        stretches.sorted { ($0.start, $0.end) < ($1.start, $1.end) }.reduce(into: []) { joined, next in
            if let last = joined.last, last.state == next.state, last.end == next.start {
                joined[joined.count - 1].end = next.end
                joined[joined.count - 1].count += next.count
            } else {
                joined.append(next)
            }
        }
    }

    /// The names of what it has, for the page's filter.
    var stateNames: [String] {
        CoverageState.allCases.filter { count($0) > 0 }.map(\.name)
            + (repeated.isEmpty ? [] : [AttentionPoint.Kind.repeated.name])
    }

    func count(_ state: CoverageState) -> Int { counts[state] ?? 0 }

    /// `340 succeeded, 1 failed`
    var inWords: String {
        let words = CoverageState.allCases.reversed().compactMap { state in
            counts[state].map { "\(grouped($0)) \(state == .gap ? ($0 == 1 ? "gap" : "gaps") : state.inWords)" }
        }
        return words.isEmpty ? "nothing yet" : words.joined(separator: ", ")
    }
}

extension CoverageState {
    /// `nil` when the service did not take the run.
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
