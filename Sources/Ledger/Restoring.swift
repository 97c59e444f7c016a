import FlowRuns

extension LedgerTransaction {
    /// See ``Ledger/restore(_:_:)``. A flow keeps its exported revision when it was unknown, and counts up when rows
    /// are added to one that was known.
    package mutating func restore(_ flows: [FlowRecord], _ entries: [LedgerEntry]) throws(LedgerError) {
        var restored: Set<FlowID> = []
        for record in flows {
            guard record.revision > 0 else {
                throw .importConflict("flow \(record.id) has revision \(record.revision)")
            }
            let known = try self.record(of: record.id)
            if known.revision == 0 {
                try save(record)
                restored.insert(record.id)
            } else if known != record {
                throw .importConflict(
                    "flow \(record.id) is recorded with revision \(known.revision), not \(record.revision), "
                        + "or with another delta column or time of contact")
            }
        }
        var grown: Set<FlowID> = []
        for entry in entries {
            let identity = entry.run.identity
            if let fault = entry.fault { throw .importConflict("\(identity.inWords): \(fault)") }
            if try insert(entry) {
                if !restored.contains(identity.flow) { grown.insert(identity.flow) }
            } else if try self.entry(identity) != entry {
                throw .importConflict("\(identity.inWords) is recorded otherwise, or its run id is another run's")
            }
        }
        for flow in grown.sorted() { try countUp(flow) }
    }
}

extension RunIdentity {
    /// For messages: `flow 3abe…, window [1, 2), rerun fix-418, attempt 1`.
    var inWords: String {
        let window = window.map { "window [\($0.start.seconds), \($0.end.seconds))" } ?? "unknown window"
        let rerun = rerun.map { ", rerun \($0)" } ?? ""
        return "flow \(flow), \(window)\(rerun), attempt \(attempt)"
    }
}
