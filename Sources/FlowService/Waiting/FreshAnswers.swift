import FlowRuns
import Synchronization

/// The time at which an answer was produced, according to its headers.
package struct AnswerStamp: Hashable, Sendable {
    /// The `Date` header, in whole seconds.
    package let date: Timestamp?
    /// The `Age` header (RFC 9111, section 5.1): the time that the answer has spent in a cache.
    package let age: Duration?
    /// The name of the cache or proxy, from `Via` or `X-Cache`, for messages.
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
    /// Whether both dates can come from one running clock: the date advanced by the time between the answers.
    fileprivate func isOfSameClock(as earlier: AnswerStamp) -> Bool {
        guard let date, let earlierDate = earlier.date else { return false }
        let advance = date - earlierDate
        return advance > sent - earlier.received - .seconds(1) && advance < received - earlier.sent + .seconds(1)
    }
}

/// A filter that accepts only answers that the service produced after the request was sent.
///
/// Gateways and company proxies cache `GET` requests, some of them regardless of `Cache-Control`. A listing from before
/// a claim would release the claim although its run exists, and the window would be requested twice.
package final class FreshAnswers: Sendable {
    private enum Verdict {
        case fresh
        /// The age of an answer from a cache.
        case cached(Duration)
        /// The lag of the answer's `Date` behind an earlier one: from a cache, or from a node whose clock runs behind.
        case behind(Duration)
    }

    /// Maximum variants of a request that are tried before the call fails.
    private static let maxAttempts = 4
    /// Number of variants of a request, each with its own cache key.
    package static let variantCount = 50
    /// Wait before a request is repeated. Longer than the resolution of `Date`, so that the date of a running clock
    /// advances; the date of a cached answer does not.
    private static let pause = Duration.milliseconds(2_500)

    private let clock = Mutex(ServiceClock())
    /// The most recently used variant. Caches keep the answer to each variant, so variants are used in rotation.
    private let lastVariant: Mutex<Int>
    private let time: any TimeSource
    private let stop: StopSignal

    /// - Parameters:
    ///   - time: the clock for pauses between repeated requests.
    ///   - stop: ends the pauses.
    ///   - firstVariant: random per process, so that answers cached by earlier processes are unlikely to be reused.
    package init(time: any TimeSource, stop: StopSignal, firstVariant: Int = .random(in: 0..<variantCount)) {
        lastVariant = Mutex(firstVariant)
        self.time = time
        self.stop = stop
    }

    /// Returns bounds of the service's current time; `nil` if no answer had a `Date`.
    package func serviceTime() -> ServiceTime? { clock.withLock { $0.time(at: time.monotonic()) } }

    /// Records the time of an answer that needs no check, such as the answer to a `POST`.
    package func record(_ stamp: AnswerStamp) {
        guard let date = stamp.date, (stamp.age ?? .zero) < .seconds(1) else { return }
        clock.withLock { $0.record(date: date, sent: stamp.sent, received: stamp.received) }
    }

    /// Repeats a request until an answer is fresh.
    ///
    /// - Parameters:
    ///   - name: the request, for error messages: `/runs`.
    ///   - ask: sends the request. Variant 0 is the usual one. Each other variant, up to ``variantCount``, must have a
    ///     different cache key where the API allows that.
    /// - Throws: ``FlowServiceError/stale(_:)`` when every answer comes from a cache, ``FlowServiceError/stopped`` when
    ///   a stop is requested, and the errors of `ask`.
    package func ask<Answer>(
        _ name: String, _ ask: (_ variant: Int) async throws(FlowServiceError) -> (Answer, AnswerStamp)
    ) async throws(FlowServiceError) -> Answer {
        var reason = ""
        for attempt in 0..<Self.maxAttempts {
            let variant = attempt == 0 ? 0 : nextVariant()
            var (answer, stamp) = try await ask(variant)
            if case .behind = verdict(on: stamp) {
                // Repeat the same request: the date of a running clock has advanced by then; that of a cached answer
                // has not.
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
