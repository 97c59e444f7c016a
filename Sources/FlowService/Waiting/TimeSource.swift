import FlowRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An instant of a monotonic clock that also runs while the machine sleeps. A virtual clock derives its instants by
/// adding to a real instant that was taken when the clock started.
package typealias MonotonicInstant = ContinuousClock.Instant

/// The clocks of a machine: real, or virtual in the deterministic simulation.
package protocol TimeSource: Sendable {
    /// Returns the wall clock time, for display. The wall clock may be wrong, and may be set at any moment.
    func now() -> Timestamp
    /// Returns the monotonic time, which all deadlines, rates and waits use.
    func monotonic() -> MonotonicInstant
    /// Returns the time on the machine's boot clock, which all processes share; `nil` where it is unavailable.
    func sinceBoot() -> MachineInstant?
    /// Sleeps for `duration`, or until the task is cancelled.
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

    package func sinceBoot() -> MachineInstant? {
        #if os(Linux)
            guard let boot = Self.boot else { return nil }
            var time = timespec()
            guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return nil }
            return MachineInstant(boot: boot, sinceBoot: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
        #else
            return nil
        #endif
    }

    #if os(Linux)
        private static let boot: String? = {
            guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return nil }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 36)
            guard fread(&bytes, 1, bytes.count, file) == bytes.count else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }()
    #endif

    package func sleep(_ duration: Duration) async { try? await Task.sleep(for: duration) }
}

extension TimeSource {
    package func sinceBoot() -> MachineInstant? { nil }

    /// Sleeps until `duration` has passed or a stop is requested.
    package func pause(_ duration: Duration, unless stop: StopSignal) async {
        guard duration > .zero else { return }
        _ = await stop.unlessRequested { await sleep(duration) }
    }
}
