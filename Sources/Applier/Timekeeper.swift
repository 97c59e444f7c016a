import FlowRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The clock that claims, waits and limits go by: the machine's own, or a virtual one in the deterministic simulation.
package protocol Timekeeper: Sendable {
    func now() -> Timestamp
    /// Returns after `duration`, or as soon as the task is cancelled.
    func sleep(_ duration: Duration) async
}

/// The machine's clock.
package struct SystemTime: Timekeeper {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec)) + .nanoseconds(time.tv_nsec)
    }

    package func sleep(_ duration: Duration) async {
        try? await Task.sleep(for: duration)
    }
}
