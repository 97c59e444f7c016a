import FlowRuns

/// How questions that may safely be asked twice are repeated: doubling waits with jitter, or as the service asks.
package struct Repetition: Sendable {
    /// How often one question is asked at most, the first time included.
    package var attempts = 5
    /// The wait before the second time; each later one is twice as long.
    package var first = Duration.milliseconds(500)
    /// No wait is longer, whatever the service asks for.
    package var longest = Duration.seconds(60)
    /// A number in `0 ..< 1`; each wait is shortened by up to half by it, so that many clients do not come back at once.
    package var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
    /// Waits; throws when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void = {
        try await Task.sleep(for: $0)
    }

    /// Five attempts, half a second to a minute apart.
    package init() {}

    /// - Parameter attempt: how often it was asked already, from 1.
    func delay(after attempt: Int, retryAfter: Duration?) -> Duration {
        let doubled = first * (1 << min(attempt - 1, 20))
        let jittered = min(doubled, longest) * (1 - jitter() / 2)
        return min(longest, max(jittered, retryAfter ?? .zero))
    }

    /// Asks until there is an answer that another try would not better, or the attempts are used up.
    func repeating(
        _ transport: Transport, now: @Sendable () -> Timestamp, _ request: () -> ServiceRequest
    ) async throws(TransportFault) -> HTTPAnswer {
        var attempt = 1
        while true {
            let result: Result<HTTPAnswer, TransportFault>
            do throws(TransportFault) {
                result = .success(try await transport.send(request()))
            } catch {
                result = .failure(error)
            }
            guard attempt < attempts, !Task.isCancelled, result.isWorthRepeating else { return try result.get() }
            let wait = delay(after: attempt, retryAfter: (try? result.get())?.wait(now: now()))
            guard (try? await sleep(wait)) != nil else { return try result.get() }
            attempt += 1
        }
    }
}

extension Result<HTTPAnswer, TransportFault> {
    fileprivate var isWorthRepeating: Bool {
        switch self {
        case .failure: true
        case .success(let answer):
            [408, 429].contains(answer.status) || answer.status >= 500 || (answer.isSuccess && answer.cut != nil)
        }
    }
}
