import FlowRuns
import Manifests

/// The status of a target's flows.
package struct StatusReport: Sendable {
    let target: String
    let asOf: Timestamp
    let flows: [FlowStatus]
    let arguments: CommandArguments

    /// Creates a report.
    ///
    /// - Parameters:
    ///   - target: The name of the target.
    ///   - asOf: The instant of the statuses.
    ///   - flows: The state of each flow.
    ///   - arguments: Arguments to repeat in suggested commands.
    package init(
        target: String, asOf: Timestamp, flows: [FlowStatus], arguments: CommandArguments = CommandArguments()
    ) {
        self.target = target
        self.asOf = asOf
        self.flows = flows
        self.arguments = arguments
    }

    /// The number of runs that are running, according to the ledger.
    package var running: Int { sum(.running) }
    /// Whether the latest run of any window has failed.
    package var anyFailed: Bool { sum(.failed) > 0 }
    /// Whether any run has fewer records than expected.
    package var anyTooFewRecords: Bool { sum(.tooFewRecords) > 0 }

    /// The oldest of the flows' last comparisons with the service; `nil` if any flow was never compared.
    var refreshedAt: Timestamp? {
        let times = flows.compactMap(\.refreshedAt)
        return times.count == flows.count ? times.min() : nil
    }

    func sum(_ figure: StatusFigure) -> Int { flows.reduce(0) { $0 + $1.counts[figure] } }
}

extension StatusReport: Report {
    package static let renderings: [Rendering<StatusReport>] = [
        .text { report, style in StatusText(report, style).lines },
        .json { report, json, _ in json.members(of: report) },
        .markdown { report in report.markdown },
        .openMetrics { report in report.metrics },
    ]
}

/// The counts in a status, in display order.
/// The counts of a flow's status. The raw values are the names in JSON and metrics. Runs are counted once per window and
/// rerun, by their latest attempt, so a failure followed by a successful retry does not count.
enum StatusFigure: String, CaseIterable {
    /// Declared windows and reruns; of a series, only the windows that are due.
    case due
    /// Due windows and reruns that need no request.
    case recorded
    /// Requests in a plan made now.
    case pending
    case running, succeeded, partial, failed
    /// Succeeded and partial runs with fewer records than expected.
    case tooFewRecords
    /// Windows held until a run in doubt is settled or acknowledged.
    case held
    /// Missing windows that are postponed as declared: paused, or over a limit.
    case postponed
    /// Windows that wait until another flow has succeeded.
    case waiting
    case errors

    var title: String {
        switch self {
        case .pending: "to request"
        case .tooFewRecords: "too few records"
        default: rawValue
        }
    }

    var tone: TextStyle.Tone {
        switch self {
        case .due, .recorded, .postponed, .waiting: .plain
        case .pending, .running: .active
        case .succeeded: .good
        case .partial, .held: .warning
        case .failed, .tooFewRecords, .errors: .error
        }
    }

    /// Creates the figure of a run's state; `nil` if the run has no answer or was refused.
    init?(_ state: RunState) {
        switch state {
        case .accepted: self = .running
        case .succeeded: self = .succeeded
        case .partial: self = .partial
        case .failed: self = .failed
        case .intended, .rejected, .inDoubt, .released: return nil
        }
    }
}

extension StatusReport {
    var summary: String {
        let words = [StatusFigure.pending, .running, .failed, .tooFewRecords, .partial, .held, .postponed, .waiting]
            .compactMap {
                figure in
                sum(figure) > 0 ? "\(grouped(sum(figure))) \(figure.title)" : nil
            }
        let repeated = flows.reduce(0) { $0 + $1.repeated.count }
        let progress = "\(grouped(sum(.recorded))) of \(counted(sum(.due), "due window")) recorded"
        let warnings = repeated > 0 ? ["\(counted(repeated, "window")) run more than once"] : []
        let errors = sum(.errors) > 0 ? [counted(sum(.errors), "error")] : []
        return "\(counted(flows.count, "flow")): \(([progress] + words + warnings + errors).joined(separator: ", "))."
    }

    /// The counts to show: the first two, and those that are not zero for every flow.
    var shownFigures: [StatusFigure] {
        StatusFigure.allCases.filter { [.due, .recorded].contains($0) || sum($0) > 0 }
    }

