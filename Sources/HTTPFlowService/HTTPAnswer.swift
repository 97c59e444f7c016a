import FlowRuns
import FlowService

/// An HTTP answer, whose body may be incomplete.
struct HTTPAnswer: Sendable {
    let status: Int
    var retryAfter: String?
    var date: String?
    var age: String?
    /// The name of a cache or proxy on the way: `Via`, or else `X-Cache`.
    var via: String?
    var location: String?
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
    var serverTime: Timestamp? { date.flatMap { Timestamp(httpDate: $0, now: SystemTime().now()) } }

    var stamp: AnswerStamp {
        AnswerStamp(
            date: serverTime, age: age.flatMap { Int64($0.trimmingWhitespace) }.map { .seconds($0) },
            via: via.map { "Via: \($0)" }, sent: sent, received: received)
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
        guard let text = retryAfter?.trimmingWhitespace else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !text.isEmpty {
            // On overflow, use the value that RFC 9111, section 1.2.2 prescribes for cache headers.
            return .seconds(Int64(text) ?? 2_147_483_648)
        }
        let serverTime = serverTime ?? now
        return Timestamp(httpDate: text, now: serverTime).map { max(.zero, $0 - serverTime) }
    }
}
