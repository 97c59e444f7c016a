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
    /// The coding of a body that Sluice cannot decode, such as `br`. The body is empty then.
    var unknownCoding: String?
    /// Instants before the request left, and after the answer's head came.
    var sent = MonotonicInstant.now
    var received = MonotonicInstant.now

    var isSuccess: Bool { (200..<300).contains(status) }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// The server's own time at answering, in whole seconds.
    var serverTime: Timestamp? { date.flatMap { Timestamp(httpDate: $0, now: SystemTime().now()) } }

    var stamp: AnswerStamp {
        AnswerStamp(
            date: serverTime, age: age.flatMap { Int64($0.trimmingWhitespace) }.map { .seconds($0) },
            via: via.map { "Via: \($0)" }, sent: sent, received: received)
    }

    /// Why the body of a success cannot be used; `nil` when it can.
    var flaw: String? {
        if let unknownCoding {
            return
                "the answer is encoded as '\(unknownCoding)', although none was asked for: check the proxy or gateway"
        }
        return cut.map { "the answer is not whole: \($0)" }
    }
}

extension HTTPAnswer {
    /// How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait, never negative; `nil` when it is absent or
    /// unreadable. A date is compared with the answer's own `Date`, so that the two machines' clocks need not agree.
    ///
    /// - Parameter now: stands in for a `Date` that is missing.
    func wait(now: Timestamp) -> Duration? {
        guard let text = retryAfter?.trimmingWhitespace else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !text.isEmpty {
            // More than can be counted is as long as the same number of a cache's header (RFC 9111, section 1.2.2).
            return .seconds(Int64(text) ?? 2_147_483_648)
        }
        let serverTime = serverTime ?? now
        return Timestamp(httpDate: text, now: serverTime).map { max(.zero, $0 - serverTime) }
    }
}
