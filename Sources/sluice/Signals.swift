import Applier
import FlowService
import Foundation
import Reports
import Synchronization

/// The handling of SIGINT and SIGTERM: the first signal requests an orderly stop, the second exits immediately.
///
/// Outside of ``stopping(announcing:_:)``, the first signal exits.
enum Signals {
    /// Resets SIGCHLD: an inherited SIG_IGN makes `waitpid` fail.
    static func resetChildSignal() { signal(SIGCHLD, SIG_DFL) }

    private struct Stopping {
        let stop: StopSignal
        let announcement: StyledText
        /// The task that prints the announcement, detached because the reader of standard error may be blocked.
        var printing: Task<Void, Never>?
    }

    private static let current = Mutex<Stopping?>(nil)

    /// The signal sources, created once: a trapped signal is never restored to its default. They use their own thread,
    /// because all threads of the cooperative pool may be blocked in writes to standard error.
    private static let sources = Mutex(
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "signals"))
            source.setEventHandler { handle(number) }
            source.activate()
            return source
        })

    /// Runs `body` with a stop signal that the first SIGINT or SIGTERM sets. Calls must not overlap.
    ///
    /// - Parameter announcement: The line to print on the first signal.
    static func stopping<Result: Sendable>(
        announcing announcement: StyledText = "stopping; press Ctrl-C again to end at once",
        _ body: @escaping @Sendable (StopSignal) async throws -> Result
    ) async throws -> Result {
        let stop = StopSignal()
        current.withLock { $0 = Stopping(stop: stop, announcement: announcement) }
        sources.withLock { _ in }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(stop)) } catch { result = .failure(error) }
        let ended = current.withLock { current in
            defer { current = nil }
            return current
        }
        await ended?.printing?.value
        return try result.get()
    }

    private static func handle(_ signal: Int32) {
        current.withLock { current in
            guard let stopping = current, !stopping.stop.isRequested else {
                // Exiting is safe at any time: the ledger is written before each request.
                _exit(128 + signal)
            }
            stopping.stop.request()
            current?.printing = Task.detached {
                Console.printNote("")
                Console.printNote(stopping.announcement)
            }
        }
    }
}
