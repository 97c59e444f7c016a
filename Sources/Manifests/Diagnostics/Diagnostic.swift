/// What is wrong with a manifest or a plan, where, and what to write instead.
package struct Diagnostic: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        case error
        case warning
    }

    /// Another place that it has to do with, such as the first of two declarations.
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
    /// `nil` where it has no place in a file.
    package let place: Place?
    /// What is wrong, one sentence without a full stop.
    package let message: String
    /// What to write instead, when that can be told: `did you mean 'deltaColumn'?`
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
    /// Whether anything here stops a plan from being applied.
    package var hasErrors: Bool { contains { $0.severity == .error } }

    /// By place; those without one first. The order in which people read them.
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
