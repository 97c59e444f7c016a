import FlowRuns
import FlowService
import NIOHTTP1

/// An HTTP answer, whose body may be incomplete.
struct HTTPAnswer: Sendable {
    let status: Int
    var headers: HTTPHeaders = [:]
    var body: [UInt8] = []
    /// The reason why the body is incomplete; `nil` when it is complete.
    var cut: String?
    /// The coding of a body that Sluice cannot decode, such as `br`. The body is then empty.
    var unknownCoding: String?
    /// An instant before the request was sent, and one after the answer's head arrived.
    var sent = MonotonicInstant.now
    var received = MonotonicInstant.now

    var isSuccess: Bool { (200..<300).contains(status) }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// The server's time from the `Date` header, in whole seconds.
    var serverTime: Timestamp? {
        headers.first(name: "Date").flatMap { Timestamp(httpDate: $0, now: SystemTime().now()) }
    }

    var stamp: AnswerStamp {
        AnswerStamp(
            date: serverTime,
            age: headers.first(name: "Age").flatMap { Int64($0.trimmingWhitespace) }.map { .seconds($0) },
            via: (headers.first(name: "Via") ?? headers.first(name: "X-Cache")).map { "Via: \($0)" }, sent: sent,
            received: received)
    }

    /// The reason why the body of a success cannot be used; `nil` when it can.
    var flaw: String? {
        if let unknownCoding {
            return
                "the answer is encoded as '\(unknownCoding)', although none was asked for: check the proxy or gateway"
        }
        return cut.map { "the answer is not whole: \($0)" }
    }
}

extension HTTPAnswer {
    /// Returns the wait that `Retry-After` requests (RFC 9110, section 10.2.3), never negative; `nil` when the header
    /// is absent or invalid. A date is compared with the answer's own `Date`, so the clocks of the two machines need
    /// not agree.
    ///
    /// - Parameter now: the time to use in place of a missing `Date`.
    func wait(now: Timestamp) -> Duration? {
        guard let text = headers.first(name: "Retry-After")?.trimmingWhitespace else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !text.isEmpty {
            // On overflow, use the value that RFC 9111, section 1.2.2 prescribes for cache headers.
            return .seconds(Int64(text) ?? 2_147_483_648)
        }
        let serverTime = serverTime ?? now
        return Timestamp(httpDate: text, now: serverTime).map { max(.zero, $0 - serverTime) }
    }
}

// MARK: Dates

extension Timestamp {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Parses an HTTP date in each of the three forms that a recipient must accept (RFC 9110, section 5.6.7):
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
    ///
    /// The day's name is not checked. Unix time has no leap seconds, so `:60` becomes `:59`.
    ///
    /// - Parameter now: determines the century of a two-digit year, which is at most 50 years in the future.
    init?(httpDate text: String, now: Timestamp) {
        let words = text.split { " ,-".contains($0) }
        let (day, month, year, time): (Substring, Substring, Substring, Substring)
        switch words.count {
        case 6 where ["GMT", "UTC"].contains(words[5].uppercased()):
            (day, month, year, time) = (words[1], words[2], words[3], words[4])
        case 5: (month, day, time, year) = (words[1], words[2], words[3], words[4])
        default: return nil
        }
        let clock = time.split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, clock[2] <= 60, let day = Int(day), let digits = Int(year), digits >= 0,
            let month = Self.months.firstIndex(of: month.lowercased())
        else { return nil }
        self.init(
            year: year.count == 2 ? Self.year(endingIn: digits, near: UTCTime(now).year) : digits, month: month + 1,
            day: day, hour: clock[0], minute: clock[1], second: Swift.min(clock[2], 59))
    }

    /// Returns the year from 49 years before to 50 years after `current` that ends in these two digits.
    private static func year(endingIn digits: Int, near current: Int) -> Int {
        let first = current - 49
        return first + ((digits - first) % 100 + 100) % 100
    }
}

// MARK: Messages

extension HTTPAnswer {
    /// Returns the status and the service's message on one line of at most 300 characters, without secrets.
    func summary(_ redaction: Redaction) -> String {
        let location = (300..<400).contains(status) ? headers.first(name: "Location").map { "moved to \($0)" } : nil
        let words = redaction(location ?? message ?? "").singleLine
        return words.isEmpty ? "\(status)" : "\(status): \(words)".bounded(to: 300)
    }

    /// Returns the reason why access was denied, and what to do: `the service rejected the access token (401: Oauth
    /// token is not valid): it has expired or …`
    func accessError(_ redaction: Redaction) -> String {
        let summary = summary(redaction)
        guard status == 401 else { return "the service denied access (\(summary))" }
        return "the service rejected the access token (\(summary)): it has expired or belongs to another client; fetch "
            + "a new one for SLUICE_ACCESS_TOKEN, or set SLUICE_CLIENT_ID, SLUICE_CLIENT_SECRET and SLUICE_SCOPES"
    }

    /// Returns the reason for a later retry: `answered 503: maintenance; retry after 3600 s`.
    ///
    /// - Parameter now: the time to use in place of a missing `Date` when `Retry-After` is a date.
    func unavailability(_ redaction: Redaction, now: Timestamp) -> String {
        let what = status == 429 ? "rate limited (429)" : "answered \(summary(redaction))"
        return what.asking(toWait: wait(now: now))
    }

    /// The human-readable message in the body. Error bodies vary: several JSON shapes, HTML or plain text.
    private var message: String? {
        if let unknownCoding { return "its message is encoded as '\(unknownCoding)'" }
        let document = JSONDocument(body)
        let keys = ["message", "detail", "error_description", "errorMessage", "title", "error"]
        for place in [document, document["error"], document["errors"][0], document["report"]] {
            for key in keys {
                if let words = place[key].text, !words.isEmpty { return words }
            }
        }
        let text = text.trimmingWhitespace
        if text.hasPrefix("<") { return text.withoutMarkup }
        return text.hasPrefix("{") || text.hasPrefix("[") ? nil : text
    }
}

extension String {
    /// The text on one line, with each run of whitespace and control characters replaced by a space.
    var singleLine: String {
        let isGap = { (scalar: Unicode.Scalar) in
            scalar.properties.isWhitespace || [.control, .format].contains(scalar.properties.generalCategory)
        }
        return unicodeScalars.split(whereSeparator: isGap).map { String($0) }.joined(separator: " ")
    }

    /// Returns the text truncated to `limit` characters, with an ellipsis at the end if truncated.
    func bounded(to limit: Int) -> String { count <= limit ? self : prefix(limit - 1) + "…" }

    /// The visible text of an HTML or XML page, without tags, scripts and styles.
    fileprivate var withoutMarkup: String {
        var text = ""
        var rest = self[...]
        while let open = rest.firstIndex(of: "<") {
            text += rest[..<open] + " "
            rest = rest[open...]
            let hidden = ["script", "style"].first { rest.hasPrefix("<\($0)") }
            rest = rest.firstRange(of: hidden.map { "</\($0)>" } ?? ">").map { rest[$0.upperBound...] } ?? ""
        }
        text += rest
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&"),
        ]
        return entities.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
