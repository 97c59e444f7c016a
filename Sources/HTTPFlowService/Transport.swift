import AsyncHTTPClient
import FlowRuns
import FlowService
import Logging
import NIOCore
import Text

/// An HTTP request to the service.
struct ServiceRequest: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    let method: Method
    /// The path below the base address, with a leading slash.
    let path: String
    /// The percent-encoded query, without the question mark.
    var query: String?
    var headers: [(name: String, value: String)] = []
    var body: GuardedBody?
    /// Maximum bytes of the answer's body to read; the rest is discarded.
    var answerLimit: Int
}

/// A client for one address. Sends each request exactly once, and for at most `timeout`.
struct Transport: Sendable {
    let address: ServiceAddress
    /// Time limit from the start of connecting to the end of the answer's body.
    let timeout: Duration
    let time: any TimeSource
    let logger: Logger
    private let client: HTTPClient
    private let bodies = BodiesInFlight()

    init(over route: Route, timeout: Duration, time: any TimeSource, logger: Logger) {
        address = route.address
        self.timeout = timeout
        self.time = time
        self.logger = logger
        var pool = HTTPClient.Configuration.ConnectionPool(
            // Shorter than the usual idle timeout of servers, so that requests rarely use a connection that is being
            // closed.
            idleTimeout: .seconds(15), concurrentHTTP1ConnectionsPerHostSoftLimit: 64)
        pool.retryConnectionEstablishment = false
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: route.tls,
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(timeout)),
            connectionPool: pool,
            proxy: route.proxy)
        // An HTTP/2 server may refuse a request, which clients then resend. HTTP/1.1 has no such refusal.
        configuration.httpVersion = .http1Only
        configuration.http1_1ConnectionDebugInitializer = { [bodies] in SendGate.add(to: $0, for: bodies) }
        // The client gets no logger: it would log more than the method, path and status.
        client = HTTPClient(configuration: configuration)
    }

    /// Closes all connections. Must be called before the transport is deallocated. Idempotent.
    func close() async { try? await client.shutdown() }

    func send(_ request: ServiceRequest) async throws(TransportError) -> HTTPAnswer {
        let start = ContinuousClock.now
        let sent = time.monotonic()
        var outgoing = HTTPClientRequest(url: address.text + request.path + (request.query.map { "?" + $0 } ?? ""))
        outgoing.method = request.method == .get ? .GET : .POST
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        outgoing.headers.add(name: "Accept-Encoding", value: "identity")
        let key = request.body.map(bodies.add)
        defer { key.map(bodies.remove) }
        if let body = request.body, let key {
            outgoing.headers.add(name: BodiesInFlight.header, value: key)
            outgoing.body = .stream(body, length: .known(Int64(body.length)))
        }

        do {
            let response = try await client.execute(outgoing, timeout: TimeAmount(timeout))
            var answer = HTTPAnswer(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "Retry-After"),
                date: response.headers.first(name: "Date"), age: response.headers.first(name: "Age"),
                via: response.headers.first(name: "Via") ?? response.headers.first(name: "X-Cache"),
                location: response.headers.first(name: "Location"),
                sent: sent, received: time.monotonic())
            (answer.body, answer.cut) = await read(response.body, upTo: request.answerLimit, until: start + timeout)
            answer.decode(
                response.headers["Content-Encoding"] + response.headers["Transfer-Encoding"], limit: request.answerLimit
            )
            _ = request.body?.close()
            log(request, outcome: "\(answer.status)", after: .now - start)
            return answer
        } catch {
            let error = TransportError(
                error, couldHaveArrived: request.body?.close() ?? true, address: address.text)
            log(request, outcome: error.reason, after: .now - start)
            throw error
        }
    }

    private func log(_ request: ServiceRequest, outcome: String, after duration: Duration) {
        logger.trace(
            "\(request.method.rawValue) \(address.text)\(request.path): \(outcome)",
            metadata: ["milliseconds": "\(duration.milliseconds)"])
    }
}

/// Reads a body until its end, the size limit or the deadline. The deadline of AsyncHTTPClient covers only the head.
private func read(
    _ body: HTTPClientResponse.Body, upTo limit: Int, until deadline: ContinuousClock.Instant
) async -> (bytes: [UInt8], cut: String?) {
    await withTaskGroup(of: (bytes: [UInt8], cut: String?)?.self) { group in
        group.addTask { await read(body, upTo: limit) }
        group.addTask {
            try? await Task.sleep(until: deadline, clock: .continuous)
            return nil
        }
        var result: (bytes: [UInt8], cut: String?) = ([], "it was not read")
        for await finished in group {
            if let finished { result = finished }
            group.cancelAll()
        }
        return result
    }
}

private func read(_ body: HTTPClientResponse.Body, upTo limit: Int) async -> (bytes: [UInt8], cut: String?) {
    var bytes: [UInt8] = []
    do {
        for try await part in body {
            let room = limit - bytes.count
            bytes.append(contentsOf: part.readableBytesView.prefix(room))
            if part.readableBytes > room { return (bytes, "it is longer than \(limit.grouped) bytes") }
        }
        return (bytes, Task.isCancelled ? "it did not end in time" : nil)
    } catch {
        return (bytes, Task.isCancelled ? "it did not end in time" : TransportError.describe(error))
    }
}

extension HTTPAnswer {
    /// Decodes the body by the codings named in these headers.
    fileprivate mutating func decode(_ headers: [String], limit: Int) {
        do throws(ContentCoding.Unknown) {
            for coding in try ContentCoding.codings(headers).reversed() {
                let decoded = coding.decoded(body, upTo: limit)
                body = decoded.bytes
                cut = cut ?? decoded.cut
            }
        } catch {
            unknownCoding = error.name
            body = []
        }
    }
}
