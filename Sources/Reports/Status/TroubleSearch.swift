import FlowRuns
import Manifests
import Planner

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
        let found = brokenRules + badEnds + unreadable + refused + repetitions + holds
        // The cause makes the order of troubles of one time the same in every process.
        func rank(_ trouble: Trouble) -> (Trouble.Kind, Timestamp, String) {
            (trouble.kind, trouble.windows.first?.start ?? .min, trouble.cause)
        }
        return found.sorted { rank($0) < rank($1) }.map { trouble in
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
