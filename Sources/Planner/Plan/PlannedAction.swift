import FlowRuns
import Manifests

/// A request that is missing.
package struct PlannedAction: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The window was never run.
        case create
        /// The window's run did not end as it should. The service re-runs failed and empty runs on request
        /// (`re-trigger`); for other runs the window is requested as a new run.
        case retry(of: RunID, asNewRun: Bool = false)
        /// The manifest declares one more run of a window that was already run.
        case rerun

        /// The run that the request retries.
        package var retried: RunID? { if case .retry(let run, _) = self { run } else { nil } }
        /// The run to re-trigger on the service; `nil` if the request is not a re-trigger.
        package var retriggered: RunID? { if case .retry(let run, false) = self { run } else { nil } }
    }

    package var kind: Kind { fields?.kind ?? .create }
    package private(set) var window: Window
    /// The `id` of the rerun to which the request belongs, also when it retries a rerun.
    package var rerun: String? { fields?.rerun }
    /// The attempt number; see `RunIdentity.attempt`.
    package let attempt: Int
    /// The delta column that the request must carry; `nil` except for the first request of a table-based flow.
    package var deltaColumn: DeltaColumn? { fields?.deltaColumn }
    /// The reason for the request, for reviewers.
    package private(set) var reason: String
    /// The service's answer when it refused the previous attempt.
    package var refusal: String? { fields?.refusal }
    /// The position of the declared window, series or rerun.
    package private(set) var place: Place
    /// The IANA time zone of the window's series, unless UTC. For display only.
    package let timeZone: String?
    /// The series windows that are requested as one run; empty for a single window.
    package var members: [WindowProgression] { fields?.members ?? [] }
    /// Whether the window is cut from a series. Such a window is not requested before it has ended by the service's
    /// clock.
    package let isOfSeries: Bool
    /// Uncommon fields, stored separately because a plan can have a million requests without them.
    private var uncommon: Boxed?

    package init(
        kind: Kind, window: Window, rerun: String? = nil, attempt: Int = 1, deltaColumn: DeltaColumn? = nil,
        reason: String, refusal: String? = nil, place: Place, timeZone: String? = nil,
        members: [WindowProgression] = [], isOfSeries: Bool = false
    ) {
        self.window = window
        self.attempt = attempt
        self.reason = reason
        self.place = place
        self.timeZone = timeZone
        self.isOfSeries = isOfSeries
        fields = UncommonFields(
            kind: kind, rerun: rerun, deltaColumn: deltaColumn, refusal: refusal, members: members)
    }

    private struct UncommonFields: Hashable, Sendable {
        var kind = Kind.create
        var rerun: String?
        var deltaColumn: DeltaColumn?
        var refusal: String?
        var members: [WindowProgression] = []
    }

    /// A reference to fields, with the size of a pointer.
    private indirect enum Boxed: Hashable, Sendable {
        case fields(UncommonFields)
    }

    private var fields: UncommonFields? {
        get { if case .fields(let fields)? = uncommon { fields } else { nil } }
        set { uncommon = newValue.flatMap { $0 == UncommonFields() ? nil : .fields($0) } }
    }

    /// The number of declared windows that the request covers.
    package var windowCount: Int { members.isEmpty ? 1 : members.reduce(0) { $0 + $1.count } }

    /// Returns the request with another delta column, or without one.
    ///
    /// - Parameters:
    ///   - column: the delta column.
    ///   - reason: the reason for the request, if it changes.
    package func carrying(_ column: DeltaColumn?, because reason: String? = nil) -> PlannedAction {
        var action = self
        var fields = fields ?? UncommonFields()
        fields.deltaColumn = column
        action.fields = fields
        action.reason = reason ?? self.reason
        return action
    }

    /// Whether `other` is the same request for another window of equal length, declared in the same column of the same
    /// file.
    func differsOnlyInPlace(from other: PlannedAction) -> Bool {
        window.end.milliseconds &- window.start.milliseconds
            == other.window.end.milliseconds &- other.window.start.milliseconds
            && isOfSeries == other.isOfSeries && attempt == other.attempt && uncommon == other.uncommon
            && reason == other.reason && timeZone == other.timeZone && place.file == other.place.file
            && place.column == other.place.column && place.length == other.place.length
    }

    /// Returns the request for a window shifted by `milliseconds` and declared `lines` lines further down.
    func moved(by milliseconds: Int64, lines: Int) -> PlannedAction {
        var action = self
        action.window = window.moved(by: milliseconds)
        action.place = Place(file: place.file, line: place.line + lines, column: place.column, length: place.length)
        return action
    }

    /// Returns the identity that a claim of the request records.
    package func identity(in flow: FlowID) -> RunIdentity { RunIdentity(key(in: flow), attempt: attempt) }

    /// Returns the key of the request, independent of the attempt.
    package func key(in flow: FlowID) -> RunKey { RunKey(flow: flow, window: window, rerun: rerun) }

    /// Returns the `POST /runs` request. A re-trigger has no body: the address names the failed run.
    package func request(for flow: FlowID) -> RunRequest {
        RunRequest(flow: flow, window: window, deltaColumn: deltaColumn)
    }
}

extension FlowDeclaration.Order {
    /// Whether `left` is sent before `right`: by window, and the ordinary run before the reruns of its window.
    package func isSentBefore(_ left: PlannedAction, _ right: PlannedAction) -> Bool {
        guard left.window != right.window else { return left.rerun ?? "" < right.rerun ?? "" }
        return switch self {
        case .oldestFirst: left.window < right.window
        case .newestFirst: right.window < left.window
        }
    }
}
