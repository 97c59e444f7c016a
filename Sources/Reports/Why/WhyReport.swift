import FlowRuns
import Ledger
import Manifests
import Planner
import Text

/// The reasons behind a flow's windows: where each is declared, which runs exist, which rule decides, and what the next
/// apply does.
package struct WhyReport: Sendable {
    package let flow: FlowStatus
    let asOf: Timestamp
    /// The time that was asked about; `nil` for the whole flow.
    let range: Window?
    /// The windows in the range, in order.
    let windows: [ExplainedWindow]
    /// Runs whose window cannot be read.
    let unreadable: [LedgerEntry]
    /// An answer for a range without windows, such as when its window becomes due; `nil` if there are windows.
    let emptyText: String?
    let arguments: CommandArguments

    /// Explains the windows of a flow.
    ///
    /// - Parameters:
    ///   - declaration: The declaration of the flow.
    ///   - plan: The plan of the flow as of `asOf`.
    ///   - status: The status of the flow, from the same plan.
    ///   - entries: All entries of the flow and of the flows that it replaces.
    ///   - range: The time to explain; `nil` for the whole flow.
    ///   - asOf: The instant of the plan.
    ///   - arguments: Arguments to repeat in suggested commands.
    package init(
        _ declaration: FlowDeclaration, plan: FlowPlan, status: FlowStatus, entries: [LedgerEntry], range: Window?,
        asOf: Timestamp, arguments: CommandArguments = CommandArguments()
    ) {
        func isInRange(_ window: Window) -> Bool { range.map(window.overlaps) ?? true }
        let search = WindowSearch(declaration, plan, repeated: status.repeated, asOf: asOf, where: isInRange)
        let byWindow = Dictionary(grouping: entries.filter { $0.run.window.map(isInRange) ?? false }) { $0.run.window }
        let windows = Set(byWindow.keys.compactMap(\.self)).union(search.windows)
        let places = declaration.places(of: windows, undeclared: plan.undeclared)
        let covering = entries.map(\.run).filter { $0.state.isAccepted && $0.state != .failed }
        let longest = covering.compactMap(\.window?.length).max() ?? .zero
        let troubled = Set(status.troubles.filter { !$0.runs.isEmpty }.flatMap { $0.runs.compactMap(\.window) })
        self.windows = windows.sorted().map { window in
            let own = byWindow[window] ?? []
            // A longer run may have ingested the window.
            let longer =
                own.contains { $0.run.coversWindow } || longest <= window.length
                ? nil : covering.first { $0.window.map { $0 != window && $0.contains(window) } ?? false }
            var explained = search.explain(window, own, places[window] ?? [], coveredBy: longer)
            explained.isTroubled = troubled.contains(window)
            return explained
        }
        unreadable = entries.filter { $0.run.window == nil && !$0.run.state.isVoid }
        emptyText = self.windows.isEmpty ? search.absence(in: range) : nil
        flow = status
        self.range = range
        self.asOf = asOf
        self.arguments = arguments
    }
}

/// A window with the reasons for what becomes of it.
struct ExplainedWindow: Hashable, Sendable {
    let window: Window
    /// The declarations of the window: its own, and those of its reruns.
    let declarations: [WindowPlace]
    let runs: [LedgerEntry]
    /// The rule that decides about the window.
    let decision: String
    /// What the next apply does with the window, and when.
    let next: String

    /// Whether a trouble of the flow affects the window's runs.
    var isTroubled = false

    /// Whether the runs are what most windows have, so that adjacent windows are shown as one range.
    var isPlain: Bool {
        !isTroubled && runs.count <= 1 && runs.allSatisfy { $0.run.state == .succeeded && $0.run.origin == .request }
    }
}

/// Finds the windows of a flow and the rule that decides about each.
private struct WindowSearch {
    private let declaration: FlowDeclaration
    private let plan: FlowPlan
    private let asOf: Timestamp
    /// The windows that are declared and due.
    private let declared: Set<Window>
    private let actions: [PlannedAction]
    private let held: [Window: [HeldWindow]]
    private let reruns: [Rerun]
    private let repeated: [RepeatedWindow]

