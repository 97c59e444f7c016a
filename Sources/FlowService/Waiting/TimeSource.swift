import FlowRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A point of the clock that only runs forward, also while the machine sleeps. A virtual clock makes its own by adding
/// to one that it took at its start.
package typealias MonotonicInstant = ContinuousClock.Instant

/// The clocks of one machine: its own, or virtual ones in the deterministic simulation.
package protocol TimeSource: Sendable {
    /// The wall clock, for what people read. It may be wrong, and it may be set at any moment.
    func now() -> Timestamp
    /// What every deadline, rate and wait goes by.
    func monotonic() -> MonotonicInstant
    /// Returns after `duration`, or as soon as the task is cancelled.
    func sleep(_ duration: Duration) async
}

/// The machine's clocks.
package struct SystemTime: TimeSource {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec)) + .nanoseconds(time.tv_nsec)
    }

    package func monotonic() -> MonotonicInstant { .now }

    package func sleep(_ duration: Duration) async { try? await Task.sleep(for: duration) }
}

extension TimeSource {
    /// Sleeps, but not past a request to stop.
    package func pause(_ duration: Duration, unless stop: StopSignal) async {
        guard duration > .zero else { return }
        _ = await stop.unlessRequested { await sleep(duration) }
    }
}
