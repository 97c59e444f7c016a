import FlowRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The clock that claims, waits and limits go by: the machine's own, or a virtual one in the deterministic simulation.
public protocol Timekeeper: Sendable {
    /// Unix milliseconds.
    func now() -> UnixMilliseconds
    /// Returns after `duration` milliseconds, or as soon as the task is cancelled.
    func sleep(_ duration: UnixMilliseconds) async
}

/// The machine's clock.
public struct SystemTime: Timekeeper {
    public init() {}

    public func now() -> UnixMilliseconds {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UnixMilliseconds(time.tv_sec) * 1000 + UnixMilliseconds(time.tv_nsec) / 1_000_000
    }

    public func sleep(_ duration: UnixMilliseconds) async {
        try? await Task.sleep(for: .milliseconds(duration))
    }
}
