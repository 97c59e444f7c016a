import FlowRuns

/// What came back, as far as it came.
struct HTTPAnswer: Sendable {
    let status: Int
    var retryAfter: String?
    var date: String?
    var age: String?
    /// Names a cache or proxy on the way: `Via`, or else `X-Cache`.
    var via: String?
    var location: String?
    var body: [UInt8] = []
    /// Why the body is not whole; `nil` when it is.
    var cut: String?
    /// Instants before the request left, and after the answer's head came.
    var sent = MonotonicInstant.now
    var received = MonotonicInstant.now

    var isSuccess: Bool { (200..<300).contains(status) }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// The server's own time at answering, in whole seconds.
    var serverTime: Timestamp? { date.flatMap { Timestamp(httpDate: $0) } }

    var stamp: AnswerStamp {
        AnswerStamp(
            date: serverTime, age: age.flatMap { Int64($0.trimmingWhitespace) }.map { .seconds($0) },
            via: via.map { "Via: \($0)" }, sent: sent, received: received)
    }
}

extension HTTPAnswer {
    /// How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait, never negative; `nil` when it is absent or
    /// unreadable. A date is compared with the answer's own `Date`, so that the two machines' clocks need not agree.
    ///
    /// - Parameter now: stands in for a `Date` that is missing.
    func wait(now: Timestamp) -> Duration? {
        guard let text = retryAfter?.trimmingWhitespace else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Int64(text).map { .seconds($0) } }
        return Timestamp(httpDate: text).map { max(.zero, $0 - (serverTime ?? now)) }
    }
}

extension Timestamp {
    /// An HTTP date in the one form that may be sent, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
    init?(httpDate text: String) {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])),
            let day = Int(parts[1]), let year = Int(parts[3])
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3 else { return nil }
        // A leap second, which Unix time does not have, is the second before it.
        self.init(
            year: year, month: month + 1, day: day, hour: time[0], minute: time[1], second: Swift.min(time[2], 59))
    }
}
