import FlowRuns
import Manifests

/// The delta-column rule: which request of a flow carries the column, and which declarations break the rule. The switch
/// in ``outcome(of:)`` follows the table on the page Manifests, row by row.
package struct DeltaColumnRule: Hashable, Sendable {
    /// The right column of the table: the consequence.
    package enum Outcome: Hashable, Sendable {
        /// The flow's first request carries the column, and no other does.
        case firstRequestCarries(DeltaColumn)
        case noRequestCarries
        /// No request carries the column, and a warning recommends `refresh`: the flow has run with an unknown column.
        case noRequestCarriesUnknown
        /// Nothing is sent until the doubt is resolved.
        case held
        /// Error: the first run needs a column.
        case missing
        /// Error: the flow has another column, fixed by the run `since`, or by the flow itself if `since` is `nil`.
        case fixed(at: DeltaColumn, since: RecordedRun?)
        /// Error: only table-based sources have a delta column.
        case onFile
    }

    /// The left column of the table: the kind of the flow's source.
    package let source: SourceKind
    /// The manifest's delta column; `nil` if it declares none.
    package let declared: DeclaredColumn?

    /// Creates the rule for one flow, as a manifest declares it.
    package init(source: SourceKind, declared: DeclaredColumn?) {
        self.source = source
        self.declared = declared
    }

    /// Returns the outcome for a flow's past: the table itself.
    package func outcome(of past: FlowPast) -> Outcome {
        switch (source, past, declared?.column) {
        case (.table, .neverRan(own: nil), let column?): .firstRequestCarries(column)
        case (.table, .neverRan(own: nil), nil): .missing

        // A flow can be created with a column. Its first run then need not carry one, and cannot carry another.
        case (.table, .neverRan(own: let own?), let column?) where column.isSameColumn(as: own):
            .firstRequestCarries(column)
        case (.table, .neverRan(own: let own?), .some): .fixed(at: own, since: nil)
        case (.table, .neverRan(own: .some), nil): .noRequestCarries

        case (.table, .ran(.some, since: _), nil): .noRequestCarries
        case (.table, .ran(let known?, since: _), let column?) where column.isSameColumn(as: known): .noRequestCarries
        case (.table, .ran(let known?, let run), .some): .fixed(at: known, since: run)
        case (.table, .ran(nil, since: _), _): .noRequestCarriesUnknown

        case (.table, .inDoubt, _): .held

        case (.file, _, .some): .onFile
        case (.file, _, nil): .noRequestCarries
        }
    }

    /// Returns the diagnostic for an outcome, or `nil`.
    ///
    /// - Parameters:
    ///   - outcome: the outcome of the rule.
    ///   - flowPlace: the position of the flow's declaration, for problems without a position of their own.
    ///   - asksForRuns: whether anything is to be requested. A flow with nothing to request needs no column.
    package func diagnostic(for outcome: Outcome, flowPlace: Place, asksForRuns: Bool) -> Diagnostic? {
        let place = declared?.place ?? flowPlace
        switch outcome {
        case .firstRequestCarries, .noRequestCarries, .held: return nil
        case .noRequestCarriesUnknown where asksForRuns:
            return Diagnostic(
                .deltaColumnUnknown, .warning, at: place,
                "the flow has run, but its delta column is not known here; no request carries one",
                suggestion: "'sluice refresh' reads it, if the service reports it; otherwise the flow keeps the column "
                    + "of its first run")
        case .missing where asksForRuns:
            return Diagnostic(
                .deltaColumnMissing, at: flowPlace, "the first run of a table-based flow needs a delta column",
                suggestion: "add 'deltaColumn: {name: COLUMN}'")
        case .noRequestCarriesUnknown, .missing: return nil
        case .fixed(let known, let run):
            let since = run.map { " since \($0.inWords) at \($0.recordedAt)" } ?? " by the flow itself"
            let declaredChange = declared.map { " and cannot become \($0.column.inWords)" } ?? ""
            return Diagnostic(
                .deltaColumnFixed, at: place, "the delta column is fixed at \(known.inWords)\(since)\(declaredChange)",
                suggestion: "write '\(SuggestedYAML.deltaColumn(known))', or leave 'deltaColumn' out")
        case .onFile:
            return Diagnostic(
                .deltaColumnOnFile, at: place, "a file-based flow has no delta column; only a table-based one does",
                suggestion: "leave 'deltaColumn' out, or write 'source: table'")
        }
    }
}

extension DeltaColumn {
    /// The column in words: `'DOB'`, with its format and time zone if given.
    fileprivate var inWords: String {
        let details = [dateFormat.map { "dateFormat \($0)" }, timezone.map { "timezone \($0)" }].compactMap(\.self)
        return "'\(name)'" + (details.isEmpty ? "" : " (\(details.joined(separator: ", ")))")
    }
}

/// A flow's past with respect to its delta column: the middle column of the delta-column rule's table.
package enum FlowPast: Hashable, Sendable {
    /// The flow has no run, or only requests that the service did not accept. `own` is the column of the flow itself.
    case neverRan(own: DeltaColumn?)
    /// The flow has an accepted run. Carries the column, if known, and the run that fixed it.
    case ran(DeltaColumn?, since: RecordedRun)
    /// The flow has no accepted run, but one that may have been accepted.
    case inDoubt

    /// Sums up the ledger's record and runs of a flow.
    ///
    /// - Parameters:
    ///   - record: the ledger's record of the flow, apart from its runs.
    ///   - runs: all of the flow's runs, in any order.
    package init(record: FlowRecord, runs: some Sequence<RecordedRun>) {
        var summary = RunsInSummary()
        for run in runs { summary.add(run) }
        self = summary.past(of: record)
    }
}

/// The few runs that matter to the whole flow, collected during the pass.
struct RunsInSummary {
    private var firstAccepted: RecordedRun?
    private var firstWithColumn: RecordedRun?
    /// The first run in doubt, in the order of the windows.
    private(set) var firstDoubt: RecordedRun?

    mutating func add(_ run: RecordedRun) {
        if run.state.isDoubtful, firstDoubt == nil { firstDoubt = run }
        guard run.state.isAccepted else { return }
        if run.isEarlier(than: firstAccepted) { firstAccepted = run }
        if run.deltaColumn != nil, run.isEarlier(than: firstWithColumn) { firstWithColumn = run }
    }

    /// Returns the flow's past. The flow's own column takes precedence over the one that a request carried.
    func past(of record: FlowRecord) -> FlowPast {
        if let firstAccepted {
            .ran(record.deltaColumn ?? firstWithColumn?.deltaColumn, since: firstWithColumn ?? firstAccepted)
        } else if firstDoubt != nil {
            .inDoubt
        } else {
            .neverRan(own: record.deltaColumn)
        }
    }
}

extension RecordedRun {
    fileprivate func isEarlier(than other: RecordedRun?) -> Bool {
        guard let other else { return true }
        return recordedAt < other.recordedAt
    }
}
