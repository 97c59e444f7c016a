import FlowRuns

/// An exported ledger, read back and checked, ready to be put into a ledger.
///
/// ```swift
/// let backup = try LedgerImport(bytes, target: target.identity)
/// try await backup.restore(into: ledger, nonce: { UUID().uuidString })
/// ```
package struct LedgerImport: Sendable {
    /// In the order of the file.
    package let flows: [FlowEntries]
    package var runCount: Int { flows.reduce(0) { $0 + $1.entries.count } }
    private let lines: ExportLines

    /// Reads every line and collects all that is wrong.
    ///
    /// - Parameter targets: the identities that the target has or had; it must be an export of one of them.
    /// - Throws: ``LedgerImportError/lines(_:)``.
    package init(_ bytes: [UInt8], targets: [String]) throws(LedgerImportError) {
        var reader = ExportReader(targets: targets)
        var number = 0
        var rest = bytes[...]
        while !rest.isEmpty, !reader.isHopeless {
            number += 1
            var line = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest.dropFirst(line.count + 1)
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            reader.read(line, number)
        }
        reader.finish(after: number)
        guard reader.errors.isEmpty else { throw .lines(reader.errors) }
        flows = reader.flows
        lines = reader.lines
    }

    /// Puts everything into the ledger, flow by flow, each wholly or not at all; nothing where anything disagrees. What
    /// the ledger has already is left as it is, so doing it twice is doing it once.
    ///
    /// The flows count as never compared with the service: an export may be older than the last run. So the next apply
    /// waits until that must be listed, and compares them first.
    ///
    /// - Throws: ``LedgerImportError/lines(_:)`` where the ledger disagrees; ``LedgerImportError/ledger(_:)``.
    package func restore(
        into store: some LedgerStore, nonce: () -> String
    ) async throws(LedgerImportError) {
        var conflicts: [LedgerImportError.Line] = []
        do throws(LedgerError) {
            for flow in flows {
                conflicts += self.conflicts(of: flow, with: try await store.entries(of: flow.record.id))
            }
            if conflicts.isEmpty {
                for flow in flows { try await restore(flow, into: store, nonce: nonce()) }
            }
        } catch {
            throw .ledger(error)
        }
        guard conflicts.isEmpty else { throw .lines(conflicts.sorted { $0.line < $1.line }) }
    }

    private func restore(_ flow: FlowEntries, into store: some LedgerStore, nonce: String) async throws(LedgerError) {
        let recorded = try await store.entries(of: flow.record.id)
        let known = Set(recorded.entries.map(\.run.identity))
        let missing = flow.entries.filter { !known.contains($0.run.identity) }
        let isNew = recorded.record.revision.number == 0
        guard isNew || !missing.isEmpty else { return }
        var record = isNew ? flow.record : recorded.record
        record.revision = Revision(
            number: isNew ? flow.record.revision.number : record.revision.number + 1, token: nonce)
        record.contactedAt = nil
        record.comparedAt = nil
        record.needsRecheck = true
        let commit = FlowCommit(
            expecting: recorded.record.revision, record: record, changes: missing.map(LedgerChange.insert))
        guard try await store.commit(commit) == .done else {
            throw .busy("flow \(flow.record.id) changed during the import: import again")
        }
    }

    private func conflicts(of flow: FlowEntries, with recorded: FlowEntries) -> [LedgerImportError.Line] {
        var found: [LedgerImportError.Line] = []
        let number = recorded.record.revision.number
        if number > 0, number != flow.record.revision.number || recorded.record.deltaColumn != flow.record.deltaColumn {
            found.append(
                LedgerImportError.Line(
                    line: lines.flows[flow.record.id] ?? 0, "the ledger has this flow at revision \(number)"))
        }
        let entries = Dictionary(recorded.entries.map { ($0.run.identity, $0) }) { first, _ in first }
        for entry in flow.entries {
            if let other = entries[entry.run.identity], other != entry {
                found.append(
                    LedgerImportError.Line(
                        line: lines.runs[entry.run.identity] ?? 0,
                        "the ledger has another record of this run (\(other.run.state.rawValue))"))
            }
        }
        return found
    }
}

