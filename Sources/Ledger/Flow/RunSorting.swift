import FlowRuns

extension RunIdentity {
    /// `flow 3abe…, window [1, 2), rerun fix-418, attempt 1`
    var inWords: String {
        let window = window.map { "window [\($0.start.seconds), \($0.end.seconds))" } ?? "unknown window"
        let rerun = rerun.map { ", rerun \($0)" } ?? ""
        return "flow \(flow), \(window)\(rerun), attempt \(attempt)"
    }
}

extension RecordedRun {
    /// A request of ours that the service took, or may have taken, and that is under way or brought all of its records:
    /// as long as it stands, no other request for its window and rerun may be claimed. Each store's own index says the
    /// same.
    package var isActiveRequest: Bool {
        origin == .request && ([.intended, .inDoubt, .accepted].contains(state) || state == .succeeded && !isEmpty)
    }

    /// A request of ours that ended with failed records, or without any: only a retry that is declared may follow it.
    var isIncompleteRequest: Bool { origin == .request && (state == .partial || isEmpty) }
}

extension [RecordedRun] {
    /// Returns the position of the identity in a sorted array, or the position at which it would be inserted.
    func position(of identity: RunIdentity) -> Int {
        partitioningIndex { $0.identity >= identity }
    }

    /// Every attempt at it, by attempt.
    package func attempts(at key: RunKey) -> ArraySlice<RecordedRun> {
        self[position(of: RunIdentity(key, attempt: .min))...].prefix { $0.identity.key == key }
    }
}
