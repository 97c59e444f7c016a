import FlowRuns

/// Checks of a ledger's invariants. A violation is caused by a defect of a program or a damaged file, never by the
/// user.
package enum LedgerVerification {
    /// Returns descriptions of violated invariants, flow by flow.
    package static func violations(in flows: [FlowEntries]) -> [String] {
        var violations: [String] = []
        for flow in flows {
            let entries = flow.entries.sorted { $0.run.identity < $1.run.identity }
            violations += record(flow.record) + entries.flatMap(row)
            violations += attempts(entries) + claims(entries) + column(of: flow.record, entries)
        }
        return violations + runIDs(of: flows.flatMap(\.entries))
    }

    private static func record(_ record: FlowRecord) -> [String] {
        record.revision.number > 0 ? [] : ["flow \(record.id) has runs, but no revision"]
    }

    private static func row(_ entry: LedgerEntry) -> [String] {
        var violations: [String] = []
        if let reason = entry.invalidity { violations.append(reason) }
        if entry.run.origin == .request, entry.request == nil { violations.append("its request is not kept") }
        return violations.map { "\(entry.run.identity.inWords): \($0)" }
    }

    private static func claims(_ entries: [LedgerEntry]) -> [String] {
        let open = Set(entries.lazy.map(\.run).filter(\.state.isDoubtful).map { $0.claim?.id.description ?? "" })
        guard open.count > 1, let flow = entries.first?.run.flow else { return [] }
        return ["flow \(flow) has \(open.count) open claims"]
    }

    private static func attempts(_ entries: [LedgerEntry]) -> [String] {
        var violations: [String] = []
        let areAllOurs = entries.allSatisfy { $0.run.origin == .request && $0.run.window != nil }
        var rest = entries[...]
        while let first = rest.first?.run.identity {
            let attempts = rest.prefix { $0.run.identity.key == first.key }.map(\.run)
            rest = rest.dropFirst(attempts.count)
            let living = attempts.count(where: \.isActiveRequest)
            if living > 1 {
                violations.append(
                    "\(first.inWords) and later: \(living) requests that are under way or have brought their records")
            }
            // Gaps are possible if the flow has runs found on the service: a request may have replaced a row recorded by
            // a refresh, and a manifest may have acknowledged a run with another window than the service later reported.
            for (index, run) in attempts.enumerated() {
                if index > 0, attempts[index - 1].identity.attempt == run.identity.attempt {
                    violations.append("\(run.identity.inWords): recorded twice")
                } else if areAllOurs, run.identity.attempt != index + 1 {
                    violations.append("\(run.identity.inWords): an attempt before it is missing")
                }
            }
        }
        return violations
    }

    /// Checks the delta-column rule as far as accepted requests show it.
    private static func column(of record: FlowRecord, _ entries: [LedgerEntry]) -> [String] {
        let accepted = entries.map(\.run).filter { $0.origin == .request && $0.state.isAccepted }
        let carriers = accepted.filter { $0.deltaColumn != nil }
        guard let carrier = carriers.first, let column = carrier.deltaColumn else { return [] }
        var violations: [String] = []
        if let other = carriers.compactMap(\.deltaColumn).first(where: { !$0.isSameColumn(as: column) }) {
            violations.append("flow \(record.id) accepted two delta columns, \(column.name) and \(other.name)")
        } else if carriers.count > 1 {
            violations.append("flow \(record.id) accepted its delta column \(carriers.count) times")
        }
        if carriers.count == 1, accepted.contains(where: { $0.isCertainlyEarlier(than: carrier) }) {
            violations.append("\(carrier.identity.inWords): has the delta column, but is not the flow's first request")
        }
        if let fixed = record.deltaColumn, !fixed.isSameColumn(as: column) {
            violations.append(
                "flow \(record.id) accepted the delta column \(column.name), but its own is \(fixed.name)")
        }
        return violations
    }

    private static func runIDs(of entries: [LedgerEntry]) -> [String] {
        let runs = Dictionary(grouping: entries.compactMap(\.run.id), by: \.self)
        return runs.filter { $0.value.count > 1 }.keys.sorted().map { "the run id \($0) is recorded more than once" }
    }
}

extension RecordedRun {
    /// Whether the run was claimed before another one, by the service's time alone. Allows for clocks of the service
    /// that differ or are set back between the two claims.
    fileprivate func isCertainlyEarlier(than other: RecordedRun) -> Bool {
        guard let time = claim?.time, let otherTime = other.claim?.time else { return false }
        return time.latest + maxClockStep * 2 < otherTime.earliest
    }
}

extension LedgerStore {
    /// Checks the store itself, and all invariants of its contents.
    ///
    /// - Returns: descriptions of the problems; empty when the ledger is sound.
    /// - Throws: ``LedgerError`` when the ledger cannot be read.
    package func verify() async throws(LedgerError) -> [String] {
        let damage = try await damage()
        var kept: [FlowEntries] = []
        for flow in try await flows() { kept.append(try await entries(of: flow.id)) }
        return damage + LedgerVerification.violations(in: kept)
    }
}
