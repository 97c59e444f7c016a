import AsyncHTTPClient
import FlowRuns
import FlowService
import Logging
import NIOCore
import NIOHTTP1
import Text

/// A client for one address. Sends each request exactly once, and for at most `timeout`.
struct Transport: Sendable {
    let address: ServiceAddress
    /// Time limit from the start of connecting to the end of the answer's body.
    let timeout: Duration
    let time: any TimeSource
    let logger: Logger
    private let client: HTTPClient
    private let bodies = BodiesInFlight()

    init(
        to address: ServiceAddress, over network: NetworkEnvironment, timeout: Duration, time: any TimeSource,
        logger: Logger
    ) throws(ConfigurationError) {
        self.address = address
        self.timeout = timeout
        self.time = time
        self.logger = logger
        var pool = HTTPClient.Configuration.ConnectionPool(
            // Shorter than the usual idle timeout of servers, so that requests rarely use a connection that is being
            // closed.
            idleTimeout: .seconds(15), concurrentHTTP1ConnectionsPerHostSoftLimit: 64)
        pool.retryConnectionEstablishment = false
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: network.tls,
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(timeout)),
            connectionPool: pool,
            proxy: try network.proxy(for: address))
        // An HTTP/2 server may refuse a request, which clients then resend. HTTP/1.1 has no such refusal.
        configuration.httpVersion = .http1Only
        configuration.http1_1ConnectionDebugInitializer = { [bodies] in SendGate.add(to: $0, for: bodies) }
        // The client gets no logger: it would log more than the method, path and status.
        client = HTTPClient(configuration: configuration)
    }

    /// Closes all connections. Must be called before the transport is deallocated. Idempotent.
    func close() async { try? await client.shutdown() }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - path: the path below the base address, with a leading slash.
    ///   - query: the percent-encoded query, without the question mark.
    ///   - headers: the headers, except those of the connection.
    ///   - body: the body, which may be withheld.
    ///   - answerLimit: the maximum bytes of the answer's body to read; the rest is discarded.
    func send(
        _ method: HTTPMethod, _ path: String, query: String? = nil, headers: HTTPHeaders, body: GuardedBody? = nil,
        answerLimit: Int
    ) async throws(TransportError) -> HTTPAnswer {
        let start = ContinuousClock.now
        let sent = time.monotonic()
        var outgoing = HTTPClientRequest(url: address.text + path + (query.map { "?" + $0 } ?? ""))
        outgoing.method = method
        outgoing.headers = headers
        outgoing.headers.add(name: "Accept-Encoding", value: "identity")
        let key = body.map(bodies.add)
        defer { key.map(bodies.remove) }
        if let body, let key {
            outgoing.headers.add(name: BodiesInFlight.header, value: key)
            outgoing.body = .stream(body, length: .known(Int64(body.length)))
        }
        func log(_ outcome: String) {
            logger.trace(
                "\(method.rawValue) \(address.text)\(path): \(outcome)",
                metadata: ["milliseconds": "\((.now - start).milliseconds)"])
        }

        do {
            let response = try await client.execute(outgoing, timeout: TimeAmount(timeout))
            var answer = HTTPAnswer(
                status: Int(response.status.code), headers: response.headers, sent: sent, received: time.monotonic())
            (answer.body, answer.cut) = await read(response.body, upTo: answerLimit, until: start + timeout)
            answer.decode(
                response.headers["Content-Encoding"] + response.headers["Transfer-Encoding"], limit: answerLimit)
            _ = body?.close()
            log("\(answer.status)")
            return answer
        } catch {
            let error = TransportError(error, couldHaveArrived: body?.close() ?? true, address: address.text)
            log(error.reason)
            throw error
        }
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

/// Sends idempotent requests with retries. Each attempt takes its own turn under the rate limit, and a stop ends all
/// waits.
struct RetryingSender: Sendable {
    let retryPolicy: RetryPolicy
    let rateLimiter: RateLimiter
    let time: any TimeSource
    let stop: StopSignal
    /// Receives each wait before a retry; waits of 5 seconds or more are logged at `warning`.
    let logger: Logger

    /// Waits for the next turn under the rate limit, or for a stop.
    func waitForRateLimit() async { await time.pause(rateLimiter.reserveTurn(at: time.monotonic()), unless: stop) }

    /// Sends a request until it succeeds or retrying is pointless.
    ///
    /// - Parameters:
    ///   - name: the requested resource, for error messages.
    ///   - request: sends the request once.
    /// - Returns: the first answer that should not be retried, or else the last one.
    /// - Throws: `FlowServiceError/unavailable(_:)` when no answer arrives, and `FlowServiceError/stopped`.
    func send(
        _ name: String, _ request: @escaping @Sendable () async throws(TransportError) -> HTTPAnswer
    ) async throws(FlowServiceError) -> HTTPAnswer {
        var attempts = 0
        while true {
            await waitForRateLimit()
            let attempt = await stop.unlessRequested { () async -> Result<HTTPAnswer, TransportError> in
                do throws(TransportError) { return .success(try await request()) } catch { return .failure(error) }
            }
            guard let attempt, !stop.isRequested, !Task.isCancelled else { throw .stopped }
            attempts += 1
            let reason: String
            var retryAfter: Duration?
            switch attempt {
            case .success(let answer):
                if !answer.isRetryable { return answer }
                reason = answer.status == 429 ? "rate limited (429)" : "answered \(answer.status)"
                retryAfter = answer.wait(now: time.now())
            case .failure(let error): reason = error.reason
            }
            guard let delay = retryPolicy.delay(after: attempts, retryAfter: retryAfter) else {
                guard case .success(let answer) = attempt else { throw .unavailable("\(name): \(reason)") }
                return answer
            }
            logger.log(
                level: delay < .seconds(5) ? .debug : .warning,
                "\(name): \(reason), retrying in \(delay.secondsRoundedUp) s")
            await time.pause(delay, unless: stop)
        }
    }
}

extension HTTPAnswer {
    fileprivate var isRetryable: Bool {
        [408, 429].contains(status) || status >= 500 || (isSuccess && cut != nil)
    }
}
