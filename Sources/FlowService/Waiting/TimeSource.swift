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
    /// The machine's boot clock, which later processes share; `nil` where there is none.
    func sinceBoot() -> MachineInstant?
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

    /// Sleeps, but not past a request to stop.
    package func pause(_ duration: Duration, unless stop: StopSignal) async {
        guard duration > .zero else { return }
        _ = await stop.unlessRequested { await sleep(duration) }
    }
}
