import FlowRuns
import Manifests
import Planner

/// A reason why due time of a flow is missing, incomplete or ingested twice, with all windows that share it.
package struct Trouble: Hashable, Sendable {
    /// The kinds of reasons, most severe first.
    package enum Kind: String, Hashable, Sendable, CaseIterable, Comparable {
        case brokenRule, failed, tooFewRecords, unreadable, refused, ingestedTooOften
        case inDoubt, notCompared, retry, partial, waiting, overLimit, paused

        package static func < (left: Kind, right: Kind) -> Bool { left.order < right.order }

        private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }

        /// Whether the trouble lasts until a person acts. Any other ends by itself, by an apply, or as declared.
        package var needsPerson: Bool {
            switch self {
            case .brokenRule, .failed, .tooFewRecords, .unreadable, .refused, .ingestedTooOften: true
            case .inDoubt, .notCompared, .retry, .partial, .waiting, .overLimit, .paused: false
            }
        }

        /// The word for the kind, without a count or after one, as in `2 failed`.
        var inWords: String {
            switch self {
            case .brokenRule: "error"
            case .failed, .refused, .partial, .waiting, .paused: rawValue
            case .tooFewRecords: "with too few records"
            case .unreadable: "held"
            case .ingestedTooOften: "ingested too often"
            case .inDoubt: "in doubt"
            case .notCompared: "not compared with the service"
            case .retry: "to retry"
            case .overLimit: "over a limit"
            }
        }
    }

    package let kind: Kind
    /// The reason in one phrase: the service's words, the planner's, or the manifest's.
    package let cause: String
    /// The affected windows, in order, each once.
    let windows: [Window]
    /// The number of affected windows or runs; a run whose window cannot be read has no window.
    package let count: Int
    /// The runs that cause the trouble, latest window first.
    let runs: [RecordedRun]
    /// Steps that end the trouble.
    package internal(set) var remedy: Remedy?

    init(
        _ kind: Kind, _ cause: String, windows: [Window] = [], count: Int? = nil, runs: [RecordedRun] = [],
        remedy: Remedy? = nil
    ) {
        self.kind = kind
        self.cause = cause
        self.windows = windows
        self.count = count ?? windows.count
        self.runs = runs
        self.remedy = remedy
    }

    /// The time from the first affected window to the last.
    var span: Window? {
        guard let start = windows.first?.start, let end = windows.map(\.end).max() else { return nil }
        return Window(start: start, end: end)
    }

    /// Names the state without its cause, such as `2 failed` or `paused`.
    var brief: String {
        switch kind {
        case .brokenRule: counted(count, "error")
        case .paused, .unreadable, .inDoubt: kind.inWords
        case .notCompared: "held"
        case .overLimit: "\(grouped(count)) \(cause.prefix { $0 != ";" })"
        default: "\(grouped(count)) \(kind.inWords)"
        }
    }

    /// Names the state and its cause on one line, such as `2 failed: CONNECTOR-1022-401`.
    var headline: String {
        switch kind {
        case .brokenRule: cause
        case .paused: cause.replacing("T00:00:00Z", with: "")
        case .waiting: "\(brief) \(cause.dropFirst(cause.hasPrefix("waits ") ? "waits ".count : 0))"
        case .overLimit: brief
        case .ingestedTooOften: "\(grouped(count)) \(cause)"
        default: "\(brief): \(cause)"
        }
    }
}

/// Steps that end a trouble: a command to run, or lines to paste into a manifest.
package struct Remedy: Hashable, Sendable {
    /// A command of Sluice, without the manifests' paths and other arguments that a report adds.
    package struct Command: Hashable, Sendable {
        let name: String
        /// The only flow to select; `nil` for the selection of the report.
        let flow: FlowID?
        let options: String

        init(_ name: String, flow: FlowID? = nil, options: String = "") {
            self.name = name
            self.flow = flow
            self.options = options
        }
    }

    /// The step in words.
    package let text: String
    package let command: Command?
    /// Lines for the flow's declaration, indented as below `flows:`.
    package let lines: [String]

    init(_ text: String, command: Command? = nil, lines: [String] = []) {
        self.text = text
        self.command = command
        self.lines = lines
    }
}

/// Finds the troubles of a flow: what its plan holds, and what is wrong with its recorded runs.
struct TroubleSearch {
    let declaration: FlowDeclaration
    let plan: FlowPlan
    let runs: [RecordedRun]
    /// The latest attempts of each window and rerun.
    let latest: [RecordedRun]
    /// The runs of them with fewer records than expected.
    let tooFew: Set<RecordedRun>
    let repeated: [RepeatedWindow]
    /// The failed runs whose data no other run brought in.
    ///
    /// Undeclared runs are left out, because no manifest expects their data.
    let unresolvedFailures: [RecordedRun]

    init(_ declaration: FlowDeclaration, plan: FlowPlan, runs: [RecordedRun]) {
        self.declaration = declaration
        self.plan = plan
        self.runs = runs
        latest = declaration.counted(runs).latestAttempts
        tooFew = Set(declaration.runsWithTooFewRecords(in: latest))
        repeated = declaration.repeatedWindows(in: runs) + plan.repeatedTimes
        unresolvedFailures = Self.unresolvedFailures(among: latest, of: declaration, plan, runs)
    }