    static let problemsShown = 10

    /// The problems to show, most severe first. The latest problem of each flow comes before the second one of any
    /// flow.
    var shownProblems: [(flow: FlowStatus, run: RecordedRun)] {
        let ranked = flows.flatMap { flow in flow.problems.enumerated().map { ($0.offset, flow, $0.element) } }
        let first = ranked.sorted { left, right in
            (left.1.gravity(of: left.2), left.0) < (right.1.gravity(of: right.2), right.0)
        }
        return first.prefix(Self.problemsShown).map { ($0.1, $0.2) }
    }

    /// A hint about the problems that are not shown, such as `12 more: sluice history --state failed --state partial`;
    /// `nil` if all are shown.
    var otherProblems: String? {
        let rest = flows.reduce(0) { $0 + $1.problemCount } - shownProblems.count
        guard rest > 0 else { return nil }
        let command =
            anyTooFewRecords
            ? arguments.command("history", "--state failed", "--state partial", "--state succeeded")
            : arguments.command("history", "--state failed", "--state partial")
        return "\(grouped(rest)) more: \(command)"
    }

    /// The reasons for waiting, by flow.
    var waits: [(flow: FlowStatus, wait: FlowStatus.Wait)] { flows.flatMap { flow in flow.waits.map { (flow, $0) } } }

    /// A hint about the waiting windows that are not shown; `nil` if all are shown.
    var otherWaits: String? {
        let rest = waits.dropFirst(Self.problemsShown).reduce(0) { $0 + $1.wait.windows }
        return rest > 0
            ? "\(counted(rest, "more window is", "more windows are")) waiting: \(arguments.command("plan"))" : nil
    }

    /// The windows that were run more often than declared, by flow.
    var repeatedWindows: [(flow: FlowStatus, repeated: RepeatedWindow)] {
        flows.flatMap { flow in flow.repeated.map { (flow, $0) } }
    }

    /// A hint about the repeated windows that are not shown; `nil` if all are shown.
    var otherRepeated: String? {
        let rest = repeatedWindows.count - Self.problemsShown
        return rest > 0 ? "\(counted(rest, "more window")) run more than once: \(arguments.command("history"))" : nil
    }
}

extension StatusReport {
    var refreshText: String { Reports.refreshText(flows.map(\.refreshedAt), asOf: asOf) }
}

/// Describes when the flows were last compared with the service.
///
/// - Parameter times: The time of each flow's last comparison; `nil` if there was none.
func refreshText(_ times: [Timestamp?], asOf: Timestamp) -> String {
    let known = times.compactMap(\.self)
    guard let oldest = known.min() else { return "Never refreshed." }
    let before = asOf > oldest ? ", \(spanText(asOf - oldest)) before" : ""
    let never = times.count - known.count
    return "Last refreshed \(oldest)\(before)\(never > 0 ? "; \(counted(never, "flow")) never" : "")."
}

extension FlowStatus.Wait {
    /// The window count and the reason, such as `3 windows: waits for orders, whose run has not ended`.
    var inWords: String { "\(counted(windows, "window")): \(reason)" }
}

extension FlowStatus {
    /// Returns the rank of a problem, most severe first: failed, too few records, partial.
    fileprivate func gravity(of problem: RecordedRun) -> Int {
        problem.state == .failed ? 0 : shortfall(of: problem) != nil ? 1 : 2
    }

    /// Describes a lack of records, such as `0 records, and at least 1 is expected`; returns `nil` if there are enough.
    func shortfall(of run: RecordedRun) -> String? {
        guard run.state != .failed, let expectation, let records = run.records else { return nil }
        return expectation.shortfall(of: records)
    }

    /// Describes why a run did not end well.
    func why(_ problem: RecordedRun) -> String {
        let words = [shortfall(of: problem), problem.failure].compactMap(\.self)
        return words.isEmpty ? "the service gives no reason" : words.joined(separator: "; ")
    }

    var title: String { name ?? id.description }
    var lastWindowText: String { lastWindow.map { $0.end.description } ?? "never" }
    var behindText: String {
        missing == 0 ? "none" : "\(counted(missing, "window")), \(spanText(missingTime))"
    }
}
