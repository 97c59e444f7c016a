import FlowRuns

/// Decides which request is struck by which fault: the same seed and the same order of requests give the same faults.
struct FaultPlan: Hashable, Sendable {
    let faults: [Fault]
    let seed: Seed

    /// The first fault of the list that strikes.
    ///
    /// - Parameters:
    ///   - number: which request of the scope it is, counted from 1.
    ///   - isReused: whether its connection has carried a request before.
    func strike(_ scope: Fault.Scope, number: Int, isReused: Bool) -> Fault.Kind? {
        for (place, fault) in faults.enumerated() where fault.scope == scope || fault.scope == .any {
            if case .listingLag = fault.kind { continue }
            if fault.kind == .closeIdle, !isReused { continue }
            if strikes(fault, at: place, number: number) { return fault.kind }
        }
        return nil
    }

    /// How long after its making a run shows in lists.
    ///
    /// - Parameter number: which run of the sandbox it is, counted from 1.
    func listingLag(ofRun number: Int) -> Duration {
        var longest = Duration.zero
        for (place, fault) in faults.enumerated() {
            guard case .listingLag(let lag) = fault.kind, strikes(fault, at: place, number: number) else { continue }
            longest = max(longest, lag)
        }
        return longest
    }

    private func strikes(_ fault: Fault, at place: Int, number: Int) -> Bool {
        if let only = fault.only, only != number { return false }
        return fault.rate >= 1 || seed.fraction(.fault(place), UInt64(number)) < fault.rate
    }
}
