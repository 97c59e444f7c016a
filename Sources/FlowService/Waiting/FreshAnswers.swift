import FlowRuns
import Synchronization

/// When an answer was produced, as far as its headers show.
package struct AnswerStamp: Hashable, Sendable {
    /// The `Date` header, in whole seconds.
    package let date: Timestamp?
    /// The `Age` header (RFC 9111, section 5.1): how long ago the service produced an answer that a cache delivered.
    package let age: Duration?
    /// Names the cache, from `Via`, `X-Cache` or `Server`; for messages.
    package let via: String?
    /// An instant before the request left.
    package let sent: MonotonicInstant
    /// An instant after the head of the answer arrived.
    package let received: MonotonicInstant

    package init(
        date: Timestamp?, age: Duration? = nil, via: String? = nil, sent: MonotonicInstant, received: MonotonicInstant
    ) {
        self.date = date
        self.age = age
        self.via = via
        self.sent = sent
        self.received = received
    }
}

extension AnswerStamp {
    /// Whether both dates can be of one running clock: the later one has advanced by the time between the answers.
    fileprivate func isOfSameClock(as earlier: AnswerStamp) -> Bool {
        guard let date, let earlierDate = earlier.date else { return false }
        let advance = date - earlierDate
        return advance > sent - earlier.received - .seconds(1) && advance < received - earlier.sent + .seconds(1)
    }
}

/// Accepts only answers that the service produced after the question was asked.
///
/// Gateways and company proxies cache `GET`, some of them whatever `Cache-Control` says. A listing from before a claim
/// would release the claim although its run exists, and the window would be requested twice.
package final class FreshAnswers: Sendable {
    private enum Verdict {
        case fresh
        /// The answer was produced this long ago.
        case cached(Duration)
        /// The answer's `Date` lies this far behind an earlier one: a cache, or a node whose clock runs behind.
        case behind(Duration)
    }

    /// How often a question is asked in another way before the caller gets an error.
    private static let maxAttempts = 4
    /// How many ways there are to ask a question.
    package static let variantCount = 50
    /// Longer than the resolution of `Date`: the date of a live clock advances meanwhile, that of a cached answer does
    /// not.
    private static let pause = Duration.milliseconds(2_500)

    private let clock = Mutex(ServiceClock())
    /// The variant that was used last. A cache keeps the answer to each variant, so none is used again soon.
    private let lastVariant: Mutex<Int>
    private let time: any TimeSource
    private let stop: StopSignal

    /// - Parameter firstVariant: another one in each process, so that a cache is not filled by earlier processes.
    package init(time: any TimeSource, stop: StopSignal, firstVariant: Int = .random(in: 0..<variantCount)) {
        lastVariant = Mutex(firstVariant)
        self.time = time
        self.stop = stop
    }

    /// The bounds of the service's time now; `nil` as long as no answer had a `Date`.
    package func serviceTime() -> ServiceTime? { clock.withLock { $0.time(at: time.monotonic()) } }

    /// Records the time of an answer that needs no check, such as the answer to a `POST`.
    package func record(_ stamp: AnswerStamp) {
        guard let date = stamp.date, (stamp.age ?? .zero) < .seconds(1) else { return }
        clock.withLock { $0.record(date: date, sent: stamp.sent, received: stamp.received) }
    }

    /// Asks until an answer is fresh.
    ///
    /// - Parameters:
    ///   - name: the question, for the error: `/runs`.
    ///   - ask: sends the request. Variant 0 is the usual one; each of the others, up to ``variantCount``, must have another
    ///     cache key where the API allows one.
    /// - Throws: ``FlowServiceError/stale(_:)`` when every answer comes from a cache, and what `ask` throws.
    package func ask<Answer>(
        _ name: String, _ ask: (_ variant: Int) async throws(FlowServiceError) -> (Answer, AnswerStamp)
    ) async throws(FlowServiceError) -> Answer {
        var reason = ""
        for attempt in 0..<Self.maxAttempts {
            let variant = attempt == 0 ? 0 : nextVariant()
            var (answer, stamp) = try await ask(variant)
            if case .behind = verdict(on: stamp) {
                // The same question once more: the date of a live clock has advanced by then, that of a cached answer has
                // not.
                let first = stamp
                await time.pause(Self.pause, unless: stop)
                guard !stop.isRequested else { throw .stopped }
                (answer, stamp) = try await ask(variant)
                if case .behind = verdict(on: stamp), stamp.isOfSameClock(as: first) {
                    record(stamp)
                    return answer
                }
            }
            let verdict = verdict(on: stamp)
            switch verdict {
            case .fresh:
                record(stamp)
                return answer
            case .cached(let age): reason = "Age: \(age.wholeSeconds)"
            case .behind(let lag): reason = "its Date is \(lag.secondsRoundedUp) s behind an earlier answer's"
            }
            if let via = stamp.via { reason += ", \(via)" }
        }
        throw .stale("\(name): \(reason)")
    }

    private func nextVariant() -> Int {
        lastVariant.withLock { last in
            last = last % (Self.variantCount - 1) + 1
            return last
        }
    }

    private func verdict(on stamp: AnswerStamp) -> Verdict {
        if let age = stamp.age, age >= .seconds(1) { return .cached(age) }
        guard let date = stamp.date else { return .fresh }
        let lag = clock.withLock { $0.lag(ofDate: date, sent: stamp.sent, received: stamp.received) }
        return lag.map { .behind($0) } ?? .fresh
    }
}
