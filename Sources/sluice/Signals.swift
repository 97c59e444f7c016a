import Applier
import FlowService
import Foundation
import Reports
import UnixSignals

/// SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once.
enum Signals {
    /// Runs `body` with a stop signal that the first SIGINT or SIGTERM sets.
    ///
    /// - Parameter announcement: what is said then.
    static func stopping<Result: Sendable>(
        announcing announcement: StyledText = "stopping; press Ctrl-C again to end at once",
        _ body: @escaping @Sendable (StopSignal) async throws -> Result
    ) async throws -> Result {
        let stop = StopSignal()
        let watch = Task {
            for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                if stop.isRequested {
                    // The ledger is written before each request: it tells the truth wherever this ends.
                    _exit(signal == .sigint ? 130 : 143)
                }
                Console.say(.blank + [announcement])
                stop.request()
            }
        }
        defer { watch.cancel() }
        return try await body(stop)
    }
}
