import Applier
import FlowService
import Foundation
import Reports
import Synchronization

/// SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once. Where nothing is to be ended in order,
/// the first does.
enum Signals {
    /// A parent may have told the system to take no note of children: then nobody would tell how they end.
    static func takeNoteOfChildren() { signal(SIGCHLD, SIG_DFL) }

    private struct Stopping {
        let stop: StopSignal
        let announcement: StyledText
        /// Apart: whoever reads what is said may have stopped reading.
        var said: Task<Void, Never>?
    }

    private static let current = Mutex<Stopping?>(nil)

    /// Once and for good: the system does not get back what was trapped. On a thread of its own: where nobody reads what
    /// is said, every thread of the tasks may be waiting for that.
    private static let sources = Mutex(
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "signals"))
            source.setEventHandler { note(number) }
            source.activate()
            return source
        })

    /// Runs `body` with a stop signal that the first SIGINT or SIGTERM sets. One at a time, not one within another.
    ///
    /// - Parameter announcement: what is said then.
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
        await ended?.said?.value
        return try result.get()
    }

    private static func note(_ signal: Int32) {
        current.withLock { current in
            guard let stopping = current, !stopping.stop.isRequested else {
                // The ledger is written before each request: it tells the truth wherever this ends.
                _exit(128 + signal)
            }
            stopping.stop.request()
            current?.said = Task.detached { Console.say(.blank + [stopping.announcement]) }
        }
    }
}