/// Why an import was refused. Nothing of it was recorded.
package enum LedgerImportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with a line of the file.
    package struct Line: Hashable, Sendable, CustomStringConvertible {
        /// Counted from 1.
        package let line: Int
        /// One sentence without a full stop.
        package let message: String

        init(line: Int, _ message: String) {
            self.line = line
            self.message = message
        }

        package var description: String { "line \(line): \(message)" }
    }

    /// By line.
    case lines([Line])
    case ledger(LedgerError)

    package var description: String {
        switch self {
        case .lines(let lines): lines.map(\.description).joined(separator: "\n")
        case .ledger(let error): error.description
        }
    }
}

/// On which line of an export each flow and run is.
struct ExportLines: Hashable, Sendable {
    var flows: [FlowID: Int] = [:]
    var runs: [RunIdentity: Int] = [:]
}

/// Reads an export: what earlier lines hold decides what may follow.
private struct ExportReader {
    private static let mostErrors = 100

    let targets: [String]
    private(set) var flows: [FlowEntries] = []
    private(set) var lines = ExportLines()
    private(set) var errors: [LedgerImportError.Line] = []
    /// Whether reading on would only repeat one error on every line.
    private(set) var isHopeless = false
    private var record: FlowRecord?
    private var entries: [LedgerEntry] = []
    private var idLines: [RunID: Int] = [:]
    private var livingLines: [RunKey: Int] = [:]
    private var isEnded = false

    init(targets: [String]) { self.targets = targets }

    mutating func read(_ bytes: ArraySlice<UInt8>, _ number: Int) {
        do throws(ExportedLine.LineError) {
            let line = try ExportedLine(bytes)
            if isEnded { throw ExportedLine.LineError("the export has ended before it") }
            if number == 1 { try begin(line) } else { try take(line, number) }
        } catch {
            errors.append(LedgerImportError.Line(line: number, error.message))
            isHopeless = isHopeless || number == 1 || errors.count >= Self.mostErrors
        }
    }

    mutating func finish(after lastLine: Int) {
        endFlow()
        if !isEnded, !isHopeless {
            errors.append(LedgerImportError.Line(line: lastLine + 1, "the export is cut off"))
        }
    }

    private mutating func endFlow() {
        if let record { flows.append(FlowEntries(record: record, entries: entries)) }
        (record, entries) = (nil, [])
    }

    private func begin(_ line: ExportedLine) throws(ExportedLine.LineError) {
        guard case .ledger(let version, let exported) = line else {
            throw ExportedLine.LineError("it is not the first line of an exported ledger")
        }
        guard LedgerExport.readableVersions.contains(version) else {
            throw ExportedLine.LineError(
                "its format has version \(version), and this sluice reads versions up to \(LedgerExport.formatVersion)")
        }
        guard targets.contains(exported) else {
            throw ExportedLine.LineError(
                "it is the ledger of the target '\(exported)', not of '\(targets.first ?? "")'")
        }
    }

    private mutating func take(_ line: ExportedLine, _ number: Int) throws(ExportedLine.LineError) {
        switch line {
        case .ledger: throw ExportedLine.LineError("a second export begins")
        case .flow(let next):
            if let first = lines.flows[next.id] {
                throw ExportedLine.LineError("the flow is in line \(first) already")
            }
            endFlow()
            record = next
            lines.flows[next.id] = number
        case .run(let entry): try take(entry, number)
        case .end(let flowCount, let runCount):
            endFlow()
            isEnded = true
            let found = (flows.count, flows.reduce(0) { $0 + $1.entries.count })
            // Where lines have errors, that is said already.
            guard !errors.isEmpty || (flowCount, runCount) == found else {
                throw ExportedLine.LineError(
                    "it announces \(flowCount) flows and \(runCount) runs, but \(found.0) and \(found.1) are before it")
            }
        }
    }

    private mutating func take(_ entry: LedgerEntry, _ number: Int) throws(ExportedLine.LineError) {
        let identity = entry.run.identity
        guard record?.id == identity.flow else {
            throw ExportedLine.LineError("its flow is not on the lines before it")
        }
        if let first = lines.runs.updateValue(number, forKey: identity) {
            throw ExportedLine.LineError("the run is in line \(first) already")
        }
        if let run = entry.run.id, let first = idLines.updateValue(number, forKey: run) {
            throw ExportedLine.LineError("the run id is in line \(first) already")
        }
        if entry.run.isLivingRequest, let first = livingLines.updateValue(number, forKey: identity.key) {
            throw ExportedLine.LineError("line \(first) has a request for this window already that has not failed")
        }
        entries.append(entry)
    }
}