    init(
        _ declaration: FlowDeclaration, _ plan: FlowPlan, repeated: [RepeatedWindow], asOf: Timestamp,
        where isInRange: (Window) -> Bool
    ) {
        self.declaration = declaration
        self.repeated = repeated
        self.plan = plan
        self.asOf = asOf
        let due = declaration.series.lazy.flatMap { $0.windows(dueAt: asOf).lazy.joined() }
        declared = Set(declaration.windows.map(\.window).filter(isInRange)).union(due.filter(isInRange))
        actions = plan.actions.filter { isInRange($0.window) }
        held = Dictionary(grouping: plan.held.filter { isInRange($0.window) }, by: \.window)
        reruns = declaration.reruns.filter { isInRange($0.window) }
    }

    var windows: Set<Window> {
        declared.union(held.keys).union(actions.map(\.window))
            .union(reruns.filter { !$0.isRange }.map(\.window))
    }

    func explain(
        _ window: Window, _ entries: [LedgerEntry], _ own: [WindowPlace], coveredBy longer: RecordedRun?
    ) -> ExplainedWindow {
        let reruns = self.reruns.filter { $0.touches(window) }
        let again = reruns.map { WindowPlace(kind: "rerun \($0.id) (\($0.reason))", place: $0.place) }
        let (decision, next) = verdict(window, entries, reruns, coveredBy: longer, isDeclared: !own.isEmpty)
        return ExplainedWindow(
            window: window, declarations: own + again, runs: entries, decision: decision, next: next)
    }

    private func verdict(
        _ window: Window, _ entries: [LedgerEntry], _ reruns: [Rerun], coveredBy longer: RecordedRun?, isDeclared: Bool
    ) -> (decision: String, next: String) {
        if let error = plan.diagnostics.first(where: { $0.severity == .error }) {
            return ("an error keeps the flow from being applied: \(error.message)", "nothing until it is corrected")
        }
        let requested = actions.filter { $0.window == window || !$0.members.isEmpty && $0.window.contains(window) }
        if !requested.isEmpty {
            let refusals = requested.compactMap(\.refusal).map { "refused before: \($0)" }
            let steps = requested.map { action in
                switch action.kind {
                case .create where action.window != window: "requested in one run of \(action.window.inWords)"
                case .create: "requested"
                case .retry(let run, _): "retried (run \(run))"
                case .rerun: "requested as rerun \(action.rerun ?? "")"
                }
            }
            let reasons = requested.map(\.reason)
            let words =
                reasons
                + refusals.filter { refusal in !reasons.contains { refusal.hasSuffix($0) || $0.contains(refusal) } }
            return (words.joined(separator: "; "), "\(steps.listed) by the next apply")
        }
        if let held = held[window]?.first { return (held.reason, next(held)) }
        let ingesting = entries.filter { $0.run.state.isAccepted && $0.run.state != .failed }
        if let repeated = repeated.first(where: { $0.window == window || $0.runs.contains { $0.window == window } }) {
            return (repeated.inWords, "nothing: check the data, then acknowledge the surplus run")
        }
        if !ingesting.isEmpty {
            let recorded =
                isDeclared ? "a run of it is recorded" : "a run of it is recorded, and no manifest declares the window"
            let isRunning = ingesting.contains { $0.run.state == .accepted }
            return (
                "\(recorded): a window is not requested twice", isRunning ? "nothing: the run has not ended" : "nothing"
            )
        }
        if let longer {
            return (
                "covered by run \(longer.id?.description ?? "") of \(longer.window?.inWords ?? "")",
                "nothing: the longer run ingested the window"
            )
        }
        if let failed = entries.last(where: { $0.run.state == .failed }) {
            guard isDeclared || !reruns.isEmpty else {
                return ("its run failed, and no manifest declares the window", "nothing")
            }
            let rule =
                declaration.retries.times == 0
                ? "'retryFailed' is 0" : "all \(declaration.retries.times) retries failed"
            return (
                "run \(failed.run.id?.description ?? "") failed, and no retry is left: \(rule)",
                "nothing until a rerun is declared"
            )
        }
        return isDeclared
            ? ("recorded", "nothing") : ("no manifest declares the window", "nothing until it is declared")
    }

    private func next(_ held: HeldWindow) -> String {
        switch held.cause {
        case .doubt, .replaced:
            held.reason.contains("acknowledged")
                ? "nothing until the run is acknowledged"
                : "the next apply or refresh settles it, then requests what is missing"
        case .paused:
            declaration.pause(at: asOf)?.until.map { "requested by the first apply after \($0)" }
                ?? "nothing until 'paused' is removed"
        case .dayLimit: "requested by an apply from tomorrow (UTC) on"
        case .runningLimit: "requested by the next apply after runs have ended"
        case .waiting: "requested by the next apply after the other flow has succeeded for this time"
        }
    }

