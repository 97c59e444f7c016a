/// How a target wants its requests written. The documents disagree on it, so a target may choose; the defaults are the
/// tutorial's.
public struct WireForm: Hashable, Sendable {
    /// How `windowStartTime` and `windowEndTime` are written.
    public enum Times: String, Hashable, Sendable, CaseIterable {
        /// `"1651584991"`: seconds as a string, as the tutorial sends them.
        case string
        /// `1651584991`: seconds as a number, as the flow specifications declare them.
        case integer
        /// `1651584991000`: milliseconds as a number, as the OpenAPI document describes them.
        case milliseconds
    }

    /// Whether `startTime` (when the run shall begin) is sent.
    public enum StartTime: String, Hashable, Sendable, CaseIterable {
        case omit
        /// The moment of sending.
        case now
    }

    public var times: Times
    public var startTime: StartTime

    public init(times: Times = .string, startTime: StartTime = .omit) {
        self.times = times
        self.startTime = startTime
    }
}

/// One `POST /runs`: a window of a flow, and the delta column where this is the flow's first run.
public struct RunRequest: Hashable, Sendable {
    public let flow: FlowID
    public let window: Window
    /// Given only on the first request of a table-based flow.
    public let deltaColumn: DeltaColumn?

    public init(flow: FlowID, window: Window, deltaColumn: DeltaColumn? = nil) {
        self.flow = flow
        self.window = window
        self.deltaColumn = deltaColumn
    }

    /// The body exactly as it is sent, keys in the tutorial's order.
    ///
    /// - Parameter sentAt: fills in `startTime` where the wire form asks for it; `nil` writes the word `now` in its
    ///   place, for showing a request that is not sent yet.
    public func body(_ form: WireForm, sentAt: UnixSeconds?) -> String {
        var json = JSONText()
        json.object {
            $0.member("flowId", flow.description)
            $0.object("params") {
                $0.time("windowStartTime", window.start, form.times)
                $0.time("windowEndTime", window.end, form.times)
                if let deltaColumn {
                    $0.object("deltaColumn") { $0.members(of: deltaColumn) }
                }
                if form.startTime == .now {
                    if let sentAt { $0.time("startTime", sentAt, form.times) } else { $0.member("startTime", "now") }
                }
            }
        }
        return json.text
    }
}

extension JSONText {
    /// The members of a delta column, as the service and every document of Sluice write them.
    public mutating func members(of column: DeltaColumn) {
        member("name", column.name)
        if let dateFormat = column.dateFormat { member("dateFormat", dateFormat) }
        if let timezone = column.timezone { member("timezone", timezone) }
    }

    fileprivate mutating func time(_ key: String, _ seconds: UnixSeconds, _ form: WireForm.Times) {
        switch form {
        case .string: member(key, String(seconds))
        case .integer: member(key, seconds)
        case .milliseconds: member(key, seconds * 1000)
        }
    }
}
