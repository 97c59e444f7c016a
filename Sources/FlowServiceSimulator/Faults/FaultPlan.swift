import RandomNumbers

/// Decides which request is struck by which fault: the same seed and the same order of requests give the same faults.
struct FaultPlan: Hashable, Sendable {
    let faults: [Fault]
    let seed: UInt64

    /// The first fault of the list that strikes.
    ///
    /// - Parameters:
    ///   - number: which request of the scope it is, counted from 1.
    ///   - isReused: whether its connection has carried a request before.
    func strike(_ scope: Fault.Scope, number: Int, isReused: Bool) -> Fault.Kind? {
        for (place, fault) in faults.enumerated() where fault.scope == scope || fault.scope == .any {
            if fault.kind == .closeIdle, !isReused { continue }
            if strikes(fault, at: place, number: number) { return fault.kind }
        }
        return nil
    }

    private func strikes(_ fault: Fault, at place: Int, number: Int) -> Bool {
        if let only = fault.only, only != number { return false }
        var random = SeededGenerator(seed: seed, choice: "fault \(place)", number: UInt64(number))
        return random.happens(fault.rate)
    }
}
