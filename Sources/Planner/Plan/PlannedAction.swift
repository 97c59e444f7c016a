import FlowRuns
import Manifests
import RunRequests

/// One request that is missing.
package struct PlannedAction: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The window was never run.
        case create
        /// Its run did not end as it should; the service is asked to run it again (`re-trigger`). That does so with runs
        /// that failed or had no records only: for others the window is requested as a new run.
        case retry(of: RunID, asNewRun: Bool = false)
        /// The manifest asks for one more run of a window that was run before.
        case rerun

        /// The run that it retries.
        package var retried: RunID? { if case .retry(let run, _) = self { run } else { nil } }
        /// The run that the service is asked to run again.
        package var retriggered: RunID? { if case .retry(let run, false) = self { run } else { nil } }
    }

    package var kind: Kind { rare?.kind ?? .create }
    package let window: Window
    /// The `id` of the rerun that it belongs to, also when it retries one.
    package var rerun: String? { rare?.rerun }
    /// See ``RunIdentity/attempt``.
    package let attempt: Int
    /// Given when this request must carry it: the first of a table-based flow.
    package var deltaColumn: DeltaColumn? { rare?.deltaColumn }
    /// Why it is asked for, in words for the reviewer.
    package let reason: String
    /// What the service said when it refused an earlier attempt.
    package var refusal: String? { rare?.refusal }
    /// Where the window, series or rerun is declared.
    package let place: Place
    /// Of the series that it is cut from, where that is not UTC: an IANA name. For people only.
    package let timeZone: String?
    /// The windows of a series that it asks for as one run; empty where it asks for its window alone.
    package var members: [WindowProgression] { rare?.members ?? [] }
    /// Whether its window is cut from a series: then it is not requested before it has ended by the service's clock.
    package let isOfSeries: Bool
    /// What only few requests have; apart, since a plan may have a million of the others.
    private let rare: Rare?

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
        rare =
            isOrdinary
            ? nil : Rare(kind: kind, rerun: rerun, deltaColumn: deltaColumn, refusal: refusal, members: members)
    }

    private final class Rare: Hashable, Sendable {
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

        static func == (left: Rare, right: Rare) -> Bool {
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

    /// How many declared windows it asks for.
    package var windowCount: Int { members.isEmpty ? 1 : members.reduce(0) { $0 + $1.count } }

    /// The same request with another delta column, or without one.
    package func carrying(_ column: DeltaColumn?) -> PlannedAction {
        guard column != deltaColumn else { return self }
        return PlannedAction(
            kind: kind, window: window, rerun: rerun, attempt: attempt, deltaColumn: column, reason: reason,
            refusal: refusal, place: place, timeZone: timeZone, members: members, isOfSeries: isOfSeries)
    }

    /// Whether it is the same request of another, equally long window, declared in the same column of that file.
    func differsOnlyInPlace(from other: PlannedAction) -> Bool {
        window.end.milliseconds &- window.start.milliseconds
            == other.window.end.milliseconds &- other.window.start.milliseconds
            && isOfSeries == other.isOfSeries && attempt == other.attempt && rare == other.rare
            && reason == other.reason && timeZone == other.timeZone && place.file == other.place.file
            && place.column == other.place.column && place.length == other.place.length
    }

    /// The same request of a window that is so many milliseconds later, declared so many lines below.
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
        rare = other.rare
    }

    /// What claiming it claims.
    package func identity(in flow: FlowID) -> RunIdentity { RunIdentity(key(in: flow), attempt: attempt) }

    /// What it asks for, whatever the attempt.
    package func key(in flow: FlowID) -> RunKey { RunKey(flow: flow, window: window, rerun: rerun) }

    /// The `POST /runs` that it stands for. (A retry sends no body: it names the failed run in the address.)
    package func request(for flow: FlowID) -> RunRequest {
        RunRequest(flow: flow, window: window, deltaColumn: deltaColumn)
    }
}
