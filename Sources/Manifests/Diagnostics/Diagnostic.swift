/// A problem in a manifest or a plan: its position, a message and a suggestion.
package struct Diagnostic: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        case error
        case warning
    }

    /// A related position, such as the first of two declarations.
    package struct Note: Hashable, Sendable {
        package let place: Place
        package let message: String

        package init(place: Place, message: String) {
            self.place = place
            self.message = message
        }
    }

    package let code: DiagnosticCode
    package let severity: Severity
    /// The position in a file; `nil` if the problem has none.
    package let place: Place?
    /// The problem in one sentence, without a full stop.
    package let message: String
    /// The suggested fix, if there is one: `did you mean 'deltaColumn'?`
    package let suggestion: String?
    package let notes: [Note]

    package init(
        _ code: DiagnosticCode, _ severity: Severity = .error, at place: Place?, _ message: String,
        suggestion: String? = nil, notes: [Note] = []
    ) {
        self.code = code
        self.severity = severity
        self.place = place
        self.message = message
        self.suggestion = suggestion
        self.notes = notes
    }
}

extension [Diagnostic] {
    /// Whether any diagnostic is an error, which prevents the plan from being applied.
    package var hasErrors: Bool { contains { $0.severity == .error } }

    /// Returns the diagnostics sorted by position for display, those without a position first.
    package func sortedByPlace() -> [Diagnostic] {
        func key(_ diagnostic: Diagnostic) -> (String, Int, Int, String, String) {
            let place = diagnostic.place
            return (
                place?.file ?? "", place?.line ?? 0, place?.column ?? 0, diagnostic.code.rawValue, diagnostic.message
            )
        }
        return sorted { key($0) < key($1) }
    }
}
