import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization

/// A recorded request and its response.
struct Exchange: Sendable, CustomStringConvertible {
    let method: String
    /// The path without the query, relative to the service's base address if it is below it.
    let path: String
    let query: String
    /// The headers by lower-case name.
    let headers: [String: String]
    let body: String
    let status: Int
    let answerHeaders: [String: String]
    let answer: String

    var description: String { "\(method) \(path)\(query.isEmpty ? "" : "?")\(query) answered \(status)" }

    /// The method and path pattern, such as `GET /runs/{id}`.
    var endpoint: String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 2 && ["runs", "flows", "flowSpecs"].contains(path.split(separator: "/")[0]) && !part.isEmpty
                ? "{id}" : String(part)
        }
        return "\(method) \(parts.joined(separator: "/"))"
    }

    /// The exchange as JSON, described by `exchange.schema.json`.
    var json: String {
        get throws {
            var members: [String: Any] = [
                "endpoint": endpoint, "headers": headers, "query": Self.pairs(query), "status": status,
                "answerHeaders": answerHeaders, "answer": Self.value(answer),
            ]
            if !body.isEmpty {
                let isForm = headers["content-type"]?.contains("form") == true
                members["body"] = isForm ? Self.pairs(body) : Self.value(body)
            }
            let data = try JSONSerialization.data(
                withJSONObject: members, options: [.sortedKeys, .withoutEscapingSlashes])
            return String(decoding: data, as: UTF8.self)
        }
    }

    /// Parses JSON; other text remains a string.
    private static func value(_ text: String) -> Any {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? text
    }

    private static func pairs(_ text: String) -> [String: String] {
        let pairs = text.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.removingPercentEncoding ?? String($0)
            }
            return (halves[0], halves.count > 1 ? halves[1] : "")
        }
        return Dictionary(pairs) { first, second in "\(first)&\(second)" }
    }
}

/// A proxy between a client and a server on a loopback socket that records all exchanges.
final class RecordingProxy: Sendable {
    static let base = "/data/foundation/flowservice"
    /// The headers that the proxy sets itself.
    private static let ownHeaders: Set<String> = ["host", "content-length", "connection", "transfer-encoding"]

    private let server: ScriptedServer
    private let record: Record

    private final class Record: Sendable {
        let exchanges = Mutex<[Exchange]>([])
    }

    var address: String { "http://127.0.0.1:\(server.port)" }

    /// The exchanges, in the order of their responses.
    var exchanges: [Exchange] { record.exchanges.withLock { $0 } }

    /// Starts a proxy.
    ///
    /// - Parameter origin: The address to forward requests to, without a trailing slash.
    init(to origin: String) async throws {
        let record = Record()
        self.record = record
        server = try await ScriptedServer { connection in
            while let (head, body) = await connection.request() {
                let exchange = try await Self.pass(head, body, to: origin)
                // Recorded before the response is sent, so that a client with the response can find the exchange.
                record.exchanges.withLock { $0.append(exchange) }
                let headers = exchange.answerHeaders.filter { !Self.ownHeaders.contains($0.key) }
                try await connection.answer(
                    exchange.status, exchange.answer, headers: headers.map { "\($0.key): \($0.value)" })
            }
        }
    }

    func stop() async { await server.stop() }

    private static func pass(_ head: String, _ body: String, to origin: String) async throws -> Exchange {
        let lines = head.split(separator: "\r\n")
        let words = lines[0].split(separator: " ").map { String($0) }
        let fields = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1).map { String($0) } }
        let headers = Dictionary(
            fields.map { ($0[0].lowercased(), $0[1].trimmingCharacters(in: .whitespaces)) }, uniquingKeysWith: { $1 })
        var request = HTTPClientRequest(url: origin + words[1])
        request.method = .init(rawValue: words[0])
        for (name, value) in headers where !ownHeaders.contains(name) { request.headers.add(name: name, value: value) }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let answer = try await response.body.collect(upTo: 1 << 25)
        let target = words[1].split(separator: "?", maxSplits: 1).map { String($0) }
        return Exchange(
            method: words[0],
            path: target[0].hasPrefix(base) ? String(target[0].dropFirst(base.count)) : target[0],
            query: target.count > 1 ? target[1] : "", headers: headers, body: body, status: Int(response.status.code),
            answerHeaders: Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { "\($0), \($1)" }),
            answer: String(buffer: answer))
    }
}
