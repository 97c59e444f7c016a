import FlowRuns
import FlowService
import Synchronization

/// The true time of a simulation. It advances only when no task can run.
final class VirtualTime: Sendable {
    private struct State {
        var elapsed = Duration.zero
        var nextTicket = 0
        var timers: [Int: (at: Duration, fire: @Sendable () -> Void)] = [:]
    }

    private let state = Mutex(State())
    private let origin = ContinuousClock.now

    /// When every simulation begins.
    static let start = Timestamp(seconds: 1_700_000_000)

    /// Since the simulation began.
    var elapsed: Duration { state.withLock(\.elapsed) }
    var now: Timestamp { Self.start + elapsed }
    var monotonic: MonotonicInstant { origin + elapsed }

    /// Calls `action` when so much time has passed.
    @discardableResult
    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.nextTicket += 1
            state.timers[state.nextTicket] = (state.elapsed + max(.zero, duration), action)
            return state.nextTicket
        }
    }

    func sleep(_ duration: Duration) async {
        let timer = Mutex<(ticket: Int?, isCancelled: Bool)>((nil, false))
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let once = Mutex<CheckedContinuation<Void, Never>?>(continuation)
                let ticket = after(duration) { once.take()?.resume() }
                let isCancelled = timer.withLock { timer in
                    timer.ticket = ticket
                    return timer.isCancelled
                }
                if isCancelled { fireNow(ticket) }
            }
        } onCancel: {
            let ticket = timer.withLock { timer in
                timer.isCancelled = true
                return timer.ticket
            }
            if let ticket { fireNow(ticket) }
        }
    }

    /// Moves on to the next timer and fires it. `false` when there is none.
    func advance() -> Bool {
        let fire = state.withLock { state -> (@Sendable () -> Void)? in
            guard let next = state.timers.min(by: { ($0.value.at, $0.key) < ($1.value.at, $1.key) }) else { return nil }
            state.timers.removeValue(forKey: next.key)
            state.elapsed = max(state.elapsed, next.value.at)
            return next.value.fire
        }
        fire?()
        return fire != nil
    }

    private func fireNow(_ ticket: Int) {
        state.withLock { $0.timers.removeValue(forKey: ticket)?.fire }?()
    }
}

extension Mutex where Value == CheckedContinuation<Void, Never>? {
    fileprivate borrowing func take() -> CheckedContinuation<Void, Never>? {
        withLock { value in
            defer { value = nil }
            return value
        }
    }
}

/// The clocks of one machine: a monotonic one, and a wall clock that is wrong and is set now and then.
final class MachineClock: TimeSource {
    private let time: VirtualTime
    private let skew: Mutex<Duration>

    init(_ time: VirtualTime, skew: Duration) {
        self.time = time
        self.skew = Mutex(skew)
    }

    func set(ahead skew: Duration) { self.skew.withLock { $0 = skew } }
    func now() -> Timestamp { time.now + skew.withLock { $0 } }
    func monotonic() -> MonotonicInstant { time.monotonic }
    func sinceBoot() -> MachineInstant? { MachineInstant(boot: "boot", sinceBoot: time.elapsed) }
    func sleep(_ duration: Duration) async { await time.sleep(duration) }
}
