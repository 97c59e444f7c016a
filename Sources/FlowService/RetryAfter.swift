import FlowRuns

extension HTTPAnswer {
    /// How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait, in milliseconds, never negative; `nil` when it is
    /// absent or unreadable. A date is held against the answer's own `Date`, so that the two clocks need not agree.
    func wait(now: UnixMilliseconds) -> UnixMilliseconds? {
        guard let text = retryAfter?.trimmingWhitespace else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return UnixMilliseconds(text).map { min($0, .max / 1000) * 1000 }
        }
        guard let until = UTCTime.seconds(httpDate: text) else { return nil }
        let answered = date.flatMap { UTCTime.seconds(httpDate: $0) }.map { $0 * 1000 } ?? now
        return max(0, until * 1000 - answered)
    }
}

extension UTCTime {
    /// The Unix seconds of an HTTP date in the one form that may be sent, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110,
    /// section 5.6.7).
    static func seconds(httpDate text: String) -> UnixSeconds? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])),
            let day = Int(parts[1]), let year = Int(parts[3])
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3 else { return nil }
        // A leap second, which Unix time does not have, is the second before it.
        return seconds(
            year: year, month: month + 1, day: day, hour: time[0], minute: time[1], second: min(time[2], 59))
    }
}
