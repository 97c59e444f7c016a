import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization

/// A request and its answer, as they passed by.
struct Exchange: Sendable, CustomStringConvertible {
    let method: String
    /// Below the service's base address where it is below that, without the query.
    let path: String
    let query: String
    /// By name in lower case.
    let headers: [String: String]
    let body: String
    let status: Int
    let answerHeaders: [String: String]
    let answer: String

    var description: String { "\(method) \(path)\(query.isEmpty ? "" : "?")\(query) answered \(status)" }

    /// `GET /runs/{id}`.
    var endpoint: String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 2 && ["runs", "flows", "flowSpecs"].contains(path.split(separator: "/")[0]) && !part.isEmpty
                ? "{id}" : String(part)
        }
        return "\(method) \(parts.joined(separator: "/"))"
    }

    /// As `exchange.schema.json` describes it.
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

    /// A body that is no JSON stays the text that it is.
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

/// Stands between a client and a server on a real loopback socket, and writes down what passes.
final class RecordingProxy: Sendable {
    static let base = "/data/foundation/flowservice"
    /// What each side of the proxy says for itself.
    private static let ownHeaders: Set<String> = ["host", "content-length", "connection", "transfer-encoding"]

    private let server: ScriptedServer
    private let record: Record

    private final class Record: Sendable {
        let exchanges = Mutex<[Exchange]>([])
    }

    var address: String { "http://127.0.0.1:\(server.port)" }

    /// In the order in which they were answered.
    var exchanges: [Exchange] { record.exchanges.withLock { $0 } }

    /// - Parameter origin: where requests go on to, without a slash at its end.
    init(to origin: String) async throws {
        let record = Record()
        self.record = record
        server = try await ScriptedServer { connection in
            while let (head, body) = await connection.request() {
                let exchange = try await Self.pass(head, body, to: origin)
                // Before it is handed back, so that whoever has the answer finds it here.
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
