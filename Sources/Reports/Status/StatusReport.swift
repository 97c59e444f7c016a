import FlowRuns
import Manifests
import Planner

/// The status of a target's flows.
package struct StatusReport: Sendable {
    let target: String
    /// The organization and sandbox, such as `1234@AdobeOrg, sandbox prod`.
    let sandbox: String?
    let asOf: Timestamp
    let flows: [FlowStatus]
    let arguments: CommandArguments
    /// Whether each run of a trouble is listed.
    package var listsRuns = false
    /// Whether flows without troubles are left out.
    package var onlyProblems = false

    /// Creates a report.
    ///
    /// - Parameters:
    ///   - target: The name of the target.
    ///   - sandbox: The organization and the sandbox in words; `nil` to omit them.
    ///   - asOf: The instant of the statuses.
    ///   - flows: The state of each flow.
    ///   - arguments: Arguments to repeat in suggested commands.
    package init(
        target: String, sandbox: String? = nil, asOf: Timestamp, flows: [FlowStatus],
        arguments: CommandArguments = CommandArguments()
    ) {
        self.target = target
        self.sandbox = sandbox
        self.asOf = asOf
        self.flows = flows
        self.arguments = arguments
    }

    /// The number of runs that are running, according to the ledger.
    package var running: Int { sum(.running) }
    /// Whether the data of any failed run is still missing.
    package var anyFailed: Bool { sum(.failed) > 0 }
    /// Whether any run has fewer records than expected.
    package var anyTooFewRecords: Bool { sum(.tooFewRecords) > 0 }
    /// Whether any trouble lasts until a person acts.
    package var needsPerson: Bool { flows.contains { $0.troubles.contains(where: \.kind.needsPerson) } }

    /// The oldest of the flows' last comparisons with the service; `nil` if any flow was never compared.
    var refreshedAt: Timestamp? {
        let times = flows.compactMap(\.refreshedAt)
        return times.count == flows.count ? times.min() : nil
    }

    func sum(_ figure: StatusFigure) -> Int { flows.reduce(0) { $0 + $1.counts[figure] } }

    /// The flows to show, those with the most severe troubles first.
    var shownFlows: [FlowStatus] {
        let shown = onlyProblems ? flows.filter { !$0.troubles.isEmpty } : flows
        return shown.enumerated().sorted { ($0.element.mark, $0.offset) < ($1.element.mark, $1.offset) }.map(\.element)
    }

    /// The troubles of all flows by cause, most severe first.
    var groups: [TroubleGroup] {
        struct Key: Hashable {
            let kind: Trouble.Kind
            let cause: String
        }
        let members = flows.flatMap { flow in flow.troubles.map { (flow: flow, trouble: $0) } }
        let groups = members.groups { Key(kind: $0.trouble.kind, cause: $0.trouble.cause.withoutIDs) }
        return groups.enumerated().sorted { ($0.element.key.kind, $0.offset) < ($1.element.key.kind, $1.offset) }
            .map { _, group in
                TroubleGroup(
                    kind: group.key.kind, cause: group.elements[0].trouble.cause, members: group.elements)
            }
    }
}

/// The troubles of several flows with one cause.
struct TroubleGroup {
    let kind: Trouble.Kind
    let cause: String
    let members: [(flow: FlowStatus, trouble: Trouble)]

    /// The different remedies, each with the flows that it is for.
    var remedies: [(remedy: Remedy, flows: [FlowStatus])] {
        members.compactMap { flow, trouble in trouble.remedy.map { (remedy: $0, flow: flow) } }
            .groups(by: \.remedy).map { ($0.key, $0.elements.map(\.flow)) }
    }
}

extension StatusReport: Report {
    package static let renderings: [Rendering<StatusReport>] = [
        .text { report, style in StatusText(report, style).lines },
        .json { report, json, _ in json.members(of: report) },
        .markdown { report in report.markdown },
        .openMetrics { report in report.metrics },
    ]
}

/// The counts of a flow's status, in display order. The raw values are the names in JSON and metrics. Runs are counted
/// once per window and rerun, by their latest attempt, so a failure followed by a successful retry does not count.
enum StatusFigure: String, CaseIterable {
    /// Declared windows and reruns; of a series, only the windows that are due.
    case due
    /// Due windows and reruns that need no request.
    case recorded
    /// Requests in a plan made now.
    case pending
    case running, succeeded, partial
    /// Failed runs whose data no other run brought in.
    case failed
    /// Succeeded and partial runs with fewer records than expected.
    case tooFewRecords
    /// Windows held until a run in doubt is settled or acknowledged.
    case held
    /// Missing windows of a paused flow.
    case paused
    /// Missing windows over a limit on runs.
    case overLimit
    /// Windows that wait until another flow has succeeded.
    case waiting
    case errors