    /// The troubles, most severe first, each with its remedy.
    func troubles(_ remedies: inout Remedies) -> [Trouble] {
        let troubles = brokenRules + badEnds + unreadable + refused + repetitions + holds
        // The cause makes the order of troubles of one time the same in every process.
        func rank(_ trouble: Trouble) -> (Trouble.Kind, Timestamp, String) {
            (trouble.kind, trouble.windows.first?.start ?? .min, trouble.cause)
        }
        return troubles.sorted { rank($0) < rank($1) }.map { trouble in
            var trouble = trouble
            trouble.remedy = trouble.remedy ?? remedies.remedy(for: trouble)
            return trouble
        }
    }

    private var brokenRules: [Trouble] {
        plan.diagnostics.filter { $0.severity == .error }.map { diagnostic in
            let place = diagnostic.place.map { ", at \($0.file):\($0.line)" } ?? ""
            let fix = diagnostic.suggestion.map { Remedy($0 + place) }
            return Trouble(
                .brokenRule, diagnostic.message, count: 1, remedy: fix ?? Remedy("correct the declaration\(place)"))
        }
    }

    // MARK: Runs that did not end well

    private var badEnds: [Trouble] {
        let retried = Set(plan.actions.compactMap(\.kind.retried))
        let planned = CoveredIntervals(plan.actions.map(\.window) + plan.held.map(\.window))
        var troubles: [Trouble] = []
        for (kind, runs) in [
            (Trouble.Kind.failed, unresolvedFailures), (.tooFewRecords, Array(tooFew)), (.partial, partial),
        ] {
            let retriedRuns = runs.filter { $0.id.map(retried.contains) ?? false }
            troubles += grouped(retriedRuns, .retry)
            // The reason that holds the window is a trouble of its own.
            let others = runs.filter { !retriedRuns.contains($0) && !($0.window.map(planned.overlaps) ?? false) }
            troubles += grouped(others, kind)
        }
        return troubles
    }

    private static func unresolvedFailures(
        among latest: [RecordedRun], of declaration: FlowDeclaration, _ plan: FlowPlan, _ runs: [RecordedRun]
    ) -> [RecordedRun] {
        let failed = latest.filter { $0.state == .failed && $0.window != nil }
        guard !failed.isEmpty else { return [] }
        let undeclared = Set(plan.undeclared)
        let foreign = declaration.acknowledged.foreignRunIDs
        let ingesting = runs.filter { $0.state.isAccepted && $0.state != .failed }
        let covered = CoveredIntervals(ingesting.compactMap(\.window))
        return failed.filter { run in
            guard let window = run.window, !undeclared.contains(run), !run.isForeign(foreign) else {
                return false
            }
            guard run.identity.rerun != nil else { return !covered.contains(window) }
            return !ingesting.contains { $0.window == window && $0.recordedAt > run.recordedAt }
        }
    }

    private var partial: [RecordedRun] { latest.filter { $0.state == .partial && !tooFew.contains($0) } }

    private func grouped(_ runs: [RecordedRun], _ kind: Trouble.Kind) -> [Trouble] {
        let byCause = Dictionary(grouping: runs) { cause(of: $0).withoutIDs }
        return byCause.values.map { runs in
            let runs = runs.latestFirst
            return Trouble(
                kind, cause(of: runs[0]), windows: Set(runs.compactMap(\.window)).sorted(), count: runs.count,
                runs: runs)
        }
    }

    private func cause(of run: RecordedRun) -> String {
        let shortfall = run.state == .failed ? nil : run.records.flatMap { declaration.expectation?.shortfall(of: $0) }
        let words = [shortfall, run.failure].compactMap(\.self)
        return words.isEmpty ? "the service gives no reason" : words.joined(separator: "; ")
    }

    private var refused: [Trouble] {
        let refused = plan.actions.filter { $0.refusal != nil }
        return Dictionary(grouping: refused) { $0.refusal?.withoutIDs ?? "" }.values.map { actions in
            Trouble(.refused, actions[0].refusal ?? "", windows: Set(actions.map(\.window)).sorted())
        }
    }

    private var repetitions: [Trouble] {
        guard let first = repeated.first else { return [] }
        return [
            Trouble(
                .ingestedTooOften, first.inWords, windows: repeated.map(\.window).sorted(),
                runs: repeated.flatMap(\.runs))
        ]
    }

    // MARK: Windows that the plan holds

    /// The runs that hold the flow until they are acknowledged.
    private var unreadableRuns: [RecordedRun] {
        let foreign = declaration.acknowledged.foreignRunIDs
        let known = declaration.acknowledged.declaredWindows
        return runs.filter { run in
            run.window == nil && !run.state.isVoid && !run.isForeign(foreign)
                && run.id.map { known[$0] == nil } ?? true
        }
    }

    private var doubts: [RecordedRun] { runs.filter(\.state.isDoubtful) }

