import FlowRuns
import Ledger
import Text

/// Writes an indented JSON object in chunks, so that a long object needs little memory.
///
/// - Parameters:
///   - write: Receives the chunks; it is not called again after its first error.
///   - members: Writes the members. Its second argument passes everything written so far to `write`, and may be called
///     between any two members or elements.
/// - Throws: The error of `write`.
func streamJSON<Failure: Error>(
    to write: ([UInt8]) throws(Failure) -> Void,
    members: (inout JSONText, (inout JSONText) -> Void) -> Void
) throws(Failure) {
    var failure: Failure?
    // The nested function can capture `write` only as an escaping closure, although it never escapes.
    withoutActuallyEscaping(write) { write in
        func handOver(_ json: inout JSONText) {
            let bytes = json.drain()
            guard failure == nil else { return }
            do throws(Failure) { try write(bytes) } catch { failure = error }
        }
        var json = JSONText(indent: true)
        json.object { members(&$0, handOver) }
        handOver(&json)
    }
    if let failure { throw failure }
    try write([UInt8(ascii: "\n")])
}

extension JSONText {
    /// Writes an array element as an object on a single line.
    mutating func line(_ write: (inout JSONText) -> Void) {
        var line = JSONText()
        line.object(write)
        element(json: line.text)
    }

    /// Whether the buffer is large enough to be written as a chunk.
    var isLarge: Bool { bytes.count >= 1 << 16 }

    mutating func optional(_ key: String, _ value: String?) {
        if let value { member(key, value) }
    }

    mutating func optional(_ key: String, _ value: Int64?) {
        if let value { member(key, value) }
    }

    /// Writes a window in Unix seconds for machines, and as an ISO 8601 interval in UTC for people.
    package mutating func member(_ key: String, _ window: Window) { window.write(key, to: &self) }

    /// Writes the identity and the state of a run, with the words of reports.
    mutating func members(of run: RecordedRun) {
        let row = RunRow(LedgerEntry(run: run, updatedAt: run.recordedAt))
        if let window = run.window { member("window", window) } else { null("window") }
        occurrenceColumns.write(row, to: &self)
        member("state", run.state.name)
        originColumns.write(row, to: &self)
        time("recordedAt", run.recordedAt)
    }

    /// Writes the same in the form of a saved plan, whose bytes must not change between versions.
    mutating func savedMembers(of run: RecordedRun) {
        if let window = run.window { member("window", window) } else { null("window") }
        savedColumns.write(RunRow(LedgerEntry(run: run, updatedAt: run.recordedAt)), to: &self)
    }
}

private let occurrenceColumns = LineColumns(RunColumns.occurrence)
/// The columns of a run's state, except those that reports write in words or with UTC.
private let originColumns = LineColumns(RunColumns.state.filter { !["state", "recordedAt"].contains($0.key) })
private let savedColumns = LineColumns(RunColumns.occurrence + RunColumns.state)
