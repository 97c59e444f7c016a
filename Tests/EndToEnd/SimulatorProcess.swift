import AsyncHTTPClient
import FlowRuns
import Foundation
import SQLiteLedger
import TestSupport

/// `sluice simulate` in its own process, so that the service outlives killed applies.
struct SimulatorProcess {
    let program: RunningProgram
    let address: String

    /// Starts the simulator.
    ///
    /// - Parameters:
    ///   - arguments: The manifests and options, without the port.
    ///   - isKnown: Whether the user's machine has a journal for this service. Without one, the first apply waits for
    ///     requests of other machines to be listed.
    init(_ user: Program, _ arguments: [String], isKnown: Bool = true) async throws {
        let program = try user.start(["simulate", "--port", "0"] + arguments)
        try await program.wait { program.outputSoFar.contains("\n") }
        self.program = program
        address = program.outputSoFar.split(separator: "\n").first.map(String.init) ?? ""
        if isKnown { try journal(of: user).create() }
    }

    /// What the user's machine keeps of its claims on this service.
    ///
    /// - Parameter service: the address of a gateway before it.
    func journal(of user: Program, service: String? = nil) -> FileJournal {
        let target = TargetIdentity(service: service ?? address, organization: "1234@AdobeOrg", sandbox: "prod")
        return FileJournal(stateFolder: user.path(".local/state").path, target: target.description)
    }

    struct RepeatedWindow: Decodable {
        let times: Int
    }

    struct Statistics: Decodable {
        let runsTaken: Int
        /// The number of runs by flow ID.
        let runsByFlow: [String: Int]
        let retriggers: Int
        let postRequests: Int
        let windowsTakenTwice: [RepeatedWindow]
        let deltaColumnViolations: Int
        /// The number of requests by endpoint.
        let requests: [String: Int]
        let maxRequestsInASecond: Int
    }

    func statistics() async throws -> Statistics {
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: address + "/simulator/statistics"), timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 20)
        return try JSONDecoder().decode(Statistics.self, from: Data(body.readableBytesView))
    }

    /// Waits until the service has taken a number of runs.
    func wait(forRuns count: Int) async throws {
        try await TestSupport.wait(for: "\(count) runs") { try await statistics().runsTaken >= count }
    }

    func stop() async throws {
        program.signal(SIGTERM)
        _ = try await program.end()
    }
}
