import AsyncHTTPClient
import NIOCore

/// The HTTP client that Sluice uses, called directly.
enum BareClient {
    /// Sends the requests with the given concurrency, and reads the answers.
    static func send(_ requests: [HTTPClientRequest], parallel: Int) async throws {
        var configuration = HTTPClient.Configuration(
            connectionPool: .init(idleTimeout: .seconds(15), concurrentHTTP1ConnectionsPerHostSoftLimit: 64))
        configuration.httpVersion = .http1Only
        let client = HTTPClient(configuration: configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for start in 0..<parallel {
                group.addTask {
                    for index in stride(from: start, to: requests.count, by: parallel) {
                        let answer = try await client.execute(requests[index], timeout: .seconds(30))
                        _ = try await answer.body.collect(upTo: 1 << 20)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await client.shutdown()
    }

    static func post(_ address: String, _ body: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "Authorization", value: "Bearer token")
        request.body = .bytes(ByteBuffer(string: body))
        return request
    }
}
