import FlowRuns
import Text

/// The `params` of a run in the format of the request, in which the service also returns them.
package struct RunParameters: Hashable, Sendable {
    let windowStart: WireTime
    let windowEnd: WireTime
    package let deltaColumn: DeltaColumn?
    let startTime: WireTime?

    init(windowStart: WireTime, windowEnd: WireTime, deltaColumn: DeltaColumn? = nil, startTime: WireTime? = nil) {
        self.windowStart = windowStart
        self.windowEnd = windowEnd
        self.deltaColumn = deltaColumn
        self.startTime = startTime
    }

    /// Creates parameters in the tutorial's format, with Unix seconds as strings.
    package init(window: Window, deltaColumn: DeltaColumn? = nil, startTime: Timestamp? = nil) {
        self.init(
            windowStart: WireTime(window.start), windowEnd: WireTime(window.end), deltaColumn: deltaColumn,
            startTime: startTime.map { WireTime($0) })
    }

    /// The window; `nil` if it is empty or reversed.
    package var window: Window? { Window(startSeconds: windowStart.time.seconds, endSeconds: windowEnd.time.seconds) }

    /// Writes the members in the tutorial's order.
    func write(to json: inout JSONText) {
        json.member("windowStartTime", windowStart)
        json.member("windowEndTime", windowEnd)
        if let deltaColumn { json.object("deltaColumn") { $0.members(of: deltaColumn) } }
        if let startTime { json.member("startTime", startTime) }
    }
}

extension RunParameters {
    /// Parses the `params` of a `POST /runs` request. Unknown members are ignored, as in the service.
    init(_ json: JSONValue?) throws(ServiceError) {
        guard let json, json.object != nil else { throw .missing("params") }
        guard let start = try WireTime("windowStartTime", in: json) else { throw .missing("params.windowStartTime") }
        guard let end = try WireTime("windowEndTime", in: json) else { throw .missing("params.windowEndTime") }
        self.init(
            windowStart: start, windowEnd: end, deltaColumn: try DeltaColumn(json["deltaColumn"]),
            startTime: try WireTime("startTime", in: json))
        guard window != nil else { throw .emptyWindow }
    }
}

/// A time in the format of the request: a string or an integer, in Unix seconds or milliseconds.
///
/// The service's documents contradict each other on the format.
enum WireTime: Hashable, Sendable {
    case string(String, Int64)
    case integer(Int64)

    /// The smallest number that is interpreted as milliseconds; smaller numbers are seconds.
    ///
    /// The tutorial's sample window ends in the year 2493, at 1.7e10 seconds, and 1e11 milliseconds are in 1973.
    private static let minMilliseconds: Int64 = 100_000_000_000

    var time: Timestamp {
        number < Self.minMilliseconds ? Timestamp(seconds: number) : Timestamp(milliseconds: number)
    }

    private var number: Int64 {
        switch self {
        case .string(_, let number), .integer(let number): number
        }
    }

    init(_ time: Timestamp) { self = .string(String(time.seconds), time.seconds) }

    /// Parses decimal digits; returns `nil` for other texts.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(text) else {
            return nil
        }
        self = .string(text, number)
    }

    /// Parses a member; returns `nil` if the member is absent.
    init?(_ key: String, in json: JSONValue) throws(ServiceError) {
        switch json[key] {
        case nil: return nil
        case .integer(let number) where number >= 0: self = .integer(number)
        case .string(let text):
            guard let time = WireTime(text) else { throw .notATime("params.\(key)") }
            self = time
        default: throw .notATime("params.\(key)")
        }
    }
}

extension DeltaColumn {
    fileprivate init?(_ json: JSONValue?) throws(ServiceError) {
        guard let json else { return nil }
        func text(_ key: String) throws(ServiceError) -> String? {
            guard let value = json[key] else { return nil }
            guard let text = value.string else { throw .wrongType("params.deltaColumn.\(key)", expected: "a string") }
            return text
        }
        guard json.object != nil else { throw .wrongType("params.deltaColumn", expected: "an object with a name") }
        guard let name = try text("name"), !name.isEmpty else { throw .missing("params.deltaColumn.name") }
        self.init(name: name, dateFormat: try text("dateFormat"), timezone: try text("timezone"))
    }
}

extension JSONText {
    fileprivate mutating func member(_ key: String, _ time: WireTime) {
        switch time {
        case .string(let text, _): member(key, text)
        case .integer(let number): member(key, number)
        }
    }
}
