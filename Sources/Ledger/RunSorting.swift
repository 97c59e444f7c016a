import FlowRuns

extension RunIdentity {
    /// The order of every listing and export: by flow, window (unknown first), rerun (none first) and attempt. Text is
    /// compared by its bytes, as the databases do.
    package func precedes(_ other: RunIdentity) -> Bool {
        if flow != other.flow { return flow < other.flow }
        if window != other.window {
            guard let window else { return true }
            guard let otherWindow = other.window else { return false }
            return window < otherWindow
        }
        let (mine, others) = ((rerun ?? "").utf8, (other.rerun ?? "").utf8)
        if !mine.elementsEqual(others) { return mine.lexicographicallyPrecedes(others) }
        return attempt < other.attempt
    }

    /// Whether both ask for the same window and rerun, whatever the attempt.
    package func isOfSameRequest(as other: RunIdentity) -> Bool {
        flow == other.flow && window == other.window && (rerun ?? "").utf8.elementsEqual((other.rerun ?? "").utf8)
    }

    /// `flow 3abe…, window [1, 2), rerun fix-418, attempt 1`
    var inWords: String {
        let window = window.map { "window [\($0.start.seconds), \($0.end.seconds))" } ?? "unknown window"
        let rerun = rerun.map { ", rerun \($0)" } ?? ""
        return "flow \(flow), \(window)\(rerun), attempt \(attempt)"
    }
}

extension RecordedRun {
    /// A request of ours that the service took, or may have taken, and that has not failed: as long as it stands, no
    /// other request for its window and rerun may be claimed. Each store's own index says the same.
    package var isLivingRequest: Bool {
        origin == .request && [.intended, .inDoubt, .accepted, .succeeded, .partial].contains(state)
    }
}

extension [RecordedRun] {
    /// Where the identity is, or would be, in a sorted array.
    func position(of identity: RunIdentity) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].identity.precedes(identity) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Every attempt at the identity's window and rerun, by attempt.
    func attempts(of identity: RunIdentity) -> ArraySlice<RecordedRun> {
        let first = RunIdentity(
            flow: identity.flow, window: identity.window, rerun: identity.rerun, attempt: .min)
        return self[position(of: first)...].prefix { $0.identity.isOfSameRequest(as: identity) }
    }
}