    /// Explains why a range has no window.
    func absence(in range: Window?) -> String {
        guard let range else { return "no window is declared or recorded" }
        let later = declaration.series.compactMap { series -> (Window, Timestamp)? in
            guard range.start >= series.from else { return nil }
            // Far enough for the window that contains the end of the range.
            let known = series.windows(dueAt: range.end + .seconds(3 * 366 * 86_400)).lazy.joined()
            guard let window = known.first(where: range.overlaps) else { return nil }
            return (window, window.end + series.lag)
        }
        if let (window, due) = later.min(by: { $0.1 < $1.1 }) {
            return "not due yet: \(window.inWords) of the series is due at \(due)"
        }
        return "no window is declared or recorded there"
    }
}

/// The place in a manifest that declares a window.
struct WindowPlace: Hashable, Sendable {
    /// The kind of the declaration, such as `series`.
    let kind: String
    let place: Place

    /// The declaration in words, such as `series at flows.yaml:12`.
    var inWords: String { "\(kind) at \(place.file):\(place.line)" }
}

extension FlowDeclaration {
    /// Finds the places that declare windows, the explicit declaration first, then series in their order.
    ///
    /// A window that no series cuts in this way, such as a batch or a trimmed window, is declared by the series around it.
    ///
    /// - Parameters:
    ///   - windows: The windows to find.
    ///   - undeclared: The recorded runs that no manifest declares.
    func places(of windows: Set<Window>, undeclared: [RecordedRun]) -> [Window: [WindowPlace]] {
        var places: [Window: [WindowPlace]] = [:]
        for explicit in self.windows where windows.contains(explicit.window) {
            places[explicit.window, default: []].append(WindowPlace(kind: "window", place: place(of: explicit)))
        }
        let end = windows.map(\.end).max() ?? .min
        for series in series {
            for window in series.windows(dueAt: end + series.lag).lazy.joined() where windows.contains(window) {
                places[window, default: []].append(WindowPlace(kind: "series", place: series.place))
            }
        }
        for window in windows.subtracting(undeclared.compactMap(\.window)) where places[window] == nil {
            places[window] = series.filter { $0.surrounds(window) }.map { WindowPlace(kind: "series", place: $0.place) }
        }
        return places
    }
}

extension Series {
    /// Whether a window lies within the time of the series.
    fileprivate func surrounds(_ window: Window) -> Bool {
        guard case .time(let until) = until else { return from <= window.start }
        return from <= window.start && window.end <= until
    }
}

extension WhyReport: Report {
    package static let renderings: [Rendering<WhyReport>] = [
        .text { report, style in report.lines(style) },
        .json { report, json, _ in json.members(of: report) },
    ]
}

extension WhyReport {
    /// The maximum number of windows or ranges that are printed.
    private static let windowLimit = 40

    fileprivate func lines(_ style: TextStyle) -> [StyledText] {
        var lines: [StyledText] = []
        let head: StyledText = "\(flow.mark.painted(style)) \(style.paint(flow.title, .strong))"
        lines += style.nextToOrBelow(head, text: "\(flow.place.file):\(flow.place.line)")
        let state = flow.stateText.isEmpty ? "" : ", \(flow.stateText)"
        lines += style.lines("there: \(flow.shareText), behind: \(flow.behindText)\(state)", indent: 2) + .blank
        if let emptyText { lines += style.lines(emptyText) + .blank }
        for entry in unreadable {
            lines += style.lines("unknown window", .strong) + style.lines(runText(entry), indent: 2) + .blank
        }
        let ranges = ranges
        for range in ranges.prefix(Self.windowLimit) { lines += self.lines(range, style) + .blank }
        let rest = ranges.count - Self.windowLimit
        if rest > 0 {
            lines +=
                style.lines("\(style.ellipsis) and \(counted(rest, "more range")); name a time to see them") + .blank
        }
        for trouble in flow.troubles where trouble.kind != .brokenRule {
            guard let remedy = trouble.remedy, isShown(trouble) else { continue }
            let command = remedy.command.map(arguments.command)
            let text = "\(trouble.brief): \(remedy.text)\(command == nil ? "" : ":")"
            lines += style.lines(text, indent: 2, first: "\(style.arrow) ")
            lines += command.map { ["  \($0)"] } ?? []
            lines += remedy.lines.map { "\($0)" }
        }
        while lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines
    }

