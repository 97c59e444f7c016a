import FlowRuns
import Manifests
import Text

/// The diagnostics of one flow. Only the first 20 of each code are kept, and the number of the others: thousands of
/// overlaps have one cause.
struct CappedDiagnostics {
    private static let limit = 20

    private var diagnostics: [Diagnostic] = []
    private var counts: [DiagnosticCode: Int] = [:]

    mutating func add(_ code: DiagnosticCode, _ make: () -> Diagnostic) {
        let count = counts[code, default: 0] + 1
        counts[code] = count
        if count <= Self.limit { diagnostics.append(make()) }
    }

    /// Returns the diagnostics, sorted by position.
    func all(flowPlace: Place) -> [Diagnostic] {
        let others = counts.filter { $0.value > Self.limit }.map { code, count in
            let severity = diagnostics.first { $0.code == code }?.severity ?? .error
            return Diagnostic(
                code, severity, at: flowPlace, "\((count - Self.limit).grouped) more in this flow: \(code.summary)")
        }
        return (diagnostics + others).sortedByPlace()
    }
}

extension Plan {
    /// Returns a warning if the plan has more requests than `limit`; otherwise `nil`. The limit guards against a series
    /// that starts too early.
    package func excess(over limit: Int) -> Diagnostic? {
        guard requestCount > limit else { return nil }
        return Diagnostic(
            .moreRunsThanAllowed, .warning, at: target.place,
            "the plan has \(requestCount.grouped) requests, more than the limit of \(limit.grouped) per apply",
            suggestion:
                "check that no series starts too early; to request them all, raise 'maxRunsPerApply' of the target or "
                + "pass --max-runs to apply")
    }
}

extension Diagnostic {
    static func declaredTwice(_ again: DesiredWindow, first: DesiredWindow) -> Diagnostic {
        let areBothOfSeries = first.isOfSeries && again.isOfSeries
        return Diagnostic(
            .windowDeclaredTwice, at: again.place, "the window \(again.window.inWords) is declared twice",
            suggestion: (areBothOfSeries
                ? "end one series where the other begins, or remove one" : "remove it from 'windows'")
                + "; to ingest the window again, declare a rerun",
            notes: [Note(place: first.place, message: "first declared here")])
    }

    /// - Parameters:
    ///   - touched: a window that overlaps the rerun's window without being equal to it.
    ///   - isPending: whether a series may request the window later.
    static func neverRun(_ rerun: Rerun, touching touched: Window?, isPending: Bool) -> Diagnostic {
        if rerun.isRange {
            return Diagnostic(
                .rerunOfNothing, at: rerun.place,
                "the rerun '\(rerun.id)' from \(rerun.window.inWords) touches no window that was run",
                suggestion: isPending
                    ? "declare it when the series has requested its windows"
                    : "check its times; for the first run of a window, declare it under 'windows' or 'series' instead")
        }
        let named = "the rerun '\(rerun.id)' names the window \(rerun.window.inWords)"
        guard let touched else {
            return Diagnostic(
                .rerunOfNothing, at: rerun.place, "\(named), which was never run",
                suggestion: isPending
                    ? "declare it when the series has requested the window"
                    : "check its times; for the first run of a window, write it under 'windows' instead: "
                        + SuggestedYAML.window(rerun.window))
        }
        return Diagnostic(
            .rerunOfNothing, at: rerun.place, "\(named), but what was run is \(touched.inWords), as a whole",
            suggestion: "to run every window that it touches once more, write {from: \(rerun.window.start), "
                + "until: \(rerun.window.end), id: \(yamlText(rerun.id)), reason: …} instead")
    }

    /// - Parameter isAcknowledged: whether the manifest acknowledges the run, with its window.
    static func countedAsRerun(
        _ run: RecordedRun, rerun: String, of window: Window, isAcknowledged: Bool, at place: Place
    ) -> Diagnostic {
        Diagnostic(
            .runTakenForRerun, .warning, at: place,
            "\(run.inWords) of \(window.inWords), which this ledger did not request, counts as the rerun '\(rerun)'",
            suggestion: "if it is not that rerun, "
                + (isAcknowledged
                    ? "remove the 'window' of its acknowledgement"
                    : "write under 'acknowledged': \(SuggestedYAML.acknowledgement(of: run.id))")
                + "; then it counts for nothing")
    }

    static func runTwice(
        _ window: Window, _ surplus: [RecordedRun], besides others: [RecordedRun], at place: Place
    ) -> Diagnostic {
        let runs = (others + surplus).map(\.inWords).joined(separator: ", ")
        let extra = surplus.map { SuggestedYAML.acknowledgement(of: $0.id) }.joined(separator: ", ")
        return Diagnostic(
            .windowRunTwice, .warning, at: place,
            "the window \(window.inWords) was ingested more often than declared: \(runs)",
            suggestion: "check the data; then write under 'acknowledged': \(extra)")
    }

    static func ingestedTwice(_ both: OverlappingRuns, at place: Place) -> Diagnostic {
        let runs = both.runs.map { "\($0.inWords) of \($0.window?.inWords ?? "an unknown window")" }
        let longest = both.runs.max { ($0.window?.length ?? .zero) < ($1.window?.length ?? .zero) }
        let window = longest?.window ?? both.window
        return Diagnostic(
            .windowsIngestedTwice, .warning, at: place,
            "\(both.window.inWords) was ingested twice, by \(runs.joined(separator: " and "))",
            suggestion: "check the data; then write under 'acknowledged': "
                + SuggestedYAML.acknowledgement(of: longest?.id, window: SuggestedYAML.window(window)))
    }

    /// - Parameter window: as the service reports it.
    static func contradicted(_ acknowledgement: Acknowledgement, by window: Window) -> Diagnostic {
        Diagnostic(
            .acknowledgedWindowContradicted, .warning, at: acknowledgement.place,
            "the run \(acknowledgement.run) is acknowledged with another window than the service reports: it counts as "
                + "a run of \(window.inWords)",
            suggestion: "remove the acknowledgement, or write 'window: \(SuggestedYAML.window(window))'")
    }

    static func unknown(_ acknowledgement: Acknowledgement) -> Diagnostic {
        Diagnostic(
            .acknowledgedRunUnknown, .warning, at: acknowledgement.place,
            "the acknowledged run \(acknowledgement.run) is not among the flow's recorded runs",
            suggestion: "check its id, and whether it is a run of this flow")
    }

    /// - Parameter runs: at least one run.
    static func unknownWindow(of runs: [RecordedRun], at place: Place) -> Diagnostic {
        let shown = runs.prefix(20).map(\.inWords).joined(separator: ", ")
        let others = runs.count > 20 ? " and \((runs.count - 20).grouped) more" : ""
        let entry = SuggestedYAML.acknowledgement(of: runs.first?.id, window: SuggestedYAML.window(nil))
        return Diagnostic(
            .runOfUnknownWindow, .warning, at: place,
            "the flow is held: cannot read the window of \(shown)\(others)",
            suggestion:
                "find out which window it ingested, and write under 'acknowledged': \(entry); without 'window' it counts "
                + "for nothing")
    }
}

extension RecordedRun {
    /// The run in words: `run 3fb0418e-1804-45d6-8d56-dd51f05c0baf`
    var inWords: String { id.map { "run \($0)" } ?? "a request without a run id" }
}
