import FlowRuns
import RunRequests
import Text

/// Builds an indented JSON object and hands it over in pieces, so that a long one needs little memory.
///
/// - Parameters:
///   - write: takes each piece; after it has failed once it is not called again.
///   - members: writes the members. It may call its second argument at any place between two members or elements: that
///     hands over all that was written.
func streamJSON<Failure: Error>(
    to write: ([UInt8]) throws(Failure) -> Void,
    members: (inout JSONText, (inout JSONText) -> Void) -> Void
) throws(Failure) {
    var failure: Failure?
    // A closure may not be handed on to another closure's closure unless it could escape; it does not.
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
    /// An element of an indented array on one line of its own.
    mutating func line(_ write: (inout JSONText) -> Void) {
        var line = JSONText()
        line.object(write)
        element(json: line.text)
    }

    /// Whether enough is written to be handed over.
    var isLarge: Bool { bytes.count >= 1 << 16 }

    // A number of a known type is written many times faster than one of any type.
    mutating func member(_ key: String, _ value: Int) { member(key, json: String(value)) }
    mutating func member(_ key: String, _ value: Int64) { member(key, json: String(value)) }

    mutating func optional(_ key: String, _ value: String?) {
        if let value { member(key, value) }
    }

    mutating func optional(_ key: String, _ value: Int64?) {
        if let value { member(key, value) }
    }

    /// Seconds for machines, and the same span in UTC for people: an ISO 8601 interval.
    package mutating func member(_ key: String, _ window: Window) {
        object(key) {
            $0.member("start", window.start.seconds)
            $0.member("end", window.end.seconds)
            $0.member("utc", "\(window.start)/\(window.end)")
        }
    }

    mutating func member(_ key: String, _ column: DeltaColumn?) {
        if let column { object(key) { $0.members(of: column) } }
    }

    /// What is common to every recorded run, but its flow.
    mutating func members(of run: RecordedRun) {
        if let window = run.window { member("window", window) } else { null("window") }
        optional("rerun", run.identity.rerun)
        member("attempt", run.identity.attempt)
        member("state", run.state.rawValue)
        member("origin", run.origin.rawValue)
        optional("run", run.id?.description)
        member("deltaColumn", run.deltaColumn)
        member("recordedAt", run.recordedAt.milliseconds)
        optional("failure", run.failure)
    }
}
