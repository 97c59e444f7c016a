/// How a target wants its requests written. The documents disagree on it, so a target may choose; the defaults are the
/// tutorial's.
package struct WireForm: Hashable, Sendable {
    /// How `windowStartTime` and `windowEndTime` are written.
    package enum Times: String, Hashable, Sendable, CaseIterable {
        /// `"1651584991"`: seconds as a string, as the tutorial sends them.
        case string
        /// `1651584991`: seconds as a number, as the flow specifications declare them.
        case integer
        /// `1651584991000`: milliseconds as a number, as the OpenAPI document describes them.
        case milliseconds
    }

    /// Whether `startTime` (when the run shall begin) is sent.
    package enum StartTime: String, Hashable, Sendable, CaseIterable {
        case omit
        /// The moment of sending.
        case now
    }

    package var times: Times
    package var startTime: StartTime

    package init(times: Times = .string, startTime: StartTime = .omit) {
        self.times = times
        self.startTime = startTime
    }
}
