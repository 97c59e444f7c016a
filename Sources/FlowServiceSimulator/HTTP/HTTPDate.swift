import FlowRuns

/// A formatter for the dates in HTTP headers (RFC 9110, section 5.6.7), such as `Tue, 03 May 2022 14:13:37 GMT`.
enum HTTPDate {
    static func text(_ time: Timestamp) -> String {
        let date = UTCTime(time)
        // 1970-01-01 was a Thursday.
        let days = (time.seconds - Int64(date.secondOfDay)) / 86_400
        let weekday = weekdays[Int(((days + 4) % 7 + 7) % 7)]
        let day = date.day < 10 ? "0\(date.day)" : "\(date.day)"
        return "\(weekday), \(day) \(months[date.month - 1]) \(date.year) \(date.time) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
