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

    /// Whether both ask for the same window by the same name, whatever the attempt.
    func isOfSameWindow(as other: RunIdentity) -> Bool {
        flow == other.flow && window == other.window && (rerun ?? "").utf8.elementsEqual((other.rerun ?? "").utf8)
    }

    /// Whether a request may have it: the window is known, and attempts count from 1.
    var isClaimable: Bool { window != nil && attempt >= 1 && rerun != "" }
}

extension RecordedRun {
    /// A request of ours that the service took, or perhaps took, and that has not failed: as long as it stands, no
    /// other request for its window and rerun may be claimed. Each store's own index says the same.
    package var isLivingRequest: Bool {
        origin == .request && [.intended, .inDoubt, .accepted, .succeeded, .partial].contains(state)
    }
}
