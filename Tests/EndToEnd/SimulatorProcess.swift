import AsyncHTTPClient
import Foundation

/// `sluice simulate` in a process of its own: the service that outlives the appliers which are killed.
struct SimulatorProcess {
    let program: RunningProgram
    let address: String

    /// - Parameter arguments: manifests and options, without the port.
    init(_ user: Program, _ arguments: [String]) async throws {
        program = try user.start(["simulate", "--port", "0"] + arguments)
        var address = ""
        while address.isEmpty {
            try await Task.sleep(for: .milliseconds(20))
            address = program.outputSoFar.split(separator: "\n").first.map(String.init) ?? ""
        }
        self.address = address
    }

    struct RepeatedWindow: Decodable {
        let times: Int
    }

    struct Statistics: Decodable {
        let runsTaken: Int
        let postRequests: Int
        let windowsTakenTwice: [RepeatedWindow]
        let deltaColumnViolations: Int
        /// By endpoint.
        let requests: [String: Int]
        let maxRequestsInASecond: Int
    }

    func statistics() async throws -> Statistics {
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: address + "/simulator/statistics"), timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 20)
        return try JSONDecoder().decode(Statistics.self, from: Data(body.readableBytesView))
    }

    func stop() async throws {
        program.signal(SIGTERM)
        _ = try await program.end()
    }
}
