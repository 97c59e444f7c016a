import Applier
import FlowRuns
import FlowService
import Synchronization

/// A clock that stands still until nothing else is left to do.
final class VirtualTime: TimeSource {
    private struct State {
        var now = Timestamp(milliseconds: 1_700_000_000_000)
        var nextTicket = 0
        var timers: [Int: (at: Timestamp, fire: @Sendable () -> Void)] = [:]
    }

    private let state = Mutex(State())
    private let start = MonotonicInstant.now

    func now() -> Timestamp { state.withLock(\.now) }
    func monotonic() -> MonotonicInstant { start + (now() - State().now) }

    /// Calls `action` when the clock gets to `duration` from now.
    @discardableResult
    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.nextTicket += 1
            state.timers[state.nextTicket] = (state.now + max(.zero, duration), action)
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
            state.now = max(state.now, next.value.at)
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
