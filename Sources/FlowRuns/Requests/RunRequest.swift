import Text

/// A `POST /runs` request for one window of a flow.
package struct RunRequest: Hashable, Sendable {
    package let flow: FlowID
    package let window: Window
    /// The delta column, which only the first request of a table-based flow carries; otherwise `nil`.
    package let deltaColumn: DeltaColumn?

    package init(flow: FlowID, window: Window, deltaColumn: DeltaColumn? = nil) {
        self.flow = flow
        self.window = window
        self.deltaColumn = deltaColumn
    }

    /// Formats the request body exactly as it is sent, with the keys in the tutorial's order.
    ///
    /// - Parameters:
    ///   - form: The wire form that the target expects.
    ///   - sentAt: The value of `startTime` if the wire form includes that key; `nil` writes the word `now` instead, to
    ///     display a request that has not been sent.
    package func body(_ form: WireForm, sentAt: Timestamp?) -> String {
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
    fileprivate mutating func time(_ key: String, _ time: Timestamp, _ form: WireForm.Times) {
        switch form {
        case .string: member(key, String(time.seconds))
        case .integer: member(key, time.seconds)
        case .milliseconds: member(key, time.milliseconds)
        }
    }
}
