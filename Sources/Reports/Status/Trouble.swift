import FlowRuns

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

        /// The word after a count, as in `2 failed`.
        var inWords: String {
            switch self {
            case .brokenRule: "error"
            case .failed: "failed"
            case .tooFewRecords: "with too few records"
            case .unreadable: "held"
            case .refused: "refused"
            case .ingestedTooOften: "ingested too often"
            case .inDoubt: "held"
            case .notCompared: "held"
            case .retry: "to retry"
            case .partial: "partial"
            case .waiting: "waiting"
            case .overLimit: "over a limit"
            case .paused: "paused"
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
        case .paused: "paused"
        case .unreadable, .notCompared: "held"
        case .inDoubt: "in doubt"
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
