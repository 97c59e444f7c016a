import Applier
import Foundation
import UnixSignals

/// SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once.
enum Signals {
    /// Runs `body` with a stop signal that the first SIGINT or SIGTERM sets.
    static func stopping<Result: Sendable>(
        _ body: @escaping @Sendable (StopSignal) async throws -> Result
    ) async throws -> Result {
        let stop = StopSignal()
        let watch = Task {
            for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                if stop.isRequested {
                    // The ledger is written before each request: it tells the truth wherever this ends.
                    _exit(signal == .sigint ? 130 : 143)
                }
                Console.say(
                    "\nstopping: what is in flight is finished and recorded, nothing more is sent (again to end at once)"
                )
                stop.request()
            }
        }
        defer { watch.cancel() }
        return try await body(stop)
    }
}
