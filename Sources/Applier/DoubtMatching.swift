import FlowRuns
import Ledger

/// Tells which runs on the service are the doubtful requests of a flow. Pure.
///
/// A run is a candidate when the ledger does not know its id and it was made no earlier than the request was claimed.
/// Among candidates of the same window the earliest goes to the earliest request.
struct DoubtMatching {
    /// How far the service's clock may be behind ours.
    static let clockTolerance = Duration.seconds(60)

    private(set) var found: [RunIdentity: RunID] = [:]
    /// Candidates whose window the service does not tell: any doubt may be theirs, so none may be called absent.
    private(set) var unreadable: [ObservedRun] = []
    /// Everything that is no candidate for a doubt: safe to record as it is.
    private(set) var others: [ObservedRun] = []

    /// - Parameters:
    ///   - recorded: all runs of the flow, the doubtful ones among them.
    ///   - observed: all runs of the flow on the service.
    ///   - acknowledged: runs of unknown window that are known to be somebody else's.
    init(recorded: [RecordedRun], observed: [ObservedRun], acknowledged: Set<RunID> = []) {
        let known = Set(recorded.compactMap(\.id))
        var doubts = recorded.filter(\.state.isDoubtful).sorted { $0.recordedAt < $1.recordedAt }
        let earliest = doubts.first?.recordedAt ?? .max
        // The service gives each run its time; one without could be anybody's, so also ours.
        func isTimely(_ run: ObservedRun, _ claimedAt: Timestamp) -> Bool {
            run.createdAt == Timestamp(seconds: 0) || run.createdAt >= claimedAt - Self.clockTolerance
        }
        for run in observed.sorted(by: { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }) {
            let isCandidate = !known.contains(run.id) && !doubts.isEmpty && isTimely(run, earliest)
            guard isCandidate, !acknowledged.contains(run.id) else {
                others.append(run)
                continue
            }
            guard let window = run.window else {
                unreadable.append(run)
                continue
            }
            let match = doubts.firstIndex {
                $0.window == window && isTimely(run, $0.recordedAt)
            }
            if let match {
                found[doubts.remove(at: match).identity] = run.id
            }
            others.append(run)
        }
        if doubts.isEmpty {
            others += unreadable
            unreadable = []
        }
    }
}
