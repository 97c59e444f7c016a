/// The format in which a target expects run requests.
///
/// Adobe's documents contradict each other, so the format is configurable; the defaults follow the tutorial.
package struct WireForm: Hashable, Sendable {
    /// The format of all times in a request.
    package enum Times: String, Hashable, Sendable, CaseIterable {
        /// Unix seconds as a string (`"1651584991"`), as in the tutorial.
        case string
        /// Unix seconds as a number (`1651584991`), as the flow specifications declare.
        case integer
        /// Unix milliseconds as a number (`1651584991000`), as in the OpenAPI document.
        case milliseconds
    }

    /// The handling of `startTime`, the time at which the run should begin.
    package enum StartTime: String, Hashable, Sendable, CaseIterable {
        case omit
        /// Sends the current time.
        case now
    }

    package var times: Times
    package var startTime: StartTime

    package init(times: Times = .string, startTime: StartTime = .omit) {
        self.times = times
        self.startTime = startTime
    }
}