    var title: String {
        switch self {
        case .pending: "to request"
        case .tooFewRecords: "with too few records"
        case .overLimit: "over a limit"
        default: rawValue
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

    init(_ cause: HeldWindow.Cause) {
        self =
            switch cause {
            case .doubt, .replaced: .held
            case .paused: .paused
            case .dayLimit, .runningLimit: .overLimit
            case .waiting: .waiting
            }
    }
}

extension StatusReport {
    /// The closing line, such as `11 flows: 97 % of due time is there; 171 of 176 due windows recorded, 2 failed.`
    var summary: String {
        let figures = [
            StatusFigure.pending, .running, .failed, .tooFewRecords, .partial, .held, .overLimit, .waiting, .paused,
        ]
        let words = figures.compactMap { sum($0) > 0 ? "\(grouped(sum($0))) \($0.title)" : nil }
        let repeated = flows.reduce(0) { $0 + $1.repeated.count }
        let progress = "\(grouped(sum(.recorded))) of \(counted(sum(.due), "due window")) recorded"
        let warnings = repeated > 0 ? ["\(counted(repeated, "window")) ingested too often"] : []
        let errors = sum(.errors) > 0 ? [counted(sum(.errors), "error")] : []
        let there = share.map { "\($0.percentText) of due time is there; " } ?? ""
        return "\(counted(flows.count, "flow")): \(there)"
            + "\(([progress] + words + warnings + errors).joined(separator: ", "))."
    }

    /// The share of all flows' due time that runs have succeeded for; `nil` if nothing is due.
    var share: Share? {
        let due = flows.reduce(Duration.zero) { $0 + $1.dueTime }
        return Share(flows.reduce(Duration.zero) { $0 + $1.thereTime }, of: due)
    }

    var refreshText: String { Reports.refreshText(flows.map(\.refreshedAt), asOf: asOf) }
}

/// A part of a length of time.
struct Share {
    let value: Double

    init?(_ part: Duration, of whole: Duration) {
        guard whole > .zero else { return nil }
        value = part / whole
    }

    /// The share, rounded down, so that `100 %` means all of it.
    var percentText: String {
        if value > 0, value < 0.01 { return "<1 %" }
        return "\(Int((value * 100).rounded(.down))) %"
    }

    /// The share with one decimal, rounded down, such as `99.6 %`.
    var preciseText: String {
        let tenths = Int((value * 1000).rounded(.down))
        if value > 0, tenths == 0 { return "<0.1 %" }
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }
}

/// Describes when the flows were last compared with the service.
///
/// - Parameter times: The time of each flow's last comparison; `nil` if there was none.
func refreshText(_ times: [Timestamp?], asOf: Timestamp) -> String {
    let known = times.compactMap(\.self)
    guard let oldest = known.min() else { return "Never refreshed." }
    let ago = asOf > oldest ? "\(spanText(asOf - oldest)) ago (\(oldest))" : "\(oldest)"
    let never = times.count - known.count
    return "Last refreshed \(ago)\(never > 0 ? "; \(counted(never, "flow")) never" : "")."
}

extension FlowStatus {
    /// What a flow's line begins with, most severe first.
    enum Mark: Int, Comparable {
        case failed, attention, unsettled, waiting, running, paused, pending, complete

        static func < (left: Mark, right: Mark) -> Bool { left.rawValue < right.rawValue }
    }

    var mark: Mark {
        guard let kind = troubles.first?.kind else {
            return counts[.running] > 0 ? .running : counts[.pending] > 0 ? .pending : .complete
        }
        return Mark(kind)
    }

    var title: String { name ?? id.description }
    var share: Share? { Share(thereTime, of: dueTime) }
    /// Whether nothing is expected because the flow is paused as declared.
    var isPaused: Bool { troubles.first?.kind == .paused }
    var shareText: String { share?.percentText ?? "-" }
    /// Whether the latest due data is missing, and the flow is not paused.
    var isLate: Bool { behind > .zero && !isPaused }
    var behindText: String { isLate ? roughText(behind) : "-" }

    /// The state in phrases: the most severe trouble with its cause, then other troubles and counts.
    var phrases: (head: String, brief: String, others: [String]) {
        var others = troubles.dropFirst().map(\.brief)
        others = others.enumerated().filter { others.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        let figures =
            [(toRequest, "to request"), (counts[.running], "running")].filter { $0.0 > 0 }.map {
                "\(grouped($0.0)) \($0.1)"
            }
            + (isVerified ? [] : ["not verified"])
        guard let first = troubles.first else {
            return (figures.first ?? "", figures.first ?? "", Array(figures.dropFirst()))
        }
        if first.kind == .overLimit, toRequest > 0 {
            return (figures[0], figures[0], [first.brief] + others + figures.dropFirst())
        }
        return (first.headline, first.brief, others + figures)
    }

    /// The whole state on one line.
    var stateText: String {
        let (head, _, others) = phrases
        guard !others.isEmpty else { return head }
        return head + (head.contains(":") ? "; " : ", ") + others.joined(separator: ", ")
    }
}

extension FlowStatus.Mark {
    init(_ kind: Trouble.Kind) {
        self =
            switch kind {
            case .brokenRule, .failed, .tooFewRecords: .failed
            case .unreadable, .refused, .ingestedTooOften: .attention
            case .inDoubt, .notCompared, .retry, .partial: .unsettled
            case .waiting: .waiting
            case .overLimit: .pending
            case .paused: .paused
            }
    }

    func painted(_ style: TextStyle) -> StyledText {
        switch self {
        case .failed: style.paint(style.unicode ? "✗" : "x", .error)
        case .attention: style.paint("!", .error)
        case .unsettled: style.paint("~", .changed)
        case .waiting, .running: style.paint(style.unicode ? "…" : ".", .active)
        case .paused: style.paint(style.unicode ? "‖" : "-", .quiet)
        case .pending: style.paint("+", .active)
        case .complete: style.paint(style.unicode ? "✓" : "=", .good)
        }
    }

    var tone: TextStyle.Tone {
        switch self {
        case .failed, .attention: .error
        case .unsettled: .warning
        default: .plain
        }
    }

    /// An emoji that identifies the mark in Markdown.
    var sign: String {
        switch self {
        case .failed: "❌"
        case .attention: "⚠️"
        case .unsettled: "🔁"
        case .waiting, .running: "⏳"
        case .paused: "⏸️"
        case .pending: "➕"
        case .complete: "✅"
        }
    }

    /// The mark as a value in JSON.
    var name: String { "\(self)" }
}