    private func isShown(_ trouble: Trouble) -> Bool {
        guard let range else { return true }
        return trouble.windows.isEmpty || trouble.windows.contains(where: range.overlaps)
    }

    /// Windows that share everything but their time, as one range.
    private struct ExplainedRange {
        var windows: FoldedWindows
        let first: ExplainedWindow
    }

    private var ranges: [ExplainedRange] {
        windows.reduce(into: []) { ranges, next in
            if let last = ranges.last, last.first.isPlain, next.isPlain, last.first.runs.count == next.runs.count,
                last.first.declarations == next.declarations, last.first.decision == next.decision,
                last.first.next == next.next, ranges[ranges.count - 1].windows.merge(FoldedWindows(next.window))
            {
                return
            }
            ranges.append(ExplainedRange(windows: FoldedWindows(next.window), first: next))
        }
    }

    private func lines(_ range: ExplainedRange, _ style: TextStyle) -> [StyledText] {
        let first = range.first
        let size = range.windows.sizeText
        var lines = style.lines("\(range.windows.rangeText(style.ellipsis)), \(size)", .strong)
        func add(_ title: String, _ text: String) {
            let head: StyledText = "  \(style.paint(title.padded(to: 11), .quiet))"
            lines += style.lines(text, indent: 13, first: head)
        }
        if first.declarations.isEmpty { add("declared", "nowhere") }
        for declaration in first.declarations { add("declared", declaration.inWords) }
        if first.runs.isEmpty { add("runs", "none") }
        if range.windows.count > 1, let run = first.runs.first {
            add("runs", "one for each window, \(run.run.state.inWords)")
        } else {
            for entry in first.runs { add("run", runText(entry)) }
        }
        add("decision", first.decision)
        add("next", first.next)
        return lines
    }

    /// Describes a run: its ID and state, who requested it and when, and from which line.
    private func runText(_ entry: LedgerEntry) -> String {
        let run = entry.run
        let attempt = run.attemptText.isEmpty ? nil : run.attemptText
        let requester =
            run.origin == .service
            ? "found on the service, created \(run.recordedAt)"
            : [
                "requested \(run.recordedAt)", entry.provenance.text.isEmpty ? nil : "for \(entry.provenance.text)",
                entry.provenance.ciRun,
            ]
            .compactMap(\.self).joined(separator: " ")
        let id = run.id.map { "\($0) " } ?? ""
        let words = [
            attempt, requester, run.flow == flow.id ? nil : "on flow \(run.flow), which this one replaces", run.failure,
        ]
        return "\(id)\(run.state.inWords), " + words.compactMap(\.self).joined(separator: ", ")
    }
}

extension JSONText {
    fileprivate mutating func members(of report: WhyReport) {
        member("formatVersion", 1)
        member("flowId", report.flow.id.description)
        optional("name", report.flow.name)
        time("asOf", report.asOf)
        if let range = report.range { member("range", range) }
        member("state", report.flow.mark.name)
        member("stateText", report.flow.stateText)
        optional("absence", report.emptyText)
        array("windows") { json in
            for window in report.windows {
                json.line { json in
                    json.member("window", window.window)
                    json.array("declared") { json in
                        for declaration in window.declarations {
                            json.element {
                                $0.member("text", declaration.inWords)
                                declaration.place.write("place", to: &$0)
                            }
                        }
                    }
                    json.array("runs") { json in for entry in window.runs { json.element { $0.members(of: entry) } } }
                    json.member("decision", window.decision)
                    json.member("next", window.next)
                }
            }
        }
        array("unreadableRuns") { json in for entry in report.unreadable { json.line { $0.members(of: entry) } } }
        array("troubles") { json in
            for trouble in report.flow.troubles {
                json.element { $0.members(of: trouble, report.flow, report.arguments) }
            }
        }
    }

    private mutating func members(of entry: LedgerEntry) {
        member("flowId", entry.run.flow.description)
        members(of: entry.run)
        declaration(of: entry)
    }
}