    private var unreadable: [Trouble] {
        let runs = unreadableRuns
        guard let first = runs.first else { return [] }
        let cause =
            runs.count == 1
            ? "unreadable window of run \(first.id?.short ?? "without an ID")"
            : "unreadable windows of \(runs.count) runs"
        let windows = doubts.isEmpty ? plan.held.filter { $0.cause == .doubt }.map(\.window) : []
        return [
            Trouble(
                .unreadable, cause,
                windows: windows, count: max(windows.count, 1), runs: runs)
        ]
    }

    private var holds: [Trouble] {
        var troubles: [Trouble] = []
        if let doubt = doubts.first {
            let held = plan.held.filter { $0.cause == .doubt }
            let own = held.first { $0.window == doubt.window } ?? held.first
            troubles.append(
                Trouble(
                    .inDoubt, own?.reason ?? "requested at \(doubt.recordedAt); the service's answer never arrived",
                    windows: held.map(\.window), count: max(held.count, doubts.count), runs: doubts))
        } else if unreadableRuns.isEmpty {
            troubles += grouped(plan.held.filter { $0.cause == .doubt }, .notCompared)
        }
        for (cause, kind) in [
            (HeldWindow.Cause.replaced, Trouble.Kind.inDoubt), (.waiting, .waiting), (.dayLimit, .overLimit),
            (.runningLimit, .overLimit), (.paused, .paused),
        ] {
            troubles += grouped(plan.held.filter { $0.cause == cause }, kind)
        }
        return troubles
    }

    private func grouped(_ held: [HeldWindow], _ kind: Trouble.Kind) -> [Trouble] {
        Dictionary(grouping: held, by: \.reason).map { Trouble(kind, $0, windows: $1.map(\.window)) }
    }
}

extension [RecordedRun] {
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

extension RunID {
    /// The beginning of a long ID, which is enough to recognize it on one screen.
    var short: String { description.count > 12 ? "\(description.prefix(8))…" : description }
}

extension String {
    /// The text with numbers and IDs replaced, so that equal causes of different runs compare as equal.
    var withoutIDs: String {
        split(separator: " ", omittingEmptySubsequences: false).map { word in
            let isID = word.count >= 6 && word.contains(where: \.isNumber) && !word.contains(where: \.isUppercase)
            return isID ? "…" : String(word)
        }.joined(separator: " ")
    }
}

/// A window that was ingested more often than its manifest declares, or the time that two overlapping windows share.
package struct RepeatedWindow: Hashable, Sendable {
    let window: Window
    /// The accepted runs that have not failed: of the window, oldest first, or of the two overlapping windows, in window
    /// order.
    let runs: [RecordedRun]
    /// The declared number of runs: one for the window, and one for each of its reruns.
    let declared: Int

    var runIDs: String { runs.map { $0.id?.description ?? "a run without an id" }.listed }

    /// The two counts, such as `ingested 2 times, declared once`.
    var inWords: String {
        isOfOneWindow
            ? "ingested \(times(runs.count)), declared \(times(declared))"
            : "ingested by \(runs.count) runs of different windows"
    }

    private func times(_ count: Int) -> String { count == 1 ? "once" : count == 2 ? "twice" : "\(count) times" }

    /// Whether the runs are of the window itself, and not of two windows that overlap.
    var isOfOneWindow: Bool { runs.allSatisfy { $0.window == window } }

    /// The runs to acknowledge, so that the others are as many as declared: the latest ones found on the service, or the
    /// longer one of two windows.
    var surplus: [RecordedRun] {
        guard isOfOneWindow else {
            return [runs.max { ($0.window?.length ?? .zero) < ($1.window?.length ?? .zero) }].compactMap(\.self)
        }
        return runs.filter { $0.origin == .service }.suffix(runs.count - declared)
    }
}

extension FlowPlan {
    /// The times that runs of different windows ingested twice.
    var repeatedTimes: [RepeatedWindow] {
        ingestedTwice.map { RepeatedWindow(window: $0.window, runs: $0.runs, declared: 1) }
    }
}

extension FlowDeclaration {
    /// Finds the windows that were ingested more often than declared, in window order.
    ///
    /// Runs that the manifest acknowledges without a window do not count.
    ///
    /// - Parameter runs: All recorded runs of the flow.
    package func repeatedWindows(in runs: [RecordedRun]) -> [RepeatedWindow] {
        let acknowledged = acknowledged.foreignRunIDs
        var completedRuns: [Window: [RecordedRun]] = [:]
        for run in runs where run.state.isAccepted && run.state != .failed && !retries.includes(run) {
            guard let window = run.window, !run.isForeign(acknowledged) else { continue }
            completedRuns[window, default: []].append(run)
        }
        let ranges = reruns.filter(\.isRange)
        let reruns = Dictionary(grouping: reruns.filter { !$0.isRange }, by: \.window)
        return completedRuns.compactMap { window, runs in
            let declared = 1 + (reruns[window]?.count ?? 0) + ranges.count { $0.touches(window) }
            guard runs.count > declared else { return nil }
            return RepeatedWindow(
                window: window, runs: runs.sorted { $0.recordedAt < $1.recordedAt }, declared: declared)
        }.sorted { $0.window < $1.window }
    }
}
