import AsyncHTTPClient
import Foundation
import NIOCore

@testable import FlowServiceSimulator

/// A response received by an ordinary HTTP client.
struct WireAnswer {
    let status: Int
    let body: String
    let headers: [String: String]
}

/// Runs a simulator for the duration of `body`.
func withSimulator<Result>(
    _ configuration: FlowServiceSimulator.Configuration = FlowServiceSimulator.Configuration(),
    _ body: (RunningSimulator) async throws -> Result
) async throws -> Result {
    var configuration = configuration
    if configuration.flows.isEmpty { configuration.flows = [TutorialSample.table, TutorialSample.file] }
    let simulator = try await FlowServiceSimulator.start(configuration)
    do {
        let result = try await body(simulator)
        await simulator.stop()
        return result
    } catch {
        await simulator.stop()
        throw error
    }
}

let goodHeaders = ["Authorization": "Bearer token", "x-api-key": "key", "x-gw-ims-org-id": "1234@AdobeOrg"]

extension RunningSimulator {
    func call(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = goodHeaders,
        type: String? = "application/json"
    ) async throws -> WireAnswer {
        var request = HTTPClientRequest(url: baseURL + path)
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            if let type { request.headers.add(name: "Content-Type", value: type) }
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 1 << 25)
        let fields = response.headers.map { ($0.name.lowercased(), $0.value) }
        return WireAnswer(
            status: Int(response.status.code), body: String(buffer: bytes),
            headers: Dictionary(fields, uniquingKeysWith: { first, _ in first }))
    }

    func post(_ body: String) async throws -> WireAnswer { try await call("POST", "/runs", body: body) }
}

/// The bytes received on a plain socket, and how the connection ended.
struct RawExchange: Sendable {
    var received = ""
    /// `ECONNRESET` after a reset, 0 after an orderly close, `EAGAIN` if the connection was kept open.
    var error: Int32 = 0

    /// Whether the body has the announced length.
    var isComplete: Bool { contentLength == body.utf8.count }

    var contentLength: Int? {
        received.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.split(separator: " ")[1]) }
    }

    var body: String { received.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first.map(String.init) ?? "" }
}

extension RunningSimulator {
    /// Sends requests over one plain socket, waiting for each response head, and reads until the connection ends.
    ///
    /// - Parameter stopsWhenComplete: Whether to stop at the end of the last answer, because the end of the connection
    ///   does not matter.
    func raw(
        _ bodies: [String], path: String = "/runs", method: String = "POST", stopsWhenComplete: Bool = false
    ) async -> RawExchange {
        let port = UInt16(baseURL.split(separator: ":").last.map(String.init) ?? "") ?? 0
        let requests = bodies.map { body in
            let fields = goodHeaders.map { "\($0.key): \($0.value)\r\n" }.joined()
            return "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)Content-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        // A separate thread, because a blocking read would occupy one of the server's few threads.
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: exchange(requests, port: port, stopsWhenComplete)) }
        }
    }
}

private func exchange(_ requests: [String], port: UInt16, _ stopsWhenComplete: Bool) -> RawExchange {
    var result = RawExchange()
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard connected == 0 else { return RawExchange(error: errno) }
    var timeout = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var buffer = [UInt8](repeating: 0, count: 65_536)
    for (number, request) in requests.enumerated() {
        _ = Array(request.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        result.received = ""
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 { result.error = errno }
            if count <= 0 { return result }
            result.received += String(decoding: buffer[..<count], as: UTF8.self)
            if number < requests.count - 1, result.received.hasSuffix("}") { break }
            if stopsWhenComplete, result.isComplete { return result }
        }
    }
    return result
}
