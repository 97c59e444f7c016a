import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization

/// A request and its answer, as they passed by.
struct Exchange: Sendable, CustomStringConvertible {
    var method: String
    /// As it was sent, without the query.
    var path: String
    /// Decoded, in the order in which they were sent.
    var query: [(name: String, value: String)] = []
    /// By name in lower case; what came under one name twice is joined by a comma.
    var headers: [String: String] = [:]
    var body = ""
    var status = 0
    var answerHeaders: [String: String] = [:]
    var answer = ""

    var description: String {
        let query = query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return "\(method) \(path)\(query.isEmpty ? "" : "?" + query) answered \(status)"
    }

    /// The names and values of a query or a form, decoded.
    static func pairs(_ text: String) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for pair in text.split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            let words = [name, pair.dropFirst(name.count + 1)].map { String($0) }
            let decoded = words.map { $0.removingPercentEncoding ?? $0 }
            pairs.append((name: decoded[0], value: decoded[1]))
        }
        return pairs
    }
}

/// Stands between a client and a server on a real loopback socket, and writes down what passes.
final class RecordingProxy: Sendable {
    private final class Record: Sendable {
        let exchanges = Mutex<[Exchange]>([])
    }

    private let server: ScriptedServer
    private let record: Record

    var address: String { "http://127.0.0.1:\(server.port)" }

    /// In the order in which they were answered.
    var exchanges: [Exchange] { record.exchanges.withLock { $0 } }

    /// - Parameter origin: where requests go on to, without a slash at its end.
    init(to origin: String) async throws {
        let record = Record()
        self.record = record
        server = try await ScriptedServer { connection in
            while let request = await connection.request() {
                let passing = try PassingRequest(head: request.head, body: request.body)
                let exchange = try await passing.exchange(with: origin)
                // Before it is handed back, so that who has the answer finds it here.
                record.exchanges.withLock { $0.append(exchange) }
                let fields = exchange.answerHeaders.filter { !PassingRequest.ownHeaders.contains($0.key) }
                try await connection.answer(
                    exchange.status, exchange.answer, headers: fields.map { "\($0.key): \($0.value)" })
            }
        }
    }

    /// Idempotent.
    func stop() async { await server.stop() }
}

/// A request on its way to the server behind the proxy.
private struct PassingRequest: Sendable {
    /// What each side of the proxy says for itself.
    static let ownHeaders: Set<String> = ["host", "content-length", "connection", "transfer-encoding"]

    struct Unreadable: Error {
        let head: String
    }

    private let method: String
    private let target: String
    private let headers: [(name: String, value: String)]
    private let body: String

    init(head: String, body: String) throws {
        let lines = head.split(separator: "\r\n").map { String($0) }
        let words = (lines.first ?? "").split(separator: " ").map { String($0) }
        guard words.count == 3 else { throw Unreadable(head: head) }
        (method, target) = (words[0], words[1])
        var headers: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            let name = line.prefix { $0 != ":" }
            headers.append((name: String(name), value: String(line.dropFirst(name.count + 1).drop { $0 == " " })))
        }
        self.headers = headers
        self.body = body
    }

    /// Sends it on, and waits for the whole answer.
    func exchange(with origin: String) async throws -> Exchange {
        var request = HTTPClientRequest(url: origin + target)
        request.method = .init(rawValue: method)
        for (name, value) in headers where !Self.ownHeaders.contains(name.lowercased()) {
            request.headers.add(name: name, value: value)
        }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 1 << 25)
        let path = target.prefix { $0 != "?" }
        return Exchange(
            method: method, path: String(path), query: Exchange.pairs(String(target.dropFirst(path.count + 1))),
            headers: Self.joined(headers), body: body, status: Int(response.status.code),
            answerHeaders: Self.joined(response.headers.map { (name: $0.name, value: $0.value) }),
            answer: String(buffer: bytes))
    }

    private static func joined(_ fields: [(name: String, value: String)]) -> [String: String] {
        Dictionary(fields.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { "\($0), \($1)" })
    }
}
