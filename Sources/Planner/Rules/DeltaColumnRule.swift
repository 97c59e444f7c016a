import FlowRuns
import Manifests

/// The delta-column rule: which request of a flow carries the column, and which declarations break the rule. The switch
/// in ``outcome(of:)`` is the design's table, row by row.
package struct DeltaColumnRule: Hashable, Sendable {
    /// The right column of the table.
    package enum Outcome: Hashable, Sendable {
        /// The flow's first request carries it, no other does.
        case firstRequestCarries(DeltaColumn)
        case noRequestCarries
        /// No request carries it, and a warning advises `refresh`: the flow has run, with a column nobody here knows.
        case noRequestCarriesUnknown
        /// Nothing is sent until the doubt is resolved.
        case held
        /// Error: the first run needs one.
        case missing
        /// Error: the flow has another column, since the run that is named (or by the flow's own making).
        case fixed(at: DeltaColumn, since: RecordedRun?)
        /// Error: only table-based sources have one.
        case onFile
    }

    /// The left column of the table: the kind of the flow's source.
    package let source: SourceKind
    /// The manifest's delta column, `nil` when it gives none.
    package let declared: DeclaredColumn?

    /// The rule for one flow, as a manifest declares it.
    package init(source: SourceKind, declared: DeclaredColumn?) {
        self.source = source
        self.declared = declared
    }

    /// The table itself.
    package func outcome(of past: FlowPast) -> Outcome {
        switch (source, past, declared?.column) {
        case (.table, .neverRan(own: nil), let column?): .firstRequestCarries(column)
        case (.table, .neverRan(own: nil), nil): .missing

        // A flow may be made with a column: then a first run need not bring one, and cannot bring another.
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

    /// What an outcome has to tell a person, if anything.
    ///
    /// - Parameters:
    ///   - flowPlace: where the flow is declared, for what has no place of its own.
    ///   - asksForRuns: whether anything is to be requested at all; a flow with nothing to do needs no column.
    package func diagnostic(for outcome: Outcome, flowPlace: Place, asksForRuns: Bool) -> Diagnostic? {
        let place = declared?.place ?? flowPlace
        switch outcome {
        case .firstRequestCarries, .noRequestCarries, .held: return nil
        case .noRequestCarriesUnknown where asksForRuns:
            return Diagnostic(
                .deltaColumnUnknown, .warning, at: place,
                "the flow has run, but its delta column is not known here; no request carries one",
                suggestion: "'sluice refresh' reads it from the service")
        case .missing where asksForRuns:
            return Diagnostic(
                .deltaColumnMissing, at: flowPlace, "the first run of a table-based flow needs a delta column",
                suggestion: "add 'deltaColumn: {name: COLUMN}'")
        case .noRequestCarriesUnknown, .missing: return nil
        case .fixed(let known, let run):
            let since = run.map { " since \($0.inWords) at \($0.recordedAt)" } ?? " by the flow itself"
            let wanted = declared.map { " and cannot become \($0.column.inWords)" } ?? ""
            return Diagnostic(
                .deltaColumnFixed, at: place, "the delta column is fixed at \(known.inWords)\(since)\(wanted)",
                suggestion: "write \(known.inWords), or leave 'deltaColumn' out")
        case .onFile:
            return Diagnostic(
                .deltaColumnOnFile, at: place, "a file-based flow has no delta column; only a table-based one does",
                suggestion: "leave 'deltaColumn' out, or write 'source: table'")
        }
    }
}

extension DeltaColumn {
    /// `'DOB'`, with its format and time zone where they are given.
    fileprivate var inWords: String {
        let details = [dateFormat.map { "dateFormat \($0)" }, timezone.map { "timezone \($0)" }].compactMap(\.self)
        return "'\(name)'" + (details.isEmpty ? "" : " (\(details.joined(separator: ", ")))")
    }
}
