import FlowRuns
import Manifests
import Planner

/// The remedies for one flow's troubles.
///
/// Following a remedy ingests nothing more often than declared. The lines of all reruns are one block, and so are those
/// of all acknowledgements, because each key occurs only once in a manifest: the first trouble that needs a block gets it.
struct Remedies {
    private let search: TroubleSearch
    /// The reruns that the troubles need, once any trouble has needed one.
    private(set) var reruns: [ProposedRerun] = []
    private var hasRerunLines = false
    private var hasAcknowledgementLines = false

    /// The maximum number of list entries in a block; later entries follow once these are pasted.
    static let maxEntries = 5

    init(_ search: TroubleSearch) { self.search = search }

    private var declaration: FlowDeclaration { search.declaration }
    private var plan: FlowPlan { search.plan }

    mutating func remedy(for trouble: Trouble) -> Remedy? {
        switch trouble.kind {
        case .brokenRule: return nil
        case .failed, .tooFewRecords: return rerun(trouble.kind)
        case .unreadable: return acknowledgement(of: trouble.runs)
        case .ingestedTooOften: return acknowledgement(of: [])
        case .refused: return Remedy("remove the reason; the next apply requests them again", command: .init("apply"))
        case .inDoubt: return Remedy("the next apply or refresh settles it", command: .init("refresh"))
        case .notCompared: return Remedy("read the flow's runs from the service", command: .init("refresh"))
        case .retry: return Remedy("the next apply retries them", command: .init("apply"))
        case .partial:
            return Remedy(
                "see what failed", command: .init("history", flow: plan.id, options: "--state partial"))
        case .waiting: return waiting(trouble)
        case .overLimit: return nil
        case .paused:
            let place = declaration.pauses.first { $0.inWords == trouble.cause }?.place
            let isEndless = !trouble.cause.hasPrefix("paused until")
            guard isEndless, let place else { return nil }
            return Remedy("remove 'paused' at \(place.file):\(place.line) to continue")
        }
    }

    /// The place of lines to paste: below the flow with their key, or in the list that the flow has.
    private func place(of key: String, isNew: Bool) -> String {
        "\(declaration.place.file) \(isNew ? "below" : "in '\(key)' of") flow \(plan.title)"
    }

    private func waiting(_ trouble: Trouble) -> Remedy? {
        if trouble.cause.contains("not ended") {
            return Remedy(
                "read whether it has ended; once you know that it has, and the service does not say so, acknowledge it",
                command: .init("refresh"))
        }
        if trouble.cause.hasSuffix("not requested yet") { return Remedy("request it", command: .init("apply")) }
        if trouble.cause.hasSuffix("no due window there") {
            return Remedy("ends when the other flow declares that time and has succeeded for it")
        }
        return Remedy("ends when a retry or a rerun of the other flow succeeds")
    }

    // MARK: Reruns

    /// Returns the reruns that bring the data of failed runs and of runs with too few records in again.
    private mutating func rerun(_ kind: Trouble.Kind) -> Remedy? {
        if hasRerunLines { return Remedy("the reruns above bring these windows in again, too") }
        let place = place(of: "rerun", isNew: declaration.reruns.isEmpty)
        let step = "to request them once more, declare a rerun, in \(place)"
        let usedIDs = Set(declaration.reruns.map(\.id) + search.runs.compactMap(\.identity.rerun))
        let ids = (1...).lazy.map { "again-\($0)" }.filter { !usedIDs.contains($0) }
        reruns = zip(RerunChoice(search).stretches, ids).map { stretch, id in
            let (start, end) = stretch.isRange ? ("from", "until") : ("start", "end")
            return ProposedRerun(
                window: stretch.window, isFirst: declaration.reruns.isEmpty, step: "\(step):",
                lines: [
                    "      - \(start): \(stretch.window.start)", "        \(end): \(stretch.window.end)",
                    "        id: \(id)", "        reason: say why here",
                ])
        }
        guard !reruns.isEmpty else {
            return Remedy("see what the runs did", command: .init("history", flow: plan.id))
        }
        hasRerunLines = true
        let shown = reruns.prefix(Self.maxEntries)
        let more = reruns.count > shown.count ? "; \(grouped(reruns.count - shown.count)) more follow after these" : ""
        return Remedy(
            "\(step)\(more):",
            lines: (declaration.reruns.isEmpty ? ["    rerun:"] : []) + shown.flatMap(\.lines))
    }

    // MARK: Acknowledgements

