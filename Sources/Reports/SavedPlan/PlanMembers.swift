import FlowRuns
import Manifests

/// Methods that decode the types of the domain from a saved plan.
///
/// All values are validated, so that no file can cause a trap later. Times are limited to a range in which sums and
/// milliseconds do not overflow.
extension KeyedDecodingContainer {
    func fault(_ key: Key, _ reason: String) -> DecodingError {
        .dataCorruptedError(forKey: key, in: self, debugDescription: reason)
    }

    /// Decodes a time in Unix seconds.
    func time(_ key: Key) throws -> Timestamp {
        let seconds = try decode(Int64.self, forKey: key)
        guard seconds.magnitude <= largestTime else { throw fault(key, "a time out of range") }
        return Timestamp(seconds: seconds)
    }

    /// Decodes a duration in milliseconds.
    func span(_ key: Key) throws -> Duration {
        let milliseconds = try decode(Int64.self, forKey: key)
        guard milliseconds.magnitude <= largestTime else { throw fault(key, "a time out of range") }
        return .milliseconds(milliseconds)
    }

    func count(_ key: Key) throws -> Int {
        let count = try decode(Int.self, forKey: key)
        guard (0...1 << 40).contains(count) else { throw fault(key, "a count out of range") }
        return count
    }

    func window(_ key: Key) throws -> Window {
        let object = try nestedContainer(keyedBy: WindowKey.self, forKey: key)
        guard let window = Window(start: try object.time(.start), end: try object.time(.end)) else {
            throw fault(key, "a window that ends before it starts")
        }
        return window
    }

    func word<Word: RawRepresentable<String>>(_ key: Key) throws -> Word {
        let text = try decode(String.self, forKey: key)
        guard let word = Word(rawValue: text) else { throw fault(key, "an unknown word") }
        return word
    }

    func flow(_ key: Key) throws -> FlowID {
        guard let flow = FlowID(try decode(String.self, forKey: key)) else { throw fault(key, "not a flow id") }
        return flow
    }

    /// Decodes the states of retries; a missing member stands for failed runs only.
    func states(_ key: Key) throws -> Set<Retries.State> {
        guard contains(key) else { return [.failed] }
        return Set(
            try decode([String].self, forKey: key).map { text in
                guard let state = Retries.State(rawValue: text) else { throw fault(key, "an unknown word") }
                return state
            })
    }

    func run(_ key: Key) throws -> RunID {
        guard let run = RunID(try decode(String.self, forKey: key)) else { throw fault(key, "not a run id") }
        return run
    }

    /// Decodes a delta column; returns `nil` if the member is missing.
    func column(_ key: Key) throws -> DeltaColumn? {
        guard contains(key) else { return nil }
        let object = try nestedContainer(keyedBy: ColumnKey.self, forKey: key)
        return DeltaColumn(
            name: try object.decode(String.self, forKey: .name),
            dateFormat: try object.decodeIfPresent(String.self, forKey: .dateFormat),
            timezone: try object.decodeIfPresent(String.self, forKey: .timezone))
    }

    func place(_ key: Key) throws -> Place {
        let object = try nestedContainer(keyedBy: PlaceKey.self, forKey: key)
        return Place(
            file: try object.decode(String.self, forKey: .file), line: try object.decode(Int.self, forKey: .line),
            column: try object.decode(Int.self, forKey: .column), length: try object.decode(Int.self, forKey: .length))
    }
}

/// The maximum magnitude of a time: 9e15 seconds still fit in 64 bits as milliseconds.
private let largestTime: UInt64 = 9_000_000_000_000_000

private enum WindowKey: CodingKey { case start, end }
private enum ColumnKey: CodingKey { case name, dateFormat, timezone }
private enum PlaceKey: CodingKey { case file, line, column, length }
