/// One fault of a manifest, or one broken rule of a plan: where, what is wrong, and what to write instead.
public struct Diagnostic: Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable, CaseIterable {
        case error
        case warning
    }

    /// Another place that the fault has to do with, such as the first of two declarations.
    public struct Note: Hashable, Sendable {
        public let place: Place
        public let message: String

        public init(place: Place, message: String) {
            self.place = place
            self.message = message
        }
    }

    public let code: DiagnosticCode
    public let severity: Severity
    /// `nil` where the fault has no place in a file.
    public let place: Place?
    /// What is wrong, one sentence without a full stop.
    public let message: String
    /// What to write instead, when that can be told: `did you mean 'deltaColumn'?`
    public let suggestion: String?
    public let notes: [Note]

    public init(
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
    public var hasErrors: Bool { contains { $0.severity == .error } }

    /// By place; those without one first. The order in which people read them.
    public func sortedByPlace() -> [Diagnostic] {
        func key(_ diagnostic: Diagnostic) -> (String, Int, Int, String, String) {
            let place = diagnostic.place
            return (
                place?.file ?? "", place?.line ?? 0, place?.column ?? 0, diagnostic.code.rawValue, diagnostic.message
            )
        }
        return sorted { key($0) < key($1) }
    }
}