    /// Returns acknowledgements of unreadable runs and of runs that ingested a window once more than declared.
    private mutating func acknowledgement(of unreadable: [RecordedRun]) -> Remedy? {
        if hasAcknowledgementLines { return Remedy("the acknowledgements above end this, too") }
        let unknown = unreadable.compactMap(\.id).map { run in
            [
                "      - run: \(text(of: run))", "        reason: say why here",
                "        window: {start: START, end: END}",
            ]
        }
        // One run can be the surplus of several windows.
        var known = Set(declaration.acknowledged.map(\.run))
        let surplus = search.repeated.flatMap(\.surplus).filter { run in
            run.id.map { known.insert($0).inserted } ?? false
        }
        let counted = surplus.map { run in
            ["      - run: \(run.id.map(text) ?? "")", "        reason: say why here"]
                + (run.origin == .service && search.repeated.contains { $0.isOfOneWindow && $0.runs.contains(run) }
                    ? [] : window(of: run))
        }
        let entries = unknown + counted
        guard !entries.isEmpty else {
            return Remedy(
                "check the data, and declare the reruns that were removed",
                command: .init("history", flow: plan.id))
        }
        hasAcknowledgementLines = true
        let place = place(of: "acknowledged", isNew: declaration.acknowledged.isEmpty)
        let look =
            unknown.isEmpty
            ? "check the data, then write, in"
            : "look up which window it ingested, replace START and END, and write, in"
        return Remedy(
            "\(look) \(place):",
            lines: (declaration.acknowledged.isEmpty ? ["    acknowledged:"] : [])
                + entries.prefix(Self.maxEntries).flatMap(\.self))
    }

    /// The ID as YAML: the service may use any text.
    private func text(of run: RunID) -> String {
        FlowID(run.description) == nil ? yamlText(run.description) : run.description
    }

    private func window(of run: RecordedRun) -> [String] {
        run.window.map { ["        window: {start: \($0.start), end: \($0.end)}"] } ?? []
    }
}

/// A rerun to declare, with its lines for a manifest, indented as below `rerun:`.
struct ProposedRerun: Hashable, Sendable {
    let window: Window
    /// Whether the flow declares no rerun yet.
    let isFirst: Bool
    /// The step in words, which names the place of the lines.
    let step: String
    let lines: [String]

    /// The lines, below their key if the flow has none yet.
    var block: [String] { isFirst ? ["    rerun:"] + lines : lines }
}

/// Chooses the reruns that a flow needs: those of windows whose data no other run brings in, neither one that was
/// recorded nor one that is planned.
struct RerunChoice {
    struct Stretch: Hashable {
        var window: Window
        var isRange = false
    }

    /// The reruns in window order. Adjacent windows are one range where nothing else is in the range.
    let stretches: [Stretch]

    init(_ search: TroubleSearch) {
        let (declaration, plan, runs, tooFew) = (search.declaration, search.plan, search.runs, search.tooFew)
        guard !plan.diagnostics.hasErrors else {
            stretches = []
            return
        }
        let undeclared = Set(plan.undeclared)
        let candidates = (search.unresolvedFailures + tooFew).filter { !undeclared.contains($0) }
        let windows = Set(candidates.compactMap(\.window)).sorted()
        // A window with two runs that did not fail has its data already.
        let ingested = runs.filter { !$0.state.isVoid && $0.state != .failed }
        let single = Dictionary(grouping: ingested.filter { $0.window != nil }, by: \.window).filter {
            $0.value.count == 1
        }
        let replaced = Set(tooFew.compactMap(\.window).filter { single[$0] != nil })
        let covered = CoveredIntervals(
            ingested.compactMap(\.window).filter { !replaced.contains($0) } + plan.actions.map(\.window)
                + plan.held.map(\.window))
        var chosen: [Window] = []
        for window in windows where !covered.overlaps(window) {
            let isCoveredByOther = replaced.contains { $0 != window && $0.overlaps(window) }
            if !isCoveredByOther, window.start >= chosen.last?.end ?? .min { chosen.append(window) }
        }
        let others = CoveredIntervals(
            Set(runs.lazy.filter { !$0.state.isVoid }.compactMap(\.window)).subtracting(chosen).sorted())
        let canJoin = declaration.batch == nil && declaration.overlap != .trim
        stretches = chosen.reduce(into: []) { stretches, window in
            if canJoin, let last = stretches.last, last.window.end == window.start,
                let joined = Window(start: last.window.start, end: window.end), !others.overlaps(joined)
            {
                stretches[stretches.count - 1] = Stretch(window: joined, isRange: true)
            } else {
                stretches.append(Stretch(window: window))
            }
        }
    }
}
