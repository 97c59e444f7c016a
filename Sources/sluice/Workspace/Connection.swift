import FlowRuns
import FlowService
import FlowServiceSimulator
import Foundation
import HTTPFlowService
import Logging
import Manifests

/// A connection to a target's service: to the real one, or to an embedded simulator that is started for the command.
struct Connection {
    private let service: HTTPFlowService
    private let simulator: RunningSimulator?

    /// Connects to the target's service, passes it to `body`, and closes the connection.
    ///
    /// - Parameters:
    ///   - flows: The flows of the embedded simulator: every declared flow, scheduled for one-time ingestion.
    ///   - stop: The signal that ends all waits and reads.
    static func with<Result>(
        _ target: Target, flows: [SimulatedFlow] = [], options: ServiceOptions, stop: StopSignal,
        _ body: (HTTPFlowService) async throws -> Result
    ) async throws -> Result {
        let connection = try await open(target, flows: flows, options: options, stop: stop)
        do {
            let result = try await body(connection.service)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    private static func open(
        _ target: Target, flows: [SimulatedFlow], options: ServiceOptions, stop: StopSignal
    ) async throws(Failure) -> Connection {
        let environment = ProcessInfo.processInfo.environment
        let logger = Logger(label: "sluice", factory: { _ in ConsoleLog(logLevel: options.logLevel) })
        var serviceOptions = HTTPFlowService.Options(version: Version.text)
        serviceOptions.allowsInsecureHTTP = options.insecureHTTP
        serviceOptions.requestTimeout = target.limits.requestTimeout
        serviceOptions.requestsPerSecond = target.limits.requestsPerSecond
        serviceOptions.stop = stop

        var simulator: RunningSimulator?
        let address: String
        let credentials: Credentials
        switch target.service {
        case .embedded:
            let running = try await embeddedSimulator(target, flows, logger)
            simulator = running
            address = running.baseURL
            credentials = .none
        case .address(let text):
            address = text
            serviceOptions.environment = environment
            do { credentials = try Credentials.fromEnvironment(environment) } catch {
                throw Failure(.configuration, "target '\(target.name)': \(error)")
            }
        }
        do {
            let service = try HTTPFlowService(
                address: address, organization: target.organization, sandbox: target.sandbox, credentials: credentials,
                options: serviceOptions, logger: logger)
            return Connection(service: service, simulator: simulator)
        } catch {
            throw Failure(.configuration, "target '\(target.name)': \(error)")
        }
    }

    private func close() async {
        await service.close()
        await simulator?.stop()
    }

    private static func embeddedSimulator(
        _ target: Target, _ flows: [SimulatedFlow], _ logger: Logger
    ) async throws(Failure) -> RunningSimulator {
        let ledger: Target.LedgerAddress
        do { ledger = try target.ledger.resolved() } catch { throw Failure(.configuration, error.description) }
        guard case .sqlite(let path) = ledger else {
            throw Failure(
                .configuration,
                "the embedded simulator keeps its state next to an SQLite ledger: use sqlite:PATH, or start 'sluice simulate' "
                    + "and write its address as the service")
        }
        try FileOutput.makeFolder(for: path)
        var configuration = FlowServiceSimulator.Configuration()
        configuration.flows = flows
        configuration.sandbox.organization = target.organization
        configuration.sandbox.sandboxName = target.sandbox
        configuration.statePath = path + ".simulator.jsonl"
        do { return try await FlowServiceSimulator.start(configuration) } catch {
            throw Failure(.fileError, "the embedded simulator cannot start: \(error)")
        }
    }
}

extension Workspace {
    /// The flows of the embedded simulator.
    var simulatedFlows: [SimulatedFlow] {
        flows.declaredAndReplaced.map(SimulatedFlow.init)
    }
}

extension SimulatedFlow {
    /// Creates a simulated flow from a declaration. Its delta column is not set, because the first run defines it.
    init(_ declaration: FlowDeclaration) {
        self.init(id: declaration.id, name: declaration.name ?? declaration.manifest, source: declaration.source)
    }
}
