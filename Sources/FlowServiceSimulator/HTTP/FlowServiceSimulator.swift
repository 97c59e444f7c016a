import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// A local Flow Service with an HTTP interface, for tests, demos and rehearsals.
///
/// ```swift
/// let simulator = try await FlowServiceSimulator.start(FlowServiceSimulator.Configuration(flows: [flow]))
/// // POST \(simulator.baseURL)/runs …
/// let runCount = try await simulator.statistics().runsTaken
/// await simulator.stop()
/// ```
package enum FlowServiceSimulator {
    /// Starts a server, and returns once the server accepts requests.
    ///
    /// - Throws: ``SimulatorError`` if the state file cannot be used or the port is not available.
    package static func start(_ configuration: Configuration) async throws(SimulatorError) -> RunningSimulator {
        let state: SimulatorState
        do {
            state = try SimulatorState(configuration)
            try await state.add(flows: configuration.flows, runs: [])
        } catch {
            throw .state(error)
        }
        let (ports, port) = AsyncThrowingStream<Int, any Error>.makeStream()
        let responder = SimulatorResponder(
            state: state, now: configuration.now, sendsDate: configuration.sendsDate)
        let server = Task {
            do {
                // Hummingbird's `Application` would send the real `Date` with every response.
                let server = try HTTPServerBuilder.http1().buildServer(
                    configuration: ServerConfiguration(
                        address: .hostname(configuration.host, port: configuration.port)),
                    eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                    logger: Logger(label: "simulator") { _ in SwiftLogNoOpLogHandler() },
                    responder: { request, writer, channel in
                        let response = await responder.respond(to: request, over: channel)
                        try await writer.write(response: response.head, body: response.body)
                    },
                    onServerRunning: { port.yield($0.localAddress?.port ?? configuration.port) })
                try await server.run()
                port.finish()
            } catch {
                port.finish(throwing: error)
            }
        }
        do {
            for try await port in ports {
                return RunningSimulator(
                    baseURL: "http://\(bracketed(configuration.host)):\(port)", state: state, server: server)
            }
            throw SimulatorError.cannotListen("the server stopped during its start")
        } catch let error as SimulatorError {
            throw error
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw .cannotListen(
                "port \(configuration.port) is in use; choose another with --port, or 0 for a free one")
        } catch {
            throw .cannotListen("cannot listen on \(configuration.host):\(configuration.port): \(error)")
        }
    }

    /// Encloses an IPv6 address in brackets, as a URL requires.
    private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}

/// A running simulator.
package struct RunningSimulator: Sendable {
    /// The base URL, `http://127.0.0.1:PORT`. Below `/data/foundation/flowservice`, the service's paths exist as well.
    package let baseURL: String
    fileprivate let state: SimulatorState
    fileprivate let server: Task<Void, Never>

    /// The URL of the token endpoint, which works like the real sign-in service.
    package var tokenURL: String { baseURL + "/ims/token/v3" }

    /// Returns the counts of runs and requests.
    ///
    /// - Throws: ``SimulatorError`` if the state file cannot be read.
    package func statistics() async throws(SimulatorError) -> SimulatorStatistics {
        do { return try await state.statistics() } catch { throw .state(error) }
    }

    /// Adds flows, and runs of other clients. A flow that already exists is skipped.
    ///
    /// - Throws: ``SimulatorError`` if the state file cannot be written.
    package func add(flows: [SimulatedFlow] = [], runs: [ForeignRun] = []) async throws(SimulatorError) {
        do { try await state.add(flows: flows, runs: runs) } catch { throw .state(error) }
    }

    /// Stops the server. Requests in flight are interrupted.
    package func stop() async {
        server.cancel()
        await server.value
    }

    /// Waits until the server is stopped or fails.
    package func wait() async { await server.value }
}

/// The reason why a simulator cannot start or continue.
package enum SimulatorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The state file cannot be used.
    case state(StateFileError)
    /// The address or port is not available.
    case cannotListen(String)

    package var description: String {
        switch self {
        case .state(let error): error.description
        case .cannotListen(let reason): reason
        }
    }
}
