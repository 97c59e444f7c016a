import FlowRuns

/// An exported ledger, read back and checked, ready to be put into a ledger.
///
/// ```swift
/// let backup = try LedgerImport(bytes, target: target.identity)
/// try await backup.restore(into: ledger)
/// ```
package struct LedgerImport: Sendable {
    /// In the order of the file, like the entries.
    package private(set) var flows: [FlowRecord] = []
    /// Every run, with its request and answer.
    package private(set) var entries: [LedgerEntry] = []
    private var flowLines: [FlowID: Int] = [:]
    private var entryLines: [RunIdentity: Int] = [:]

    /// Reads every line and collects every fault.
    ///
    /// - Parameter target: the identity of the target that it must be an export of.
    /// - Throws: ``LedgerImportError/faults(_:)``.
    package init(_ bytes: [UInt8], target: String) throws(LedgerImportError) {
        var reading = Reading(target: target)
        var number = 0
        var rest = bytes[...]
        while !rest.isEmpty, !reading.isHopeless {
            number += 1
            var line = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest.dropFirst(line.count + 1)
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            reading.read(line, number)
        }
        reading.finish(after: number)
        guard reading.faults.isEmpty else { throw .faults(reading.faults) }
        flows = reading.flows
        entries = reading.entries
        flowLines = reading.flowLines
        entryLines = reading.entryLines
    }

    /// The same import, of flows that count as never compared with the service. An export may be older than the last
    /// run: what was made since is then found at first contact, and not sent again.
    package func forgettingContact() -> LedgerImport {
        var other = self
        for index in other.flows.indices { other.flows[index].contactedAt = nil }
        return other
    }

    /// Puts everything into the ledger, or nothing. What it has already is left as it is, so doing it twice is doing
    /// it once.
    ///
    /// - Throws: ``LedgerImportError/faults(_:)`` where the ledger says otherwise; ``LedgerImportError/ledger(_:)``.
    package func restore(into ledger: some Ledger) async throws(LedgerImportError) {
        let conflicts: [LedgerImportFault]
        do {
            conflicts = try await self.conflicts(with: ledger)
            if conflicts.isEmpty { try await ledger.restore(flows, entries) }
        } catch {
            throw .ledger(error)
        }
        guard conflicts.isEmpty else { throw .faults(conflicts) }
    }

    /// The ledger looks for them itself; only here the lines are known.
    private func conflicts(with ledger: some Ledger) async throws(LedgerError) -> [LedgerImportFault] {
        var faults: [LedgerImportFault] = []
        for record in flows {
            let recorded = try await ledger.record(of: record.id)
            if recorded.revision > 0, recorded != record {
                faults.append(
                    LedgerImportFault(
                        line: flowLines[record.id] ?? 0, "the ledger has this flow at revision \(recorded.revision)"))
            }
        }
        var recorded: [RunIdentity: LedgerEntry] = [:]
        for entry in try await ledger.entries(of: flows.map(\.id)) { recorded[entry.run.identity] = entry }
        for entry in entries {
            if let other = recorded[entry.run.identity], other != entry {
                faults.append(
                    LedgerImportFault(
                        line: entryLines[entry.run.identity] ?? 0,
                        "the ledger has this run otherwise (\(other.run.state.rawValue))"))
            }
        }
        return faults.sorted { $0.line < $1.line }
    }
}

/// Why an import was refused. Nothing of it was recorded.
package enum LedgerImportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// By line.
    case faults([LedgerImportFault])
    case ledger(LedgerError)

    package var description: String {
        switch self {
        case .faults(let faults): faults.map(\.description).joined(separator: "\n")
        case .ledger(let error): error.description
        }
    }
}

/// One fault of an exported file.
package struct LedgerImportFault: Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    package let line: Int
    /// What is wrong, one sentence without a full stop.
    package let message: String

    init(line: Int, _ message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { "line \(line): \(message)" }
}

/// The state of reading: what stands in earlier lines decides what may follow.
private struct Reading {
    private static let mostFaults = 100

    let target: String
    var flows: [FlowRecord] = []
    var entries: [LedgerEntry] = []
    var flowLines: [FlowID: Int] = [:]
    var entryLines: [RunIdentity: Int] = [:]
    var faults: [LedgerImportFault] = []
    /// Whether reading on would only repeat one fault on every line.
    var isHopeless = false
    private var runLines: [RunID: Int] = [:]
    private var livingLines: [RunIdentity: Int] = [:]
    private var isEnded = false

    init(target: String) { self.target = target }

    mutating func read(_ bytes: ArraySlice<UInt8>, _ number: Int) {
        do throws(ExportedLine.Fault) {
            let line = try ExportedLine(bytes)
            if isEnded { throw ExportedLine.Fault("the export has ended before it") }
            if number == 1 { try begin(line) } else { try take(line, number) }
        } catch {
            faults.append(LedgerImportFault(line: number, error.message))
            isHopeless = isHopeless || number == 1 || faults.count >= Self.mostFaults
        }
    }

    mutating func finish(after lastLine: Int) {
        if !isEnded, !isHopeless { faults.append(LedgerImportFault(line: lastLine + 1, "the export is cut off")) }
    }

    private func begin(_ line: ExportedLine) throws(ExportedLine.Fault) {
        guard case .ledger(let version, let exported) = line else {
            throw ExportedLine.Fault("it is not the first line of an exported ledger")
        }
        guard version == LedgerExport.formatVersion else {
            throw ExportedLine.Fault(
                "its format has version \(version), and this sluice reads version \(LedgerExport.formatVersion)")
        }
        guard exported == target else {
            throw ExportedLine.Fault("it is the ledger of the target '\(exported)', not of '\(target)'")
        }
    }

    private mutating func take(_ line: ExportedLine, _ number: Int) throws(ExportedLine.Fault) {
        switch line {
        case .ledger: throw ExportedLine.Fault("a second export begins")
        case .flow(let record):
            if let first = flowLines[record.id] { throw ExportedLine.Fault("the flow stands in line \(first), too") }
            flowLines[record.id] = number
            flows.append(record)
        case .run(let entry): try take(entry, number)
        case .end(let flowCount, let runCount):
            isEnded = true
            // Where lines are faulty, that is said of them already.
            guard !faults.isEmpty || (flowCount, runCount) == (flows.count, entries.count) else {
                throw ExportedLine.Fault(
                    "\(flowCount) flows and \(runCount) runs should stand before it, not \(flows.count) and "
                        + "\(entries.count)")
            }
        }
    }

    private mutating func take(_ entry: LedgerEntry, _ number: Int) throws(ExportedLine.Fault) {
        let identity = entry.run.identity
        guard flowLines[identity.flow] != nil else { throw ExportedLine.Fault("its flow does not stand before it") }
        if let first = entryLines.updateValue(number, forKey: identity) {
            throw ExportedLine.Fault("the run stands in line \(first), too")
        }
        if let run = entry.run.id, let first = runLines.updateValue(number, forKey: run) {
            throw ExportedLine.Fault("the run id stands in line \(first), too")
        }
        let window = RunIdentity(flow: identity.flow, window: identity.window, rerun: identity.rerun)
        if entry.run.isLivingRequest, let first = livingLines.updateValue(number, forKey: window) {
            throw ExportedLine.Fault("line \(first) has a request for this window, too, that has not failed")
        }
        entries.append(entry)
    }
}
