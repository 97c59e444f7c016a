import FlowRuns

/// Whether a ledger keeps its promises. Whatever it finds is a defect of a program or a damaged file, never a user's
/// mistake.
package enum LedgerVerification {
    /// How far the clocks of two machines may be apart before a claim counts as made in the future.
    static let clockTolerance = Duration.seconds(300)

    /// The violated invariants, in words, flow by flow.
    ///
    /// - Parameter now: claims later than this, and 5 minutes for the clocks, are in the future.
    package static func faults(flows: [FlowRecord], entries: [LedgerEntry], now: Timestamp) -> [String] {
        let records = Dictionary(flows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let runs = Dictionary(grouping: entries, by: \.run.flow)
        return Set(records.keys).union(runs.keys).sorted().flatMap { flow in
            let entries = runs[flow, default: []].sorted { $0.run.identity.precedes($1.run.identity) }
            return recordFaults(of: flow, records[flow]) + entries.flatMap { rowFaults(of: $0, now: now) }
                + attemptFaults(of: entries) + columnFaults(of: flow, records[flow], entries)
        } + runIDFaults(of: entries)
    }

    private static func recordFaults(of flow: FlowID, _ record: FlowRecord?) -> [String] {
        guard let record, record.revision > 0 else { return ["flow \(flow) has runs, but no revision"] }
        return []
    }

    private static func rowFaults(of entry: LedgerEntry, now: Timestamp) -> [String] {
        var faults: [String] = []
        if let fault = entry.fault { faults.append(fault) }
        if entry.run.origin == .request {
            if entry.request == nil { faults.append("its request is not kept") }
            if entry.run.recordedAt > now + clockTolerance { faults.append("claimed in the future") }
        }
        return faults.map { "\(entry.run.identity.inWords): \($0)" }
    }

    private static func attemptFaults(of entries: [LedgerEntry]) -> [String] {
        var faults: [String] = []
        var rest = entries[...]
        while let first = rest.first?.run.identity {
            let attempts = rest.prefix { $0.run.identity.isOfSameWindow(as: first) }.map(\.run)
            rest = rest.dropFirst(attempts.count)
            let living = attempts.count(where: \.isLivingRequest)
            if living > 1 { faults.append("\(first.inWords) and later: \(living) requests that have not failed") }
            // Among runs of others there may be gaps, where a request has taken over the row of a refresh.
            let areAllOurs = attempts.allSatisfy { $0.origin == .request }
            for (index, run) in attempts.enumerated() {
                if index > 0, attempts[index - 1].identity.attempt == run.identity.attempt {
                    faults.append("\(run.identity.inWords): recorded twice")
                } else if areAllOurs, run.identity.attempt != index + 1 {
                    faults.append("\(run.identity.inWords): an attempt before it is missing")
                }
            }
        }
        return faults
    }

    /// The delta-column rule, as far as it can be seen from what was accepted.
    private static func columnFaults(of flow: FlowID, _ record: FlowRecord?, _ entries: [LedgerEntry]) -> [String] {
        let accepted = entries.map(\.run).filter { $0.origin == .request && $0.state.isAccepted }
        let carriers = accepted.filter { $0.deltaColumn != nil }
        guard let carrier = carriers.first, let column = carrier.deltaColumn else { return [] }
        var faults: [String] = []
        if let other = carriers.compactMap(\.deltaColumn).first(where: { !$0.isSameColumn(as: column) }) {
            faults.append("flow \(flow) accepted two delta columns, \(column.name) and \(other.name)")
        } else if carriers.count > 1 {
            faults.append("flow \(flow) accepted its delta column \(carriers.count) times")
        }
        if carriers.count == 1, accepted.contains(where: { $0.recordedAt < carrier.recordedAt }) {
            faults.append("\(carrier.identity.inWords): has the delta column, but is not the flow's first request")
        }
        if let fixed = record?.deltaColumn, !fixed.isSameColumn(as: column) {
            faults.append("flow \(flow) accepted the delta column \(column.name), but its own is \(fixed.name)")
        }
        return faults
    }

    private static func runIDFaults(of entries: [LedgerEntry]) -> [String] {
        let runs = Dictionary(grouping: entries.compactMap(\.run.id), by: \.self)
        return runs.filter { $0.value.count > 1 }.keys.sorted().map { "the run id \($0) is recorded more than once" }
    }
}

extension Ledger {
    /// Checks the store itself, and every invariant of what it holds.
    ///
    /// - Returns: what is wrong, in words; empty when the ledger is sound.
    package func verify(now: Timestamp) async throws(LedgerError) -> [String] {
        let storeFaults = try await storeFaults()
        // Flows last: one that appears in between has a record, and not yet a run.
        let entries = try await entries(of: nil)
        return storeFaults + LedgerVerification.faults(flows: try await flows(), entries: entries, now: now)
    }
}
