import Text

/// A deterministic assignment of faults to requests: equal seeds and equal sequences of requests give equal faults.
struct FaultPlan: Hashable, Sendable {
    let faults: [Fault]
    let seed: UInt64

    /// Returns the first fault in the list that applies to a request.
    ///
    /// - Parameters:
    ///   - number: The number of the request, counted from 1 within the scope.
    ///   - isReused: Whether the connection has carried an earlier request.
    func fault(_ scope: Fault.Scope, number: Int, isReused: Bool) -> Fault.Kind? {
        for (place, fault) in faults.enumerated() where fault.scope == scope || fault.scope == .any {
            if fault.kind == .closeIdle, !isReused { continue }
            if applies(fault, at: place, number: number) { return fault.kind }
        }
        return nil
    }

    private func applies(_ fault: Fault, at place: Int, number: Int) -> Bool {
        if let only = fault.only, only != number { return false }
        var random = SeededGenerator(seed: seed, choice: "fault \(place)", number: UInt64(number))
        return random.happens(fault.rate)
    }
}
