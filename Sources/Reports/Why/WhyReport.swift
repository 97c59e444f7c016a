import FlowRuns
import Ledger
import Manifests
import Planner

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
        func isWanted(_ window: Window) -> Bool { range.map(window.overlaps) ?? true }
        let search = WindowSearch(declaration, plan, repeated: status.repeated, asOf: asOf, where: isWanted)
        let byWindow = Dictionary(grouping: entries.filter { $0.run.window.map(isWanted) ?? false }) { $0.run.window }
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
        where isWanted: (Window) -> Bool
    ) {
        self.declaration = declaration
        self.repeated = repeated
        self.plan = plan
        self.asOf = asOf
        let due = declaration.series.lazy.flatMap { $0.windows(dueAt: asOf).lazy.joined() }
        declared = Set(declaration.windows.map(\.window).filter(isWanted)).union(due.filter(isWanted))
        actions = plan.actions.filter { isWanted($0.window) }
        held = Dictionary(grouping: plan.held.filter { isWanted($0.window) }, by: \.window)
        reruns = declaration.reruns.filter { isWanted($0.window) }
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
            let what =
                isDeclared ? "a run of it is recorded" : "a run of it is recorded, and no manifest declares the window"
            let isRunning = ingesting.contains { $0.run.state == .accepted }
            return (
                "\(what): a window is not requested twice", isRunning ? "nothing: the run has not ended" : "nothing"
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
