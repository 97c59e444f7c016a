import FlowRuns

extension HTTPAnswer {
    /// How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait, never negative; `nil` when it is absent or
    /// unreadable. A date is held against the answer's own `Date`, so that the two clocks need not agree.
    func wait(now: Timestamp) -> Duration? {
        guard let text = retryAfter?.trimmingWhitespace else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int64(text).map { .seconds($0) }
        }
        guard let until = Timestamp(httpDate: text) else { return nil }
        let answered = date.flatMap { Timestamp(httpDate: $0) } ?? now
        return max(.zero, until - answered)
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
