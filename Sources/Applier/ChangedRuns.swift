import FlowRuns
import Ledger

/// Which of a flow's runs a refresh has to read: those that are new, and those that had not ended. Pure.
///
/// A run that has ended is never read again for its own sake: nothing leaves a final state.
struct ChangedRuns {
    /// How long after its making a run may be missing from a listing. Generous: it costs at most the pages of a day.
    static let listingLag = Duration.seconds(86_400)
    /// So many runs are rather asked for one by one than looked for on further pages.
    static let askedForSingly = 10

    private let known: Set<RunID>
    /// Everything made before was listed at the last refresh.
    private let horizon: Timestamp
    /// Runs under way, and those whose window nobody knows yet.
    private let open: Set<RunID>

    /// `nil` when all runs must be read: the flow was never compared with the service, or a doubt has to be resolved,
    /// for which a run must be surely absent.
    ///
    /// - Parameters:
    ///   - recorded: all runs of the flow.
    ///   - acknowledged: runs of unknown window that the manifest calls somebody else's.
    init?(record: FlowRecord, recorded: [RecordedRun], acknowledged: Set<RunID>) {
        guard let contactedAt = record.contactedAt, !recorded.contains(where: \.state.isDoubtful) else { return nil }
        known = Set(recorded.compactMap(\.id))
        horizon = contactedAt - Self.listingLag
        let unended = recorded.filter { $0.isUnderWay || $0.window == nil }.compactMap(\.id)
        open = Set(unended).subtracting(acknowledged)
    }

    /// Whether what was listed so far, newest first, leaves nothing new to be found on further pages.
    func isCovered(by listed: [ObservedRun]) -> Bool {
        let isNewestFirst = zip(listed, listed.dropFirst()).allSatisfy { $0.createdAt >= $1.createdAt }
        guard isNewestFirst, let first = listed.first, let last = listed.last, first.createdAt > last.createdAt,
            last.createdAt > Timestamp(seconds: 0), last.createdAt < horizon
        else { return false }
        return listed.allSatisfy { $0.createdAt >= horizon || known.contains($0.id) }
            && missing(from: listed).count <= Self.askedForSingly
    }

    /// Runs that were open and are not among those listed: to be asked for by their ids.
    func missing(from listed: [ObservedRun]) -> [RunID] {
        open.subtracting(listed.map(\.id)).sorted()
    }
}
