import FlowRuns

/// The one word that each state has in text, options, JSON and metrics. Ledgers, exports and saved plans keep the raw
/// values of version 0.1.0.
extension RunState {
    package var inWords: String {
        switch self {
        case .intended: "claimed"
        case .accepted: "running"
        case .rejected: "refused"
        case .inDoubt: "in doubt"
        case .released, .succeeded, .partial, .failed: rawValue
        }
    }

    /// The word as a value in JSON and metrics.
    package var name: String { self == .inDoubt ? rawValue : inWords }

    /// Creates a state from its word, as printed or as in JSON, or from the word of version 0.1.0.
    package init?(word: String) {
        let letters = word.lowercased().filter(\.isLetter)
        let state = RunState.allCases.first { state in
            [state.inWords, state.rawValue].contains { $0.lowercased().filter(\.isLetter) == letters }
        }
        guard let state else { return nil }
        self = state
    }

    var tone: TextStyle.Tone {
        switch self {
        case .succeeded: .good
        case .failed, .rejected: .error
        case .partial, .inDoubt, .intended: .warning
        case .accepted: .active
        case .released: .quiet
        }
    }

    /// An emoji that identifies the state without relying on colour alone.
    var sign: String {
        switch self {
        case .succeeded: "✅"
        case .partial: "🟡"
        case .failed: "❌"
        case .rejected: "⛔"
        case .inDoubt, .intended: "❓"
        case .accepted: "⏳"
        case .released: "↩️"
        }
    }
}
