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

    package var kind: Kind { uncommon?.kind ?? .create }
    package let window: Window
    /// The `id` of the rerun to which the request belongs, also when it retries a rerun.
    package var rerun: String? { uncommon?.rerun }
    /// The attempt number; see `RunIdentity.attempt`.
    package let attempt: Int
    /// The delta column that the request must carry; `nil` except for the first request of a table-based flow.
    package var deltaColumn: DeltaColumn? { uncommon?.deltaColumn }
    /// The reason for the request, for reviewers.
    package let reason: String
    /// The service's answer when it refused the previous attempt.
    package var refusal: String? { uncommon?.refusal }
    /// The position of the declared window, series or rerun.
    package let place: Place
    /// The IANA time zone of the window's series, unless UTC. For display only.
    package let timeZone: String?
    /// The series windows that are requested as one run; empty for a single window.
    package var members: [WindowProgression] { uncommon?.members ?? [] }
    /// Whether the window is cut from a series. Such a window is not requested before it has ended by the service's
    /// clock.
    package let isOfSeries: Bool
    /// Uncommon fields, stored separately because a plan can have a million requests without them.
    private let uncommon: UncommonFields?

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
        let isOrdinary =
            kind == .create && rerun == nil && deltaColumn == nil && refusal == nil && members.isEmpty
        uncommon =
            isOrdinary
            ? nil
            : UncommonFields(kind: kind, rerun: rerun, deltaColumn: deltaColumn, refusal: refusal, members: members)
    }

    private final class UncommonFields: Hashable, Sendable {
        let kind: Kind
        let rerun: String?
        let deltaColumn: DeltaColumn?
        let refusal: String?
        let members: [WindowProgression]

        init(
            kind: Kind, rerun: String?, deltaColumn: DeltaColumn?, refusal: String?, members: [WindowProgression]
        ) {
            self.kind = kind
            self.rerun = rerun
            self.deltaColumn = deltaColumn
            self.refusal = refusal
            self.members = members
        }

        static func == (left: UncommonFields, right: UncommonFields) -> Bool {
            left.kind == right.kind && left.rerun == right.rerun && left.deltaColumn == right.deltaColumn
                && left.refusal == right.refusal && left.members == right.members
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(kind)
            hasher.combine(rerun)
            hasher.combine(deltaColumn)
            hasher.combine(refusal)
            hasher.combine(members)
        }
    }

    /// The number of declared windows that the request covers.
    package var windowCount: Int { members.isEmpty ? 1 : members.reduce(0) { $0 + $1.count } }

    /// Returns the request with another delta column, or without one.
    package func carrying(_ column: DeltaColumn?) -> PlannedAction {
        guard column != deltaColumn else { return self }
        return PlannedAction(
            kind: kind, window: window, rerun: rerun, attempt: attempt, deltaColumn: column, reason: reason,
            refusal: refusal, place: place, timeZone: timeZone, members: members, isOfSeries: isOfSeries)
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
    func moved(by milliseconds: Int64, lines: Int) -> PlannedAction { PlannedAction(self, by: milliseconds, lines) }

    private init(_ other: PlannedAction, by milliseconds: Int64, _ lines: Int) {
        window = other.window.moved(by: milliseconds)
        attempt = other.attempt
        reason = other.reason
        place = Place(
            file: other.place.file, line: other.place.line + lines, column: other.place.column,
            length: other.place.length)
        timeZone = other.timeZone
        isOfSeries = other.isOfSeries
        uncommon = other.uncommon
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
